"""The way back: rich text written as Markdown.

What is written is read again at once: as few characters are escaped as make it mean the same, and what cannot be said
at all (emphasis that ends inside a word, for instance) loses its emphasis rather than its words.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deskbridge.connectors.marked import EMPHASIS, Notation, without, write_line
from deskbridge.connectors.richtext import Node, document, from_markdown, lines_of, link, paragraph

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&!])")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINE_START = re.compile(r"(?m)^([ \t]*)(?:(#{1,6}|[-+>=|:])|([0-9]{1,9})([.)]))")
_RULE = re.compile(r"(?m)^[-*_ ]+$")  # after the sign of a list item, two of these are already a rule
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*")
_SIGNS = {"strong": "**", "strike": "~~"}


def to_markdown(tree: Node, meant: Callable[[str], Node] = from_markdown) -> tuple[str, bool]:
    """Return a tree as Markdown, and whether that is less than it holds; `meant` reads as the tracker would."""
    text = _written(tree)
    read = meant(text)
    return (text, False) if read == tree else (_written(read), True)


def _written(tree: Node) -> str:
    return "\n\n".join(_blocks(tree["content"]))


def _blocks(nodes: Sequence[Node], marker: str = "", *, is_inner: bool = False) -> list[str]:
    """Blocks as text; `marker` is that of the list item these begin, so that two signs never make a rule."""
    written: list[str] = []
    before: Node | None = None
    used = marker
    for node in nodes:
        if node["type"] in {"bulletList", "orderedList"}:
            is_next = before is not None and before["type"] == node["type"]
            used = _marker(node, used if is_next or before is None else "")
            written.append(_list(node, used))
        else:
            written.append(_block(node, is_inner=is_inner))
        before = node
    return written


def _block(node: Node, *, is_inner: bool) -> str:
    content = node.get("content", [])
    match node["type"]:
        case "paragraph":
            return _first_that_means(content, _as_paragraph, lambda text: text)
        case "heading":
            sign = "#" * node["attrs"]["level"]
            meant = {"type": "heading", "attrs": node["attrs"]}
            return _first_that_means(
                content, lambda inline: [{**meant, "content": inline}], lambda text: f"{sign} {text}".strip()
            )
        case "codeBlock":
            return _fenced("".join(one["text"] for one in content), node.get("attrs", {}).get("language", ""))
        case "blockquote":
            return _prefixed("\n\n".join(_blocks(content, is_inner=True)), "> ", "> ")
        case "table":
            return "\n".join(_table(content))
        case _:
            return "___" if is_inner else "---"  # after the sign of an item, the other one makes a rule of both


def _as_paragraph(inline: list[Node]) -> list[Node]:
    return [paragraph(inline)] if inline else []


def _marker(node: Node, taken: str) -> str:
    """A list's sign, unlike that of the list before it, with which it would be one."""
    if node["type"] == "bulletList":
        return "+" if taken == "-" else "-"
    return ")" if taken == "." else "."


def _list(node: Node, marker: str) -> str:
    number = node.get("attrs", {}).get("order", 1)
    lines: list[str] = []
    items = node["content"]
    is_tight = all(_is_tight(item) for item in items)
    for item in items:
        sign = marker if node["type"] == "bulletList" else f"{number}{marker}"
        lines.append(_item(item, sign, marker, "\n" if is_tight else "\n\n"))
        number = min(number + 1, 999_999_999)
    return ("\n" if is_tight else "\n\n").join(lines)


def _is_tight(item: Node) -> bool:
    if not item["content"]:
        return True
    first, *rest = item["content"]
    return first["type"] == "paragraph" and all(_may_follow_a_line(block) for block in rest)


def _may_follow_a_line(block: Node) -> bool:
    """A list right after a line of text is one only when it starts at 1 and with something."""
    if block["type"] not in {"bulletList", "orderedList"} or block.get("attrs", {}).get("order", 1) != 1:
        return False
    start = block["content"][0]["content"][:1]
    return bool(start) and start[0]["type"] == "paragraph" and bool(start[0]["content"])


def _item(item: Node, sign: str, marker: str, between: str) -> str:
    blocks = item["content"]
    if blocks[:1] == [paragraph([])]:
        blocks = blocks[1:]
    text = between.join(_blocks(blocks, marker, is_inner=True))
    return _prefixed(text, f"{sign} ", " " * (len(sign) + 1)) if text else sign


def _prefixed(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join((rest if number else first) + line if line else rest.rstrip() for number, line in enumerate(lines))


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}" if text else f"{fence}{language}\n{fence}"


def _table(rows: Sequence[Node]) -> Iterator[str]:
    for number, row in enumerate(rows):
        cells = [_cell(cell["content"][0]["content"]) for cell in row["content"]]
        yield f"| {' | '.join(cells)} |"
        if not number:
            yield f"| {' | '.join(['---'] * len(cells))} |"


def _cell(inline: list[Node]) -> str:
    def meant(content: list[Node]) -> list[Node]:
        head = {"type": "tableHeader", "content": [paragraph(content)]}
        return [{"type": "table", "content": [{"type": "tableRow", "content": [head]}]}]

    text = _first_that_means(inline, meant, lambda text: f"| {_barred(text)} |\n| --- |")
    return text.split("\n")[0][2:-2]


def _barred(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


# Inline

Escape = Callable[[str], str]


def _first_that_means(
    inline: list[Node], meant: Callable[[list[Node]], list[Node]], shown: Callable[[str], str]
) -> str:
    """The plainest way to write `inline`, within what `shown` puts around it, that is read back as just that."""
    for content in (inline, without(inline, EMPHASIS), without(inline, (*EMPHASIS, "link"))):
        for escape, em in ((_as_it_is, "*"), (_some, "*"), (_some, "_"), (_all, "*"), (_all, "_")):
            text = shown(_line_starts(_inline(content, escape, em), escape))
            if from_markdown(text) == document(meant(content)) and not _RULE.search(text):
                return text
    return text


def _as_it_is(text: str) -> str:
    return text


def _some(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _all(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", text)


def _line_starts(text: str, escape: Escape) -> str:
    """What would begin another block at the beginning of a line."""
    if escape is not _some:
        return text

    def escaped(found: re.Match[str]) -> str:
        space, sign, number, point = found.groups()
        return f"{space}\\{sign}" if sign else f"{space}{number}\\{point}"

    return _LINE_START.sub(escaped, text)


def _inline(content: list[Node], escape: Escape, em: str) -> str:
    notation = Notation(lambda node: _said(node, escape), {**_SIGNS, "em": em}, _around_link)
    lines = [write_line(_with_addresses(line), notation) for line in lines_of(content)]
    return "\n".join(line or ("\\" if number else "") for number, line in enumerate(lines))


def _with_addresses(line: list[Node]) -> list[Node]:
    """A link that shows its own address is that address, in angles."""
    return [_address(node) or node for node in line]


def _address(node: Node) -> Node | None:
    marks, text = node.get("marks", []), node.get("text", "")
    if link(text) not in marks or {"type": "code"} in marks or not _ADDRESS.fullmatch(text):
        return None
    return {"type": "address", "text": text, "marks": [mark for mark in marks if mark["type"] != "link"]}


def _said(node: Node, escape: Escape) -> str:
    if node["type"] == "image":
        return f"![{_all(node['attrs']['alt'])}]({_target({'href': node['attrs']['src']})})"
    if node["type"] == "address":
        return f"<{node['text']}>"
    return _code_span(node["text"]) if {"type": "code"} in node.get("marks", []) else escape(node["text"])


def _around_link(mark: Node) -> tuple[str, str]:
    return "[", f"]({_target(mark['attrs'])})"


def _target(attrs: dict[str, Any]) -> str:
    href = attrs["href"].replace("&", "&amp;") if re.search(r"&#?\w+;", attrs["href"]) else attrs["href"]
    if re.search(r"[()]", href):
        href = f"<{href}>"
    title = attrs.get("title")
    return f'{href} "{_all(title)}"' if title else href


def _code_span(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(text) + 2) if length not in runs)
    pads = text.startswith("`") or text.endswith("`") or (text[0] == " " == text[-1] and text.strip(" "))
    space = " " if pads else ""
    return f"{fence}{space}{text}{space}{fence}"
