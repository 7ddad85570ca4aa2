"""Lines of marked text in a notation of signs, which Markdown and wiki text both are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deskbridge.connectors.richtext import Node, add_text, image

EMPHASIS = ("strong", "em", "strike")


@dataclass(frozen=True)
class Notation:
    """How to write the words of a node, the signs around emphasis, and what stands before and after a link's words."""

    said: Callable[[Node], str]
    signs: dict[str, str]
    link: Callable[[Node], tuple[str, str]]

    def opening(self, mark: Node) -> str:
        return self.link(mark)[0] if mark["type"] == "link" else self.signs[mark["type"]]

    def closing(self, mark: Node) -> str:
        return self.link(mark)[1] if mark["type"] == "link" else self.signs[mark["type"]]


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
        parts.append(notation.said(node))
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
        marks = [mark for mark in node.get("marks", []) if mark["type"] not in kinds]
        if node["type"] == "text":
            add_text(plain, node["text"], marks)
        elif node["type"] == "image":
            plain.append(image(node["attrs"]["alt"], node["attrs"]["src"], marks))
        else:
            plain.append(node)
    return plain
