"""Languages of the pages: which there are, which one a reader gets, and their message catalogues.

The catalogues are read from their .po files at the first use: nothing has to be compiled.
"""

import io
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

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
def translations(code: str) -> NullTranslations:
    """The catalogue of a language; English is the source and needs none."""
    source = LOCALE / code / "LC_MESSAGES" / "messages.po"
    if not source.exists():
        return NullTranslations()
    with source.open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
