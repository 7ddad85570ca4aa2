"""Lines of marked text in a notation of signs, which Markdown and wiki text both are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deskbridge.connectors.jira.adf import Node

EMPHASIS = ("strong", "em", "strike")


@dataclass(frozen=True)
class Notation:
    """How to write text, code, the signs around emphasis, and what stands before and after a link's words."""

    escape: Callable[[str], str]
    code: Callable[[str], str]
    signs: dict[str, str]
    link: Callable[[Node], tuple[str, str]]

    def opening(self, mark: Node) -> str:
        return self.link(mark)[0] if mark["type"] == "link" else self.signs[mark["type"]]

    def closing(self, mark: Node) -> str:
        return self.link(mark)[1] if mark["type"] == "link" else self.signs[mark["type"]]


def lines_of(content: Sequence[Node]) -> list[list[Node]]:
    """Return inline content by its lines."""
    lines: list[list[Node]] = [[]]
    for node in content:
        if node["type"] == "hardBreak":
            lines.append([])
        else:
            lines[-1].append(node)
    return lines


def write_line(nodes: Sequence[Node], notation: Notation) -> str:
    """Write one line; marks are opened and closed so that they nest."""
    parts: list[str] = []
    opened: list[Node] = []
    for number, node in enumerate(nodes):
        wanted = _nested(node, nodes[number:], opened)
        kept = 0
        while kept < min(len(opened), len(wanted)) and opened[kept] == wanted[kept]:
            kept += 1
        parts += [notation.closing(mark) for mark in reversed(opened[kept:])]
        parts += [notation.opening(mark) for mark in wanted[kept:]]
        opened = wanted
        is_code = {"type": "code"} in node.get("marks", [])
        parts.append(notation.code(node["text"]) if is_code else notation.escape(node["text"]))
    parts += [notation.closing(mark) for mark in reversed(opened)]
    return "".join(parts)


def _nested(node: Node, following: Sequence[Node], opened: Sequence[Node]) -> list[Node]:
    """The marks of a text from the outside in: those that are open, then those that stay open longest."""
    wanted = [mark for mark in node.get("marks", []) if mark["type"] != "code"]
    first = [mark for mark in opened if mark in wanted]
    rest = [mark for mark in wanted if mark not in first]

    def reach(mark: Node) -> int:
        return next((n for n, one in enumerate(following) if mark not in one.get("marks", [])), len(following))

    return [*first, *sorted(rest, key=reach, reverse=True)]


def without(content: Sequence[Node], kinds: Sequence[str]) -> list[Node]:
    """Return inline content without some marks, texts joined where nothing tells them apart any more."""
    plain: list[Node] = []
    for node in content:
        if node["type"] != "text":
            plain.append(node)
            continue
        marks = [mark for mark in node.get("marks", []) if mark["type"] not in kinds]
        if plain and plain[-1]["type"] == "text" and plain[-1].get("marks", []) == marks:
            plain[-1] = {**plain[-1], "text": plain[-1]["text"] + node["text"]}
        else:
            plain.append({"type": "text", "text": node["text"]} | ({"marks": marks} if marks else {}))
    return plain
