"""Checking a password behind any door: counted in the database, computed away from the event loop."""

from deskbridge.kit.db import Desk, Reader
from deskbridge.kit.errors import Unauthenticated
from deskbridge.people import passwords, service
from deskbridge.people.queries import SignInRecord, sign_in_record


async def check_password(desk: Desk, identifier: str, password: str, address: str) -> SignInRecord:
    """Return who signs in; raises `Unauthenticated`, the same for every cause, or `RateLimited`.

    An unknown identifier takes as long as a wrong password: there is nothing to tell them apart by.
    """

    def record_if_allowed(reader: Reader) -> SignInRecord | None:
        service.require_sign_in_tries(reader, identifier, address)
        return sign_in_record(reader, identifier)

    record = await desk.read(record_if_allowed)
    right = await passwords.check_in_background(record.password_hash if record else None, password)
    if record is None or not right or not record.active:
        await desk.write(service.count_failed_sign_in, identifier, address)
        raise Unauthenticated("The sign-in name or the password is not right.")
    return record
