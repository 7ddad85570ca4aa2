"""Markdown and the plain text of cases and their comments; and how a comment carries our marker.

A case comment has 4,000 bytes and no room for anything but its text. So a marker is its last line, and a longer one
becomes several comments whose first and last lines say which part they are: nothing is cut, all of it comes together
again on reading.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from deskbridge.connectors import plaintext

MAX_COMMENT = 4000
"""Bytes of one comment; a line break is counted as the two characters it may be stored as."""
_MARK = re.compile(r"(\n*)\[desk ([^\s\[\]]{1,120})(?: (\d{1,4})/(\d{1,4}))?\]\s*\Z")
_PART = re.compile(r"\A\(\d{1,4}/\d{1,4}\)\n")
_PART_LINES = len("(9999/9999)\n\n[desk  9999/9999]") + 3
_BREAKS = ("\n\n", "\n", " ")


def to_plain(markdown: str) -> str:
    """Return Markdown as the plain text of a case; Salesforce itself would drop blanks around it."""
    return plaintext.to_plain(markdown).strip()


def to_markdown(plain: str) -> str:
    """Return the Markdown that shows what a plain text shows."""
    return plaintext.to_markdown(plain.strip())


@dataclass(frozen=True)
class Part:
    """The text of one comment: ours with its marker and its place among `total` parts, or somebody's without."""

    text: str
    marker: str | None = None
    number: int = 1
    total: int = 1


def marked(text: str, marker: str) -> list[str]:
    """Return the texts of the comments that say `text`, one or several, each with the marker."""
    if not _MARK.fullmatch(f"[desk {marker}]"):
        raise ValueError(f"not a marker: {marker!r}")
    whole = f"{text}\n\n[desk {marker}]".lstrip()
    if _size(whole) <= MAX_COMMENT:
        return [whole]
    chunks = _chunks(text, MAX_COMMENT - _PART_LINES - len(marker.encode()))
    total = len(chunks)
    return [f"({place}/{total})\n{chunk}\n[desk {marker} {place}/{total}]" for place, chunk in enumerate(chunks, 1)]


def unmarked(body: str) -> Part:
    """Return what a comment of ours says, without its marker."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    found = _MARK.search(text)
    if found is None:
        return Part(text)
    breaks, marker, number, total = found.groups()
    if number is None:
        return Part(text[: found.start()], marker)
    chunk = text[: found.end(1) - min(1, len(breaks))]
    return Part(_PART.sub("", chunk, count=1), marker, int(number), int(total))


def joined(parts: Sequence[Part]) -> str:
    """Return the text whose parts these are."""
    texts = {part.number: part.text for part in parts}
    return "".join(texts[number] for number in sorted(texts))


def _chunks(text: str, room: int) -> list[str]:
    """Cut a text into pieces of at most `room` bytes, between paragraphs, lines or words where that can be."""
    chunks = []
    while text:
        end = _fitting(text, room)
        cut = end if end == len(text) else _good_cut(text, end)
        chunks.append(text[:cut])
        text = text[cut:]
    return chunks


def _fitting(text: str, room: int) -> int:
    """How many characters from the start fit."""
    used = 0
    for place, char in enumerate(text):
        used += _size(char)
        if used > room:
            return place
    return len(text)


def _good_cut(text: str, end: int) -> int:
    for mark in _BREAKS:
        found = text.rfind(mark, end // 2, end)
        if found >= 0:
            return found + len(mark)
    cut = end
    while cut > end // 2 and (unicodedata.combining(text[cut]) or "\u200d" in text[cut - 1 : cut + 1]):
        cut -= 1
    return cut


def _size(text: str) -> int:
    return len(text.encode()) + text.count("\n")
