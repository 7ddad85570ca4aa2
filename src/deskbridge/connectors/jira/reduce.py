"""Any Atlassian document reduced to what Markdown can say, with a note of whether something was lost on the way."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from deskbridge.connectors.richtext import (
    Node,
    add_text,
    code_block,
    document,
    in_one_line,
    items,
    link,
    paragraph,
    parser,
    table,
    texts_in,
    trimmed,
)

_KEPT_MARKS = ("link", "strong", "em", "strike", "code")
_EMPHASIS = ("strong", "em", "strike")
_MOST_ORDER = 999_999_999


class Reduction:
    """One document's way to the subset that `from_markdown` makes; `is_lossy` tells what became of it."""

    def __init__(self) -> None:
        self.is_lossy = False

    def document(self, source: Mapping[str, Any]) -> Node:
        return document(self._blocks(source.get("content", [])))

    def _blocks(self, nodes: Sequence[Mapping[str, Any]]) -> list[Node]:
        return [block for node in nodes for block in self._block(node)]

    def _block(self, node: Mapping[str, Any]) -> Iterator[Node]:
        kind, content, attrs = node.get("type"), node.get("content", []), node.get("attrs", {})
        if node.get("marks"):
            self.is_lossy = True
        match kind:
            case "paragraph":
                if inline := self._inline(content):
                    yield paragraph(inline)
            case "heading":
                yield {"type": "heading", "attrs": {"level": attrs["level"]}, "content": self._line(content)}
            case "bulletList" | "orderedList" if content:
                yield self._list(kind, content, attrs)
            case "codeBlock":
                yield _code(content, attrs)
            case "blockquote":
                if quoted := self._blocks(content):
                    yield {"type": "blockquote", "content": quoted}
            case "rule":
                yield {"type": "rule"}
            case "table" if content:
                yield self._table(content)
            case _:
                self.is_lossy = True
                yield from self._foreign(str(kind), node)

    def _list(self, kind: str, given: Sequence[Mapping[str, Any]], attrs: Mapping[str, Any]) -> Node:
        held = [self._item(item) for item in given]
        order = attrs.get("order", 1)
        if kind == "bulletList":
            return items(held, None)
        is_number = isinstance(order, int) and 0 <= order <= _MOST_ORDER
        self.is_lossy = self.is_lossy or not is_number
        return items(held, order if is_number else 1)

    def _item(self, item: Mapping[str, Any]) -> list[Node]:
        content = self._blocks(item.get("content", []))
        if not content or content[0]["type"] in {"bulletList", "orderedList"}:
            content.insert(0, paragraph([]))
        return content

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> Node:
        """Markdown's tables have one head row, and cells of one line."""
        cells = [[self._cell(cell) for cell in row.get("content", [])] for row in rows]
        kinds = [{cell.get("type") for cell in row.get("content", [])} for row in rows]
        width = max(1, *(len(row) for row in cells))
        if kinds[0] != {"tableHeader"} or any("tableHeader" in kind for kind in kinds[1:]):
            self.is_lossy = True
        if any(len(row) != width for row in cells):
            self.is_lossy = True
        return table(cells)

    def _cell(self, cell: Mapping[str, Any]) -> list[Node]:
        blocks = self._blocks(cell.get("content", []))
        if cell.get("attrs", {}).get("colspan", 1) != 1 or cell.get("attrs", {}).get("rowspan", 1) != 1:
            self.is_lossy = True
        if [block["type"] for block in blocks] not in (["paragraph"], []):
            self.is_lossy = True
        return in_one_line(self._line(text) for text in texts_in(blocks))

    def _foreign(self, kind: str, node: Mapping[str, Any]) -> Iterator[Node]:
        """Blocks that Markdown has no word for, by the words in them."""
        content, attrs = node.get("content", []), node.get("attrs", {})
        if kind == "panel":
            yield from self._block({"type": "blockquote", "content": content})
        elif kind in {"expand", "nestedExpand"}:
            if title := attrs.get("title"):
                yield paragraph([{"type": "text", "text": str(title), "marks": [{"type": "strong"}]}])
            yield from self._blocks(content)
        elif kind in {"taskList", "decisionList"}:
            if content:
                yield {"type": "bulletList", "content": list(self._tasks(content))}
        elif kind in {"mediaSingle", "mediaGroup"}:
            for media in content:
                if media.get("type") == "caption":
                    yield from self._block({"type": "paragraph", "content": media.get("content", [])})
                else:
                    yield paragraph([{"type": "text", "text": _media(media)}])
        elif kind in {"blockCard", "embedCard"}:
            yield from self._block({"type": "paragraph", "content": [{"type": "inlineCard", "attrs": attrs}]})
        elif content and content[0].get("type") in {"text", "mention", "emoji"}:
            yield paragraph(self._inline(content))
        else:
            yield from self._blocks(content)

    def _tasks(self, items: Sequence[Mapping[str, Any]]) -> Iterator[Node]:
        for item in items:
            if item.get("type") in {"taskList", "decisionList"}:
                yield {"type": "listItem", "content": [paragraph([]), *self._block(item)]}
                continue
            boxes = {"TODO": "[ ] ", "DONE": "[x] "}
            box = boxes.get(str(item.get("attrs", {}).get("state")), "")
            inline = [{"type": "text", "text": box or " "}, *item.get("content", [])]
            yield {"type": "listItem", "content": [paragraph(self._inline(inline))]}

    # Inline

    def _line(self, nodes: Sequence[Mapping[str, Any]]) -> list[Node]:
        """Inline content where no line may end."""
        content = self._inline(nodes)
        self.is_lossy = self.is_lossy or {"type": "hardBreak"} in content
        return in_one_line([content])

    def _inline(self, nodes: Sequence[Mapping[str, Any]]) -> list[Node]:
        content: list[Node] = []
        for node in nodes:
            self._add(content, node)
        for kind in _EMPHASIS:
            content = _tightened(content, kind)
        return trimmed(_merged(content))

    def _add(self, content: list[Node], node: Mapping[str, Any]) -> None:
        attrs = node.get("attrs", {})
        match node.get("type"):
            case "text":
                self._add_lines(content, str(node["text"]), self._marks(node.get("marks", [])))
                return
            case "hardBreak":
                content.append({"type": "hardBreak"})
                return
            case "emoji" if attrs.get("text") and not str(attrs["text"]).startswith(":"):
                add_text(content, str(attrs["text"]), [])
                return
            case "inlineCard" if parser().validateLink(str(attrs.get("url", "-"))):
                add_text(content, str(attrs.get("url", "")), [link(str(attrs.get("url", "")))])
            case "date":
                add_text(content, _date(attrs.get("timestamp")), [])
            case "mention":
                name = str(attrs.get("text") or attrs.get("id", ""))
                add_text(content, name if name.startswith("@") else f"@{name}", [])
            case "media" | "mediaInline":
                add_text(content, _media(node), [])
            case _:
                add_text(content, str(attrs.get("text") or attrs.get("shortName") or ""), [])
                for child in node.get("content", []):
                    self._add(content, child)
        self.is_lossy = True

    def _add_lines(self, content: list[Node], text: str, marks: list[Node]) -> None:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        is_code = any(mark["type"] == "code" for mark in marks)
        for number, line in enumerate([text.replace("\n", " ")] if is_code else text.split("\n")):
            if number:
                content.append({"type": "hardBreak"})
            add_text(content, line, marks)

    def _marks(self, given: Sequence[Mapping[str, Any]]) -> list[Node]:
        kept: dict[str, Node] = {}
        for mark in given:
            kind = mark.get("type")
            if kind == "link" and (leads := _link(mark.get("attrs", {}))):
                kept[kind] = leads
            elif kind in _KEPT_MARKS and kind != "link":
                kept[kind] = {"type": kind}
            else:
                self.is_lossy = True
        if "code" in kept and set(kept) - {"code", "link"}:
            self.is_lossy = True
            kept = {kind: mark for kind, mark in kept.items() if kind in {"code", "link"}}
        return [kept[kind] for kind in _KEPT_MARKS if kind in kept]


def _code(content: Sequence[Mapping[str, Any]], attrs: Mapping[str, Any]) -> Node:
    text = "".join(str(node.get("text", "")) for node in content)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return code_block(text, str(attrs.get("language") or ""))


def _link(attrs: Mapping[str, Any]) -> Node | None:
    """A link that leads somewhere; None for none, and for an address that could run something."""
    href = str(attrs.get("href") or "")
    if not href or not parser().validateLink(href):
        return None
    return link(href, " ".join(str(attrs.get("title") or "").split()))


def _date(timestamp: object) -> str:
    try:
        return datetime.fromtimestamp(int(str(timestamp)) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(timestamp)


def _media(node: Mapping[str, Any]) -> str:
    attrs = node.get("attrs", {})
    return str(attrs.get("alt") or attrs.get("url") or "attachment")


def _tightened(content: list[Node], kind: str) -> list[Node]:
    """White space at the ends of an emphasised run belongs outside of it."""
    tight: list[Node] = []
    for number, node in enumerate(content):
        if not _has(node, kind):
            tight.append(node)
            continue
        text = node["text"]
        starts = number == 0 or not _has(content[number - 1], kind)
        ends = number + 1 == len(content) or not _has(content[number + 1], kind)
        start = len(text) - len(text.lstrip()) if starts else 0
        end = len(text.rstrip()) if ends else len(text)
        rest = [mark for mark in node["marks"] if mark["type"] != kind]
        add_text(tight, text[:start], rest)
        add_text(tight, text[start:end], node["marks"])
        add_text(tight, text[max(start, end) :], rest)
    return tight if tight == content else _tightened(tight, kind)


def _merged(content: list[Node]) -> list[Node]:
    merged: list[Node] = []
    for node in content:
        if node["type"] == "text":
            add_text(merged, node["text"], node.get("marks", []))
        else:
            merged.append(node)
    return merged


def _has(node: Node, kind: str) -> bool:
    return any(mark["type"] == kind for mark in node.get("marks", []))
