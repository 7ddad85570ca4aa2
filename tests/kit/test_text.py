import pytest

from deskbridge.kit.text import clean_line, clean_text, email_key, parse_phone


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  two   words ", "two words"),
        ("line\nbreak\ttab", "line break tab"),
        ("ad\u200bmin\ufeff", "admin"),
        ("nul\x00bell\x07", "nulbell"),
        ("e\u0301", "\u00e9"),
        ("👩‍💻 stays whole", "👩‍💻 stays whole"),
        ("\u00a0 \u3000", ""),
    ],
)
def test_a_line_is_kept_in_one_form(written: str, kept: str) -> None:
    assert clean_line(written) == kept
    assert clean_line(kept) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("  indented\n    code  \n\n", "indented\n    code"),
        ("tab\there", "tab\there"),
        ("nul\x00 vertical\x0b", "nul vertical"),
    ],
)
def test_running_text_keeps_its_lines(written: str, kept: str) -> None:
    assert clean_text(written) == kept
    assert clean_text(kept) == kept


def test_spellings_of_one_mail_address_share_a_key() -> None:
    assert len({email_key(e) for e in ("Anna@Example.org", " anna@example.org ", "ａnna@example.org")}) == 1
    assert email_key("anna@example.org") != email_key("anna+desk@example.org")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+39 0471 123456", "+390471123456"),
        ("0039 0471-123456", "+390471123456"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("0471 123456", None),
        ("+39", None),
        ("call me", None),
        ("", None),
        ("+39 0471 123456 0471 123456", None),
    ],
)
def test_a_phone_number_is_kept_as_e164_or_not_at_all(written: str, kept: str | None) -> None:
    assert parse_phone(written) == kept
