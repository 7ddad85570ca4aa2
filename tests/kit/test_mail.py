"""Mail as a real server gets it."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.mail import PASSWORD, USER, mail_server

from deskbridge.kit.mail import MailNotSent, compose, send
from deskbridge.simulators.certificate import ensure

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def message(subject: str = "Hello", text: str = "Text.\n", to: str = "ops@example.org") -> EmailMessage:
    return compose("The desk <desk@example.org>", to, subject, text, message_id="one", at=AT)


def test_a_message_arrives_as_it_was_written() -> None:
    text = "Zürich, 日本\n.a line with a dot\n" + "long " * 400 + "\n"
    with mail_server() as sink:
        send(f"smtp://127.0.0.1:{sink.port}", message("Größe — 日本", text))
    (mail,) = sink.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "The desk <desk@example.org>",
        "ops@example.org",
        "Größe — 日本",
    )
    assert mail["Date"].datetime == AT
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<one@example.org>", "auto-generated")
    assert mail.get_content().replace("\r\n", "\n") == text


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b"])
def test_no_subject_adds_a_header_or_a_recipient(end: str) -> None:
    with mail_server() as sink:
        send(f"smtp://127.0.0.1:{sink.port}", message(f"Hello{end}Bcc: all@example.org{end}{end}Body"))
    (mail,) = sink.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Hello")
    assert mail.get_content().strip() == "Text."
    assert sink.recipients == [["ops@example.org"]]


@pytest.mark.parametrize(
    "to", ["ops@example.org\r\nBcc: all@example.org", "ops@example.org, all@example.org", "ops@example.org\n"]
)
def test_a_recipient_is_one_address(to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        message(to=to)


def test_a_password_is_sent_only_over_an_encrypted_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    who = f"{USER}:{quote(PASSWORD, safe='')}"
    with mail_server() as plain, pytest.raises(MailNotSent, match="no encryption") as refused:
        send(f"smtp://{who}@127.0.0.1:{plain.port}", message())
    assert PASSWORD not in str(refused.value)
    with mail_server(tmp_path) as sink:
        url = f"smtp://{who}@127.0.0.1:{sink.port}"
        with pytest.raises(MailNotSent, match="CERTIFICATE_VERIFY_FAILED"):
            send(url, message())
        monkeypatch.setenv("SSL_CERT_FILE", str(ensure(tmp_path)[0]))
        send(url, message())
        with pytest.raises(MailNotSent, match="535"):
            send(url.replace(USER, "nobody"), message())
    assert (plain.mails, sink.signed_in) == ([], [True])


def test_smtps_is_encrypted_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ensure(tmp_path)[0]))
    with mail_server(tmp_path, implicit=True) as sink:
        send(f"smtps://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{sink.port}", message())
    assert sink.signed_in == [True]


def test_a_server_that_is_away_or_refuses_is_told_as_such() -> None:
    with pytest.raises(MailNotSent, match="ConnectionRefusedError"):
        send("smtp://127.0.0.1:1", message())
    with mail_server() as sink:
        sink.refuse = "550 No such person"
        with pytest.raises(MailNotSent, match="No such person"):
            send(f"smtp://127.0.0.1:{sink.port}", message())
    assert sink.mails == []
