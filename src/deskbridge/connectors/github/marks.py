"""Our key of an issue or a comment, in an HTML comment at the end of its text: GitHub's pages do not show it.

A comment longer than GitHub takes goes in parts which all carry the key; they are read as one when all are there, and
not at all before.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from deskbridge.connectors.pieces import pieces
from deskbridge.sync.connector import Comment, Rejected

LONGEST = 60_000
"""Characters of one text; GitHub takes 65,536, our mark included."""
_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MARK = re.compile(r"(?:^|\n\n)<!-- deskbridge:([A-Za-z0-9._-]{1,100})(?: (\d{1,4})/(\d{1,4}))? -->\s*\Z")


@dataclass(frozen=True)
class Mark:
    """A key, and which of how many parts carries it."""

    key: str
    number: int = 1
    of: int = 1


def mark(key: str) -> str:
    """What a search for a key looks for."""
    if not _KEY.fullmatch(key):
        raise Rejected(f"a key must be of letters, digits, dots, hyphens and underscores: {key!r}")
    return f"deskbridge:{key}"


def with_mark(text: object, found: Mark | None) -> str:
    """Return a text that carries a mark; of None just the mark."""
    body = str(text or "")
    if found is None:
        return body
    part = f" {found.number}/{found.of}" if found.of > 1 else ""
    return f"{body}\n\n<!-- {mark(found.key)}{part} -->" if body else f"<!-- {mark(found.key)}{part} -->"


def read(body: str | None) -> tuple[str, Mark | None]:
    """Return a text without its mark, and the mark."""
    text = (body or "").replace("\r\n", "\n")
    found = _MARK.search(text)
    if found is None:
        return text, None
    return text[: found.start()], Mark(found[1], int(found[2] or 1), int(found[3] or 1))


def parts(text: str, key: str) -> Iterator[tuple[Mark, str]]:
    """Yield the bodies of the comments that a text goes in, with their marks."""
    texts = pieces(text, LONGEST)
    for number, piece in enumerate(texts, 1):
        one = Mark(key, number, len(texts))
        yield one, with_mark(piece, one)


def together(comments: Sequence[tuple[Comment, Mark | None]]) -> list[Comment]:
    """Return comments in their order, those in parts as one."""
    read: list[Comment] = []
    waiting: dict[str, dict[int, Comment]] = {}
    for comment, found in comments:
        if found is None or found.of == 1:
            read.append(comment)
            continue
        gathered = waiting.setdefault(found.key, {})
        gathered[found.number] = comment
        if len(gathered) == found.of:
            read.append(_joined(gathered))
    return read


def _joined(gathered: Mapping[int, Comment]) -> Comment:
    ordered = [gathered[number] for number in sorted(gathered)]
    body = "\n\n".join(comment.body for comment in ordered)
    return replace(ordered[0], body=body, updated_at=max(comment.updated_at for comment in ordered))
