"""Jira's wiki text (Server and Data Center), read into a document."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from deskbridge.connectors.richtext import (
    Node,
    add_text,
    code_block,
    document,
    in_one_line,
    link,
    marked,
    paragraph,
    table,
    trimmed,
)

FENCE = re.compile(r"(?<!\{)\{(code|noformat|quote|panel)(?::([^}\n]*))?\}(?!\})")
_HEADING = re.compile(r"h([1-6])\.(?: +(.*))?")
_ITEM = re.compile(r"([*#-]{1,30}) +(.*)")
_INLINE = re.compile(
    r"""
    \\(?P<escaped>[*_+\-{}\[\]|!^~?])
  | (?P<entity>&\#[0-9]{1,7};)
  | (?P<newline>\\\\\ ?)
  | \{\{(?P<code>[^\n]+?)\}\}(?!\})
  | \[~(?:accountid:)?(?P<mention>[^\[\]|\n]+)\]
  | \[(?:(?P<label>[^\[\]|\n]+)\|)?(?P<href>[a-z][a-z0-9+.-]*:[^\[\]|\s]+)(?:\|(?P<kind>[\w-]+))?\]
  | !(?P<image>[^\s!|][^!|\n]*)(?:\|[^!\n]*)?!
  | \{color(?::(?P<color>[^}\n]*))?\}
  | (?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])
  | (?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])
  | (?<![\w-])-(?P<strike>[^\s-](?:[^-\n]*[^\s-])?)-(?![\w-])
  | (?<![\w+])\+(?P<underline>[^\s+](?:[^+\n]*[^\s+])?)\+(?![\w+])
  | (?<!\w)\^(?P<sup>[^\s^](?:[^^\n]*[^\s^])?)\^(?!\w)
  | (?<!\w)~(?P<sub>[^\s~](?:[^~\n]*[^\s~])?)~(?!\w)
  | \?\?(?P<cite>[^\s?](?:[^?\n]*[^\s?])?)\?\?
    """,
    re.VERBOSE,
)
_SPECIAL = re.compile(r"([*_+\-{}!^~?])|([\\\[\]|])")
_ENTITY = re.compile(r"&(?=#[0-9]{1,7};)")
_BAR = re.compile(r"(?<!\\)\|(?![^\[\]]*\])")
_HEAD_BAR = re.compile(r"(?<!\\)\|\|(?![^\[\]]*\])")


def escape(text: str) -> str:
    """Return a text that is read as just that, whatever signs are in it.

    What also parts the cells of a table, or is a line break when doubled, is written by its number.
    """
    return _SPECIAL.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"&#{ord(found[2])};", _ENTITY.sub("&#38;", text)
    )


class Reader:
    """One text's reading; `is_lossy` tells whether it held what the document does not."""

    def __init__(self) -> None:
        self.is_lossy = False

    def document(self, text: str) -> Node:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        return document(list(self._blocks(text)))

    def _blocks(self, text: str) -> Iterator[Node]:
        position = 0
        while found := FENCE.search(text, position):
            close = text.find(f"{{{found[1]}}}", found.end())
            if close < 0:
                break
            yield from self._lines(text[position : found.start()])
            yield from self._fenced(found[1], found[2] or "", text[found.end() : close])
            position = close + len(found[1]) + 2
        yield from self._lines(text[position:])

    def _fenced(self, kind: str, options: str, body: str) -> Iterator[Node]:
        if kind in {"code", "noformat"}:
            language = options.partition("|")[0]
            yield code_block(body.removeprefix("\n").removesuffix("\n"), language if "=" not in language else "")
            return
        self.is_lossy = self.is_lossy or kind == "panel"
        blocks = list(self._lines(body))
        fitting = [block for block in blocks if block["type"] in {"paragraph", "bulletList", "orderedList"}]
        self.is_lossy = self.is_lossy or fitting != blocks
        if fitting:
            yield {"type": "blockquote", "content": fitting}

    def _lines(self, text: str) -> Iterator[Node]:
        waiting: list[str] = []
        kind = ""
        for line in [*text.split("\n"), ""]:
            found = _kind(line)
            if found != kind or found in {"heading", "rule", "quote"}:
                yield from self._flush(kind, waiting)
                waiting = []
            kind = found
            if found:
                waiting.append(line)

    def _flush(self, kind: str, lines: Sequence[str]) -> Iterator[Node]:
        if not lines:
            return
        if kind == "heading" and (found := _HEADING.fullmatch(lines[0])):
            yield {"type": "heading", "attrs": {"level": int(found[1])}, "content": self._line(found[2] or "")}
        elif kind == "rule":
            yield {"type": "rule"}
        elif kind == "quote":
            yield {"type": "blockquote", "content": [paragraph(self._line(lines[0][4:]))]}
        elif kind == "list":
            yield from self._lists(lines)
        elif kind == "table":
            yield self._table(lines)
        elif content := self._paragraph("\n".join(lines)):
            yield paragraph(content)

    def _lists(self, lines: Sequence[str]) -> list[Node]:
        """Nested lists from lines such as `* one`, `** two`, `*# three`."""
        roots: list[Node] = []
        opened: list[Node] = []
        for line in lines:
            found = _ITEM.fullmatch(line)
            if found is None:
                continue
            depth, kind = len(found[1]), "orderedList" if found[1][-1] == "#" else "bulletList"
            del opened[depth:]
            if len(opened) == depth and opened[-1]["type"] != kind:
                opened.pop()
            while len(opened) < depth:
                _open_list(roots, opened, kind)
            opened[-1]["content"].append({"type": "listItem", "content": [paragraph(self._paragraph(found[2]))]})
        return roots

    def _table(self, lines: Sequence[str]) -> Node:
        rows = [_cells(line) for line in lines]
        width = max(len(row.cells) for row in rows)
        self.is_lossy = self.is_lossy or not rows[0].is_head or any(row.is_head for row in rows[1:])
        self.is_lossy = self.is_lossy or any(len(row.cells) != width for row in rows)
        return table([[self._line(text.strip()) for text in row.cells] for row in rows])

    def _line(self, text: str) -> list[Node]:
        content = self._paragraph(text)
        self.is_lossy = self.is_lossy or {"type": "hardBreak"} in content
        return in_one_line([content])

    def _paragraph(self, text: str) -> list[Node]:
        content: list[Node] = []
        for number, line in enumerate(text.split("\n")):
            if number:
                content.append({"type": "hardBreak"})
            self._inline(content, line, [])
        return trimmed(content)

    def _inline(self, content: list[Node], text: str, marks: list[Node]) -> None:
        position = 0
        for found in _INLINE.finditer(text):
            add_text(content, text[position : found.start()], marks)
            self._add(content, found, marks)
            position = found.end()
        add_text(content, text[position:], marks)

    def _add(self, content: list[Node], found: re.Match[str], marks: list[Node]) -> None:
        if found["escaped"] or found["entity"]:
            add_text(content, found["escaped"] or unescape(found["entity"]), marks)
        elif found["newline"]:
            content.append({"type": "hardBreak"})
        elif found["code"]:
            links = [mark for mark in marks if mark["type"] == "link"]
            add_text(content, _decoded(found["code"]), [*links, {"type": "code"}])
        elif found["href"]:
            self.is_lossy = self.is_lossy or bool(found["kind"])
            self._inline(content, found["label"] or escape(found["href"]), marked(marks, link(found["href"])))
        elif found["mention"] or found["image"]:
            self.is_lossy = True
            add_text(content, f"@{found['mention']}" if found["mention"] else found["image"], marks)
        else:
            self._emphasised(content, found, marks)

    def _emphasised(self, content: list[Node], found: re.Match[str], marks: list[Node]) -> None:
        kind = next((name for name in ("strong", "em", "strike") if found[name]), "")
        if kind:
            self._inline(content, found[kind], marked(marks, {"type": kind}))
            return
        self.is_lossy = True
        for name in ("underline", "sup", "sub", "cite"):
            if found[name]:
                self._inline(content, found[name], marks)


def _decoded(code: str) -> str:
    """Code in a line may have been written with escapes, for Jira reads mark-up even there."""
    return re.sub(r"\\([*_+\-{}\[\]|!^~?])|(&#[0-9]{1,7};)", lambda one: one[1] or unescape(one[2]), code)


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    if _HEADING.fullmatch(line):
        return "heading"
    if re.fullmatch(r"-{4,} *", line):
        return "rule"
    if line.startswith("bq. "):
        return "quote"
    if line.startswith("|"):
        return "table"
    return "list" if _ITEM.fullmatch(line) else "paragraph"


def _open_list(roots: list[Node], opened: list[Node], kind: str) -> None:
    fresh: Node = {"type": kind, "content": []}
    if not opened:
        roots.append(fresh)
    else:
        parent = opened[-1]["content"]
        if not parent:
            parent.append({"type": "listItem", "content": [paragraph([])]})
        parent[-1]["content"].append(fresh)
    opened.append(fresh)


@dataclass(frozen=True)
class _Row:
    is_head: bool
    cells: list[str]


def _cells(line: str) -> _Row:
    is_head = line.startswith("||")
    line = line.rstrip()
    body = line.removeprefix("||" if is_head else "|")
    body = body.removesuffix("||" if is_head else "|")
    return _Row(is_head, (_HEAD_BAR if is_head else _BAR).split(body))
