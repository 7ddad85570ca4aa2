"""Mail: a message is built by the standard library, and handed to the server that SMTP_URL names."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import SplitResult, unquote, urlsplit

from deskbridge.kit.text import clean_line

SECONDS = 20.0
LONGEST_SUBJECT = 200


class MailNotSent(Exception):
    """The mail server could not be reached, or refused the message; the text holds no password."""


def compose(sender: str, to: str, subject: str, text: str, *, message_id: str, at: datetime) -> EmailMessage:
    """Return a plain text message from one address to one.

    `sender` is an address, with a name if wanted; `to` only an address: a second one, or a line break in either, is a
    `ValueError`. The subject becomes one line. `message_id` is unique, and the same when the message is sent again.
    """
    name, address = parseaddr(sender)
    origin = Address(name, addr_spec=address)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = origin, Address(addr_spec=to)
    message["Subject"] = clean_line(subject)[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}@{origin.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence notice answers it
    message.set_content(text)
    return message


def send(url: str, message: EmailMessage) -> None:
    """Hand a message to a mail server; raises `MailNotSent`.

    `url` is smtps://user:password@host:port, or smtp://…, where the line is encrypted if the server offers it, and a
    password is never sent over one that is not. Certificates are verified.
    """
    try:
        with _connected(urlsplit(url)) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent(f"The mail server did not take the message: {type(error).__name__}: {error}") from error


@contextmanager
def _connected(address: SplitResult) -> Iterator[smtplib.SMTP]:
    host, context = address.hostname or "", ssl.create_default_context()
    if address.scheme == "smtps":
        line: smtplib.SMTP = smtplib.SMTP_SSL(host, address.port or 465, timeout=SECONDS, context=context)
    else:
        line = smtplib.SMTP(host, address.port or 25, timeout=SECONDS)
    with line as server:
        server.ehlo_or_helo_if_needed()
        encrypted = address.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=context)
            encrypted = True
        if address.username:
            if not encrypted:
                raise MailNotSent("The mail server offers no encryption, and SMTP_URL has a password: use smtps://.")
            server.login(unquote(address.username), unquote(address.password or ""))
        yield server
