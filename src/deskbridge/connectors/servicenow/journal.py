"""Comments as entries of an incident's journal: marked as ours in their last line, long ones in several parts.

An entry cannot be changed, and the answer to writing one does not name it: the mark is all there is to find it by.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deskbridge.connectors.servicenow.client import Row

LONGEST = 4000
"""Characters of one entry; the dictionary's length of `comments` and `work_notes` in an instance fresh from the box."""
_MARK = re.compile(
    r"(?:\A|(?:\r?\n){2})\[desk:(?P<key>[A-Za-z0-9._:-]{1,100})"
    r"(?: (?P<part>\d{1,4})/(?P<of>\d{1,4}))?(?: (?P<extra>\d{4}-[0-9T:-]{1,30}Z))?\]\s*\Z"
)


@dataclass(frozen=True)
class Mark:
    """What the last line of a text of ours says: its key, which part it is of how many, and a moment (worklogs)."""

    key: str
    part: int = 1
    of: int = 1
    extra: str = ""


def marked(text: str, mark: Mark) -> str:
    """Return a text with its mark."""
    part = f" {mark.part}/{mark.of}" if mark.of > 1 else ""
    extra = f" {mark.extra}" if mark.extra else ""
    return f"{text}\n\n[desk:{mark.key}{part}{extra}]"


def unmarked(text: str) -> tuple[str, Mark | None]:
    """Return a text without its mark, and the mark if it has one."""
    found = _MARK.search(text)
    if found is None:
        return text, None
    part, of = int(found["part"] or 1), int(found["of"] or 1)
    return text[: found.start()], Mark(found["key"], part, of, found["extra"] or "")


def entries(text: str, key: str) -> list[str]:
    """Return a text as the entries it takes, each with its mark; put together, they are the text again."""
    room = LONGEST - len(marked("", Mark(key, 9999, 9999)))
    parts = _split(text, room)
    return [marked(part, Mark(key, number, len(parts))) for number, part in enumerate(parts, 1)]


def _split(text: str, room: int) -> list[str]:
    parts = []
    while len(text) > room:
        end = _good_end(text, room)
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]


def _good_end(text: str, room: int) -> int:
    """Where to cut: after a paragraph, a line or a word of the second half, else wherever the room ends."""
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, room // 2, room)
        if found >= 0:
            return found + len(mark)
    return room


@dataclass(frozen=True)
class Said:
    """A comment, put together: its first row, its whole text, and its key if it is ours."""

    row: Row
    text: str
    key: str | None


def together(rows: Iterable[Row], user_name: str) -> list[Said]:
    """Return the comments that entries make, in the order in which they begin.

    Only what `user_name` (we) wrote can bear a mark of ours. One whose parts are not all there is left out: it is
    still being written, and writing it again goes on where it ended.
    """
    said: list[Said | _Parts] = []
    open_parts: dict[tuple[str, str], _Parts] = {}
    for row in rows:
        text, mark = unmarked(row["value"]) if row["sys_created_by"] == user_name else (row["value"], None)
        if mark is None or mark.of == 1:
            said.append(Said(row, text, mark.key if mark else None))
            continue
        place = (row["element"], mark.key)
        if place not in open_parts:
            open_parts[place] = _Parts(mark.key, mark.of, {})
            said.append(open_parts[place])
        open_parts[place].found.setdefault(mark.part, (row, text))
    return [whole for one in said if (whole := one.whole() if isinstance(one, _Parts) else one)]


def parts_found(rows: Sequence[Row], user_name: str, key: str) -> Mapping[int, Row]:
    """Return the rows of ours that bear a key, by which part they are."""
    found: dict[int, Row] = {}
    for row in rows:
        _, mark = unmarked(row["value"])
        if mark and mark.key == key and row["sys_created_by"] == user_name:
            found.setdefault(mark.part, row)
    return found


@dataclass(frozen=True)
class _Parts:
    key: str
    of: int
    found: dict[int, tuple[Row, str]]

    def whole(self) -> Said | None:
        numbers = range(1, self.of + 1)
        if not all(number in self.found for number in numbers):
            return None
        return Said(self.found[1][0], "".join(self.found[number][1] for number in numbers), self.key)
