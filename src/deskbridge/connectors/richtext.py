"""Rich text as a tree, and Markdown read into it: what every notation of a tracker is made from and read into.

The nodes are named as in the Atlassian Document Format. Two texts that mean the same give equal trees.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Node = dict[str, Any]

_MARKS = {"strong": "strong", "em": "em", "s": "strike"}
_NESTING, _DEEPEST = 100, 50
_UNSAFE = re.compile(r'[\x00-\x20\\<>"|\[\]\x7f]')
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return the desk's dialect: CommonMark without HTML, line breaks as they stand, tables and strike-through."""
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _NESTING})
    markdown.enable(["table", "strikethrough"])
    # Addresses are kept as they were written; whoever shows them normalises them
    markdown.normalizeLink = lambda url: url  # type: ignore[method-assign]
    markdown.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    return markdown


def from_markdown(text: str) -> Node:
    """Return the document a Markdown text means; one nested beyond reason stands there as it was written."""
    tokens = parser().parse(text)
    if any(token.level > _DEEPEST for token in tokens):
        return document([code_block(text.replace("\r\n", "\n").replace("\r", "\n"), "")])
    return document(_blocks(SyntaxTreeNode(tokens).children))


def document(content: list[Node]) -> Node:
    return {"type": "doc", "version": 1, "content": content}


def paragraph(content: list[Node]) -> Node:
    return {"type": "paragraph", "content": content}


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> list[Node]:
    return [block for node in nodes for block in _block(node)]


def _block(node: SyntaxTreeNode) -> Iterator[Node]:
    match node.type:
        case "paragraph":
            if content := _inline(node):
                yield paragraph(content)
        case "heading":
            level = int(node.tag.removeprefix("h"))
            yield {"type": "heading", "attrs": {"level": level}, "content": in_one_line([_inline(node)])}
        case "bullet_list" | "ordered_list":
            yield _list(node)
        case "fence" | "code_block":
            yield code_block(node.content.removesuffix("\n"), next(iter(node.info.split()), ""))
        case "blockquote":
            if quoted := _blocks(node.children):
                yield {"type": "blockquote", "content": quoted}
        case "hr":
            yield {"type": "rule"}
        case "table":
            rows = [row for part in node.children for row in part.children]
            yield table([[_inline(cell) for cell in row.children] for row in rows])
        case other:
            raise AssertionError(other)


def _list(node: SyntaxTreeNode) -> Node:
    start = None if node.type == "bullet_list" else int(node.attrs.get("start", 1))
    return items([_blocks(item.children) for item in node.children], start)


def items(held: Sequence[list[Node]], start: int | None) -> Node:
    """Return a list of what its items hold; `start` is its first number, None where it is not numbered."""
    made: Node = {"type": "bulletList" if start is None else "orderedList"}
    made["content"] = [{"type": "listItem", "content": blocks} for blocks in held]
    return made if start in {None, 1} else {**made, "attrs": {"order": start}}


def code_block(text: str, language: str) -> Node:
    """Return a block of code; a language that is no plain name is none."""
    made: Node = {"type": "codeBlock", "content": [{"type": "text", "text": text}] if text else []}
    return {**made, "attrs": {"language": language}} if _LANGUAGE.fullmatch(language) else made


def table(rows: Sequence[Sequence[list[Node]]]) -> Node:
    """Return a table of cells that are lines; the first row is its head, and short rows are filled up."""
    width = max(len(row) for row in rows)
    made = []
    for number, row in enumerate(rows):
        kind = "tableCell" if number else "tableHeader"
        cells = [*row, *([[]] * (width - len(row)))]
        made.append({"type": "tableRow", "content": [{"type": kind, "content": [paragraph(cell)]} for cell in cells]})
    return {"type": "table", "content": made}


def _inline(node: SyntaxTreeNode) -> list[Node]:
    content: list[Node] = []
    for child in node.children:  # one node of type "inline"
        _add_inline(content, child.children, [])
    return trimmed(content)


def _add_inline(content: list[Node], nodes: Sequence[SyntaxTreeNode], marks: list[Node]) -> None:
    for node in nodes:
        if node.type in {"text", "text_special"}:
            add_text(content, node.content, marks)
        elif node.type == "code_inline":
            add_text(content, node.content, marked(marks, {"type": "code"}))
        elif node.type in {"softbreak", "hardbreak"}:
            content.append({"type": "hardBreak"})
        elif node.type == "image":
            content.append(image(node.content, str(node.attrs["src"]), marks))
        elif node.type == "link":
            _add_inline(content, node.children, marked(marks, _link(node)))
        else:
            _add_inline(content, node.children, marked(marks, {"type": _MARKS[node.type]}))


def _link(node: SyntaxTreeNode) -> Node:
    return link(str(node.attrs["href"]), str(node.attrs.get("title", "")))


def link(href: str, title: str = "") -> Node:
    """Return the mark of a link."""
    return {"type": "link", "attrs": {"href": address(href)} | ({"title": title} if title else {})}


def image(text: str, source: str, marks: Sequence[Node] = ()) -> Node:
    """Return a picture that anybody can fetch; `text` stands for it where it is not shown."""
    made: Node = {"type": "image", "attrs": {"alt": text, "src": address(source)}}
    return made | ({"marks": list(marks)} if marks else {})


def address(href: str) -> str:
    """Return an address without what would end it in either notation, encoded."""
    return _UNSAFE.sub(lambda found: quote(found[0]), href)


_ORDER = ("link", "strong", "em", "strike", "code")


def marked(marks: Sequence[Node], mark: Node) -> list[Node]:
    """Return the marks with one more, in one order, each kind once."""
    others = [one for one in marks if one["type"] != mark["type"]]
    return sorted([*others, mark], key=lambda one: _ORDER.index(one["type"]))


def add_text(content: list[Node], text: str, marks: Sequence[Node]) -> None:
    """Append text, joined with the text before it where both are marked alike; an address must lead somewhere."""
    marks = [mark for mark in marks if mark["type"] != "link" or mark["attrs"]["href"]]
    if not text:
        return
    if content and content[-1]["type"] == "text" and content[-1].get("marks", []) == marks:
        content[-1] = {**content[-1], "text": content[-1]["text"] + text}
    else:
        content.append({"type": "text", "text": text} | ({"marks": marks} if marks else {}))


def trimmed(content: list[Node]) -> list[Node]:
    """Inline nodes without the white space and breaks at their ends and around breaks, which no notation keeps."""
    trimmed: list[Node] = []
    for line in lines_of(content):
        if trimmed:
            trimmed.append({"type": "hardBreak"})
        trimmed += _stripped(line)
    while trimmed and trimmed[0]["type"] == "hardBreak":
        del trimmed[0]
    while trimmed and trimmed[-1]["type"] == "hardBreak":
        del trimmed[-1]
    return trimmed


def lines_of(content: Sequence[Node]) -> list[list[Node]]:
    """Return inline content by its lines."""
    lines: list[list[Node]] = [[]]
    for node in content:
        if node["type"] == "hardBreak":
            lines.append([])
        else:
            lines[-1].append(node)
    return lines


def _stripped(line: list[Node]) -> list[Node]:
    line = list(line)
    while line and not _is_code(line[0]) and line[0]["type"] == "text":
        text = line[0]["text"].lstrip()
        line[0] = {**line[0], "text": text}
        if text:
            break
        del line[0]
    while line and not _is_code(line[-1]) and line[-1]["type"] == "text":
        text = line[-1]["text"].rstrip()
        line[-1] = {**line[-1], "text": text}
        if text:
            break
        del line[-1]
    return line


def _is_code(node: Node) -> bool:
    return any(mark["type"] == "code" for mark in node.get("marks", []))


def in_one_line(parts: Iterable[Sequence[Node]], between: str = " ") -> list[Node]:
    """Return inline contents as one line, with `between` from one to the next; a break is a blank."""
    line: list[Node] = []
    for part in parts:
        if line:
            add_text(line, between, [])
        for node in part:
            if node["type"] == "image":
                line.append(node)
            else:
                add_text(line, node.get("text", " "), node.get("marks", []))
    return trimmed(line)


def texts_in(blocks: Iterable[Node]) -> Iterator[list[Node]]:
    """Yield the inline contents of blocks, however deep; the cells of a row of a table are one."""
    for block in blocks:
        if block["type"] in {"paragraph", "heading"}:
            yield block["content"]
        elif block["type"] == "codeBlock":
            yield [{"type": "text", "text": one["text"].replace("\n", " ")} for one in block["content"]]
        elif block["type"] == "tableRow":
            yield in_one_line(texts_in(block["content"]), " | ")
        else:
            yield from texts_in(block.get("content", []))
