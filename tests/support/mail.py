"""A real mail server for tests: it keeps what it is given."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deskbridge.simulators.certificate import ensure

USER, PASSWORD = "desk", "pass word/@"


@dataclass
class Sink:
    """`refuse` is answered to every recipient instead of taking the mail."""

    port: int = 0
    refuse: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _smtp: SMTP, _session: Session, envelope: Envelope, address: str, _opts: Any) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _smtp: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=default))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        self.signed_in.append(bool(session.authenticated))
        return "250 OK"


def _check(_smtp: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given == right, handled=False)


class _Anywhere(Controller):
    """A controller that lets the system choose its port."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(folder: Path | None = None, *, implicit: bool = False) -> Iterator[Sink]:
    """Run a server on this machine; with a `folder`, one with TLS (`implicit`, or STARTTLS) and a certificate there."""
    options: dict[str, Any] = {}
    if folder is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*ensure(folder))
        options = {"ssl_context" if implicit else "tls_context": context, "authenticator": _check}
        options["auth_require_tls"] = not implicit  # it only knows of what it began itself
    sink = Sink()
    controller = _Anywhere(sink, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        sink.port = controller.port
        yield sink
    finally:
        controller.stop()
