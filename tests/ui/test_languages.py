import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from tools.messages import extract, untranslated

from deskbridge.ui.languages import LANGUAGES, LOCALE, choose, said, translations

TRANSLATED = [code for code in LANGUAGES if code != "en"]


def catalogue(code):
    with (LOCALE / code / "LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=code)


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated(code):
    known = catalogue(code)
    assert not untranslated(known)
    missing = [message.id for message in extract() if message.id and message.id not in known]
    assert not missing


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_no_placeholders_of_their_own(code):
    for message in catalogue(code):
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts:
            assert placeholders(text) <= placeholders(sources[-1]), message.id


def placeholders(text):
    named = set(re.findall(r"%\((\w+)\)s", text))
    return named | {name for _, name, _, _ in Formatter().parse(text.replace("%", "")) if name}


@pytest.mark.parametrize(
    ("stored", "chosen", "accept", "code"),
    [
        ("de-AT", "it", "en", "de"),
        (None, "it", "de", "it"),
        (None, None, "fr, de;q=0.5, it;q=0.9", "it"),
        (None, None, "de-CH", "de"),
        ("xx", "yy", "zz", "en"),
        (None, None, "de;q=x, it;q=0.1", "it"),
        (None, None, "", "en"),
        ("../../etc", None, "*", "en"),
    ],
)
def test_the_readers_language(stored, chosen, accept, code):
    assert choose(stored, chosen, accept) == code


def test_english_is_the_source():
    assert translations("en").gettext("Sign in") == "Sign in"
    assert translations("de").gettext("Sign in") == "Anmelden"


@pytest.mark.parametrize(
    ("message", "german"),
    [
        ("Enter some text.", "Geben Sie einen Text ein."),
        ("Enter at least 3 characters.", "Geben Sie mindestens 3 Zeichen ein."),
        ("Nobody ever wrote this.", "Nobody ever wrote this."),
    ],
)
def test_what_the_domain_says_is_translated_with_its_numbers(message, german):
    assert said("de", message) == german
    assert said("en", message) == message


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_nothing_said_is_nothing_in_every_language(code):
    assert said(code, "") == ""
