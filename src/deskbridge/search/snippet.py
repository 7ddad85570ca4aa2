"""Passages: the part of a text where a query's words are, with their places. Pure."""

from collections.abc import Sequence

import msgspec

from deskbridge.search.query import Term
from deskbridge.search.words import Word, words

BEFORE, LENGTH = 60, 240


class Snippet(msgspec.Struct):
    """A passage of plain text, and where in it the words are that were asked for, as [start, end) in characters."""

    text: str
    marks: list[tuple[int, int]]


def snippet(text: str, terms: Sequence[Term]) -> Snippet:
    """Return the passage around the first words that were asked for, or the text's beginning without marks."""
    found = [word for word in words(text) if any(_asked(word, term) for term in terms)]
    start = _word_start(text, found[0].start - BEFORE) if found else 0
    end = min(len(text), start + LENGTH)
    marks = [(word.start - start, word.end - start) for word in found if start <= word.start and word.end <= end]
    return Snippet(text[start:end], _joined(marks))


def _asked(word: Word, term: Term) -> bool:
    *before, last = term.words
    return word.text in before or (word.text.startswith(last) if term.prefix else word.text == last)


def _word_start(text: str, at: int) -> int:
    """Return the first place at or after `at` where a word begins."""
    if at <= 0:
        return 0
    return next((i for i in range(at, len(text)) if text[i - 1].isspace()), at)


def _joined(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the marks that touch or overlap, as those of pairs of characters do."""
    joined: list[tuple[int, int]] = []
    for start, end in marks:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
