"""Which function answers a method and path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Match(Generic[Target]):
    target: Target
    params: dict[str, str]


class Routes(Generic[Target]):
    """A table of (method, pattern, target). `{name}` in a pattern is one path segment, `{name*}` is the rest."""

    def __init__(self, rows: Iterable[tuple[str, str, Target]]) -> None:
        self._rows = [(method, _compile(pattern), target) for method, pattern, target in rows]

    def match(self, method: str, path: str) -> Match[Target] | None:
        """The first row that fits, with its segments percent-decoded; None when the path or method fits none."""
        for row_method, pattern, target in self._rows:
            if row_method == method and (found := pattern.fullmatch(path)):
                return Match(target, {name: unquote(value) for name, value in found.groupdict().items()})
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that exist at this path: none is a 404, others than the one asked for a 405."""
        return sorted({method for method, pattern, _ in self._rows if pattern.fullmatch(path)})


def _compile(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\*?\})", pattern)
    return re.compile("".join(_segment(part) for part in parts))


def _segment(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part[1:-1]
    return f"(?P<{name[:-1]}>.*)" if name.endswith("*") else f"(?P<{name}>[^/]+)"
