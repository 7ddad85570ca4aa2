"""Jira's wiki text (API version 2), read into the document format that version 3 shows."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

Node = dict[str, Any]

_HEADING = re.compile(r"h([1-6])\.\s+(.*)")
_ITEM = re.compile(r"([*#-]{1,6})\s+(.*)")
_FENCE = re.compile(r"\{(code|noformat|quote)(?::([^}\n]*))?\}")
_INLINE = re.compile(
    r"""
    \\(?P<escaped>[*_+\-{}\[\]|!^~?\\])
  | (?P<entity>&\#[0-9]{1,7};)
  | \{\{(?P<code>[^{}\n]+)\}\}
  | \[~(?:accountid:)?(?P<mention>[^\[\]|\n]+)\]
  | \[(?:(?P<label>[^\[\]|\n]+)\|)?(?P<href>(?:https?://|mailto:)[^\[\]|\s]+)(?:\|[\w-]+)?\]
  | (?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])
  | (?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])
  | (?<![\w-])-(?P<strike>[^\s-](?:[^-\n]*[^\s-])?)-(?![\w-])
  | (?<![\w+])\+(?P<underline>[^\s+](?:[^+\n]*[^\s+])?)\+(?![\w+])
    """,
    re.VERBOSE,
)
_ENTITY = re.compile(r"&(?=#[0-9]{1,7};)")
_SPECIAL = re.compile(r"([*_+\-{}\[\]|!\\])")


def to_adf(text: str) -> Node:
    """The document a wiki text means; constructs not listed above stay the characters they are."""
    return {"type": "doc", "version": 1, "content": list(_blocks(text.replace("\r\n", "\n")))}


def escape(text: str) -> str:
    """Plain text so that `to_adf` reads it back as just that."""
    return text if _is_plain(text) else _SPECIAL.sub(r"\\\1", _ENTITY.sub("&#38;", text))


def _is_plain(text: str) -> bool:
    return "\\" not in text and _INLINE.search(text) is None


def _blocks(text: str) -> Iterator[Node]:
    position = 0
    while found := _FENCE.search(text, position):
        close = text.find(f"{{{found[1]}}}", found.end())
        if close < 0:
            break
        yield from _lines(text[position : found.start()])
        yield _fenced(found[1], found[2] or "", text[found.end() : close].strip("\n"))
        position = close + len(found[1]) + 2
    yield from _lines(text[position:])


def _fenced(kind: str, options: str, body: str) -> Node:
    if kind == "quote":
        return {"type": "blockquote", "content": list(_lines(body)) or [_paragraph("")]}
    node: Node = {"type": "codeBlock", "content": [{"type": "text", "text": body}] if body else []}
    language = options.partition("|")[0]
    if language and "=" not in language:
        node["attrs"] = {"language": language}
    return node


def _lines(text: str) -> Iterator[Node]:
    """Blocks that begin with their line: headings, rules, lists, table rows; the rest are paragraphs."""
    waiting: list[str] = []
    kind = ""
    for line in [*text.split("\n"), ""]:
        found = _kind(line)
        if found != kind or found in {"heading", "rule"}:
            yield from _flush(kind, waiting)
            waiting = []
        kind = found
        if found:
            waiting.append(line)


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    if _HEADING.fullmatch(line):
        return "heading"
    if line.strip() == "----":
        return "rule"
    if line.startswith("|"):
        return "table"
    return "list" if _ITEM.fullmatch(line) else "paragraph"


def _flush(kind: str, lines: Sequence[str]) -> Iterator[Node]:
    if not lines:
        return
    if kind == "heading" and (found := _HEADING.fullmatch(lines[0])):
        yield {"type": "heading", "attrs": {"level": int(found[1])}, "content": _inline(found[2])}
    elif kind == "rule":
        yield {"type": "rule"}
    elif kind == "list":
        yield from _lists(lines)
    elif kind == "table":
        yield {"type": "table", "content": [_row(line) for line in lines]}
    else:
        yield _paragraph("\n".join(lines))


def _paragraph(text: str) -> Node:
    content: list[Node] = []
    for number, line in enumerate(text.split("\n") if text else []):
        if number:
            content.append({"type": "hardBreak"})
        content += _inline(line)
    return {"type": "paragraph", "content": content}


def _lists(lines: Sequence[str]) -> list[Node]:
    """Nested lists from lines such as `* one`, `** two`, `*# three`."""
    roots: list[Node] = []
    open_lists: list[Node] = []
    for line in lines:
        found = _ITEM.fullmatch(line)
        if found is None:
            continue
        depth, kind = len(found[1]), "orderedList" if found[1][-1] == "#" else "bulletList"
        del open_lists[depth:]
        if len(open_lists) == depth and open_lists[-1]["type"] != kind:
            open_lists.pop()
        while len(open_lists) < depth:
            _open_list(roots, open_lists, kind)
        open_lists[-1]["content"].append({"type": "listItem", "content": [_paragraph(found[2])]})
    return roots


def _open_list(roots: list[Node], open_lists: list[Node], kind: str) -> None:
    fresh: Node = {"type": kind, "content": []}
    if not open_lists:
        roots.append(fresh)
    else:
        parent = open_lists[-1]["content"]
        if not parent:
            parent.append({"type": "listItem", "content": [_paragraph("")]})
        parent[-1]["content"].append(fresh)
    open_lists.append(fresh)


def _row(line: str) -> Node:
    kind = "tableHeader" if line.startswith("||") else "tableCell"
    cells = line.strip().strip("|").split("||" if kind == "tableHeader" else "|")
    return {"type": "tableRow", "content": [{"type": kind, "content": [_paragraph(cell.strip())]} for cell in cells]}


def _inline(text: str, marks: tuple[Node, ...] = ()) -> list[Node]:
    nodes: list[Node] = []
    position = 0
    for found in _INLINE.finditer(text):
        _add_text(nodes, text[position : found.start()], marks)
        _add_markup(nodes, found, marks)
        position = found.end()
    _add_text(nodes, text[position:], marks)
    return nodes


def _add_markup(nodes: list[Node], found: re.Match[str], marks: tuple[Node, ...]) -> None:
    group = found.lastgroup or ""
    if group in {"escaped", "entity"}:
        _add_text(nodes, found["escaped"] or unescape(found["entity"]), marks)
    elif group == "code":
        _add_text(nodes, found["code"], ({"type": "code"},))
    elif group == "mention":
        nodes.append({"type": "mention", "attrs": {"id": found["mention"]}})
    elif group == "href":
        link = {"type": "link", "attrs": {"href": found["href"]}}
        nodes += _inline(found["label"] or found["href"], (*marks, link))
    else:
        nodes += _inline(found[group], (*marks, {"type": group}))


def _add_text(nodes: list[Node], text: str, marks: tuple[Node, ...]) -> None:
    if not text:
        return
    if nodes and nodes[-1]["type"] == "text" and nodes[-1].get("marks", []) == list(marks):
        nodes[-1]["text"] += text
    else:
        nodes.append({"type": "text", "text": text} | ({"marks": list(marks)} if marks else {}))
