"""Long Markdown cut into pieces a tracker will take, without losing a character or breaking a block of code."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def pieces(text: str, limit: int) -> list[str]:
    """Return pieces of at most `limit` characters (200 or more), cut between lines where there are any.

    A block of code that is cut is closed in one piece and opened again in the next.
    """
    if len(text) <= limit:
        return [text]
    made: list[str] = []
    lines: list[str] = []
    length, fence = 0, ""
    for line in _short_lines(text, limit - 160):
        if lines and length + len(line) + 80 > limit:
            made.append("\n".join([*lines, _closing(fence)] if fence else lines))
            lines = [fence] if fence else []
            length = sum(len(one) + 1 for one in lines)
        lines.append(line)
        length += len(line) + 1
        fence = _after(fence, line)
    return [*made, "\n".join(lines)]


def _short_lines(text: str, limit: int) -> Iterator[str]:
    for line in text.split("\n"):
        rest = line
        while len(rest) > limit:
            cut = rest.rfind(" ", 1, limit) + 1 or limit
            yield rest[:cut]
            rest = rest[cut:]
        yield rest


def _after(fence: str, line: str) -> str:
    """The line that opened the block of code which is still open after this line; empty outside of one."""
    found = _FENCE.fullmatch(line)
    if not fence:
        return line if found and len(line) <= 70 and not (found[1][0] == "`" and "`" in found[2]) else ""
    sign = _closing(fence)
    closes = found and not found[2].strip() and found[1][0] == sign[0] and len(found[1]) >= len(sign)
    return "" if closes else fence


def _closing(fence: str) -> str:
    found = _FENCE.fullmatch(fence)
    return found[1] if found else ""
