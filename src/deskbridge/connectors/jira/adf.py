"""Rich text as the Atlassian Document Format takes it: text in lists and quotations, and nothing beside code."""

from collections.abc import Iterable, Iterator

from deskbridge.connectors import richtext
from deskbridge.connectors.richtext import (
    Node,
    add_text,
    document,
    link,
    marked,
    paragraph,
    texts_in,
    trimmed,
)

_TEXT_BLOCKS = {"paragraph", "bulletList", "orderedList", "codeBlock"}


def from_markdown(text: str) -> Node:
    """Return the document a Markdown text means."""
    return fitting(richtext.from_markdown(text))


def fitting(tree: Node) -> Node:
    """Return a tree as the format takes it; what has no place there keeps its words."""
    return document(list(_blocks(tree["content"])))


def _blocks(blocks: Iterable[Node]) -> Iterator[Node]:
    for block in blocks:
        match block["type"]:
            case "paragraph":
                if content := _inline(block["content"]):
                    yield paragraph(content)
            case "heading":
                yield {**block, "content": _inline(block["content"])}
            case "bulletList" | "orderedList":
                yield {**block, "content": [_item(item) for item in block["content"]]}
            case "blockquote":
                if quoted := list(_text_blocks(block["content"])):
                    yield {**block, "content": quoted}
            case "table":
                yield {**block, "content": [_row(row) for row in block["content"]]}
            case _:
                yield block


def _item(item: Node) -> Node:
    content = list(_text_blocks(item["content"]))
    if not content or content[0]["type"] not in {"paragraph", "codeBlock"}:
        content.insert(0, paragraph([]))
    return {**item, "content": content}


def _text_blocks(blocks: Iterable[Node]) -> Iterator[Node]:
    """What may stand in a list item or a quotation; the rest keeps its words."""
    for block in _blocks(blocks):
        if block["type"] in _TEXT_BLOCKS:
            yield block
        elif block["type"] == "blockquote":
            yield from block["content"]
        else:
            yield from (paragraph(line) for line in texts_in([block]) if line)


def _row(row: Node) -> Node:
    cells = [{**cell, "content": [paragraph(_inline(cell["content"][0]["content"]))]} for cell in row["content"]]
    return {**row, "content": cells}


def _inline(nodes: Iterable[Node]) -> list[Node]:
    """A picture is a link to it, and with code stands nothing but a link."""
    content: list[Node] = []
    for node in nodes:
        marks = node.get("marks", [])
        if node["type"] == "image":
            attrs = node["attrs"]
            add_text(content, attrs["alt"] or attrs["src"], marked(marks, link(attrs["src"])))
        elif node["type"] == "text" and {"type": "code"} in marks:
            add_text(content, node["text"], [mark for mark in marks if mark["type"] in {"link", "code"}])
        elif node["type"] == "text":
            add_text(content, node["text"], marks)
        else:
            content.append(node)
    return trimmed(content)
