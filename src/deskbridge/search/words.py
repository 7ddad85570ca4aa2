"""Words: how text is prepared for the index, and a query with it. Pure, and the same for every engine.

Letters are folded (case, accents, ß to ss), everything else separates, and scripts without spaces are cut into pairs of
characters. What the engine sees are plain ASCII words with a prefix of their own, so that no engine has an opinion on
them: no stop words, no shortest word, no collation.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

PREFIX = "zz"
LONGEST = 38
"""Bytes of a word that count: in hexadecimal and with the prefix this fits the engine with the shortest words."""

WORD = re.compile(r"[^\W_]+")
WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)


@dataclass(frozen=True)
class Word:
    """A folded word and where it stands in the text it was taken from."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Yield the folded words of a text in order."""
    for match in WORD.finditer(text):
        at = match.start()
        for run in WITHOUT_SPACES.finditer(match[0]):
            yield from _plain(text, at, match.start() + run.start())
            yield from _pairs(text, match.start() + run.start(), match.start() + run.end())
            at = match.start() + run.end()
        yield from _plain(text, at, match.end())


def _plain(text: str, start: int, end: int) -> Iterator[Word]:
    if start < end and (folded := fold(text[start:end])):
        yield Word(folded, start, end)


def _pairs(text: str, start: int, end: int) -> Iterator[Word]:
    if end - start == 1:
        yield Word(fold(text[start:end]), start, end)
    for at in range(start, end - 1):
        yield Word(fold(text[at : at + 2]), at, at + 2)


def fold(word: str) -> str:
    """Return a word without what spellings differ in: case, accents, ß, widths."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def token(word: str) -> str:
    """Return what the engine is given for a folded word; the token of a word's beginning begins the word's token."""
    if word.isascii():
        return PREFIX + word[:LONGEST]
    return PREFIX + "u" + word.encode()[:LONGEST].hex()


def tokens(*texts: str | None) -> str:
    """Return the tokens of some texts, in one line for the index."""
    return " ".join(token(word.text) for text in texts if text for word in words(text))
