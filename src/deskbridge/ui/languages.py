"""Languages of the pages: which there are, which one a reader gets, and their message catalogues.

The catalogues are read from their .po files at the first use: nothing has to be compiled.
"""

import io
import re
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """`name` is how its speakers call it; `formats` is the locale whose dates and numbers it uses."""

    code: str
    name: str
    formats: str


LANGUAGES = {
    language.code: language
    for language in (
        Language("en", "English", "en_GB"),
        Language("de", "Deutsch", "de_DE"),
        Language("it", "Italiano", "it_IT"),
    )
}


def N_(message: str) -> str:  # noqa: N802 - the name gettext's tools look for
    """Mark a text for the catalogues where it is defined; it is translated where it is shown."""
    return message


def choose(stored: str | None, chosen: str | None, accept: str) -> str:
    """The language code for a reader: their profile, else their choice in this browser, else what the browser asks."""
    for wish in (stored, chosen):
        code = (wish or "").replace("_", "-").split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return from_header(accept)


def from_header(accept: str) -> str:
    """The best known language of an Accept-Language header, by its weights."""
    wishes: list[tuple[float, str]] = []
    for part in accept.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        code = tag.split("-")[0].strip().lower()
        if code in LANGUAGES:
            wishes.append((quality(weight), code))
    return max(wishes, key=lambda wish: wish[0], default=(1.0, DEFAULT))[1]


def quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0


@cache
def catalogue(code: str) -> Catalog | None:
    """The .po file of a language; English is the source and needs none."""
    source = LOCALE / code / "LC_MESSAGES" / "messages.po"
    if not source.exists():
        return None
    with source.open("rb") as file:
        return read_po(file, locale=code)


@cache
def translations(code: str) -> NullTranslations:
    """A language's catalogue in the form that gettext looks up."""
    known = catalogue(code)
    if known is None:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, known)
    compiled.seek(0)
    return GNUTranslations(compiled)


def said(code: str, message: str) -> str:
    """Translate a finished sentence of the domain, such as "Enter at least 3 characters."

    The domain speaks English and knows no languages; its sentences are in the catalogues with {0}, {1} for what varies.
    Nothing stays nothing: in a catalogue the empty text is its own header.
    """
    if not message:
        return ""
    exact = translations(code).gettext(message)
    if exact != message:
        return exact
    for pattern, translated in sentences(code):
        if found := pattern.fullmatch(message):
            return translated.format(*found.groups())
    return message


@cache
def sentences(code: str) -> list[tuple[re.Pattern[str], str]]:
    """The catalogue's sentences with variable parts, the most particular first."""
    known = catalogue(code) or ()
    varying = [(m.id, m.string) for m in known if isinstance(m.id, str) and isinstance(m.string, str) and "{0}" in m.id]
    by_length = sorted(varying, key=lambda pair: len(pair[0]), reverse=True)
    return [
        (re.compile(re.sub(r"\\{\d\\}", "(.+)", re.escape(source))), translated) for source, translated in by_length
    ]
