"""Checking a password behind any door: counted in the database, computed away from the event loop."""

from deskbridge.kit.db import Desk
from deskbridge.kit.errors import Unauthenticated
from deskbridge.kit.text import email_key
from deskbridge.people import passwords, service
from deskbridge.people.queries import SignInRecord, sign_in_record


async def check_password(desk: Desk, identifier: str, password: str, address: str) -> SignInRecord:
    """Return who signs in; raises `Unauthenticated`, the same for every cause, or `RateLimited`.

    An unknown identifier takes as long as a wrong password: there is nothing to tell them apart by.
    """

    record = await desk.read(sign_in_record, identifier)
    who = str(record.user_id) if record else email_key(identifier)
    await desk.write(service.begin_sign_in, who, address)
    right = await passwords.check_in_background(record.password_hash if record else None, password)
    if record is None or not right or not record.active:
        raise Unauthenticated("The sign-in name or the password is not right.")
    await desk.write(service.forgive_sign_in, who, address)
    return record
