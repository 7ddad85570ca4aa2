"""HTML read as rich text, with a note of whether something was lost on the way.

It reads what Polarion's editor writes (styled spans, tables with classes, references to work items) and what Markdown
renders to; two texts that mean the same give equal trees.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from deskbridge.connectors.richtext import (
    Node,
    add_text,
    code_block,
    document,
    image,
    in_one_line,
    items,
    link,
    marked,
    paragraph,
    table,
    texts_in,
)
from deskbridge.kit.text import INVISIBLE

_DEEPEST = 40
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre", "section", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
_PLAIN_BLOCKS = {"body", "div", "html", "p", "section"}
_SILENT = {"head", "noscript", "script", "style", "template", "title"}
_CLOSED_BY = {
    "p": _BLOCKS,
    "li": {"li"},
    "td": {"td", "th", "tr", "tbody", "tfoot"},
    "th": {"td", "th", "tr", "tbody", "tfoot"},
    "tr": {"tr", "tbody", "tfoot"},
}
"""Elements whose end HTML lets one leave out, and what then begins after them."""
_MARKS = {
    "b": "strong", "strong": "strong", "i": "em", "em": "em", "cite": "em", "code": "code", "tt": "code", "kbd": "code",
    "samp": "code", "s": "strike", "strike": "strike", "del": "strike",
}  # fmt: skip
_STYLES = {
    "font-weight": {"bold": "strong", "700": "strong", "800": "strong", "900": "strong", "normal": "", "400": ""},
    "font-style": {"italic": "em", "oblique": "em", "normal": ""},
    "text-decoration": {"line-through": "strike", "none": ""},
}
_EDITORS_OWN = {
    "font-family",
    "font-size",
    "line-height",
    "margin",
    "max-width",
    "padding",
    "text-align",
    "white-space",
}
"""Styles that the editor puts on everything: nobody misses them."""
_SPACE = re.compile("[ \t\n\r\f\v\x85\xa0\u2028\u2029]+")
_WORD = re.compile(r"\s+|\S+")


@dataclass(frozen=True)
class Run:
    """Text with its marks (strong, em, strike, code) and the address it leads to."""

    text: str
    marks: frozenset[str] = frozenset()
    href: str = ""


Part = Run | Node | None
"""A run, a picture, or the end of a line."""


def read(html: str) -> tuple[Node, bool]:
    """Return what an HTML text says, and whether that is less than what it holds."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    reading = _Reading()
    tree = document(list(reading.blocks(builder.root.children, Run(""))))
    return tree, reading.is_lossy or builder.is_too_deep


# The tree


@dataclass
class _Element:
    tag: str
    attributes: dict[str, str]
    children: "list[_Element | str]" = field(default_factory=list)

    def has_blocks(self) -> bool:
        return any(
            isinstance(child, _Element) and (child.tag in _BLOCKS or child.has_blocks()) for child in self.children
        )


class _Builder(HTMLParser):
    """Puts tags into a tree, as leniently as a browser; what is too deep to be meant loses its depth."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("", {})
        self.is_too_deep = False
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while tag in _CLOSED_BY.get(self._open[-1].tag, ()):
            self._open.pop()
        element = _Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag in _VOID:
            return
        if len(self._open) > _DEEPEST:
            self.is_too_deep = True
            return
        self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and tag not in {"a", "div", "p", "span"}:
            self.handle_endtag(tag)
        elif self._open[-1].tag == tag:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for number in range(len(self._open) - 1, 0, -1):
            if self._open[number].tag == tag:
                del self._open[number:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


# Blocks


class _Reading:
    def __init__(self) -> None:
        self.is_lossy = False

    def blocks(self, nodes: Iterable[_Element | str], style: Run) -> Iterator[Node]:
        """The blocks of some nodes; loose text between them makes paragraphs. `style` is what is around them."""
        loose: list[Part] = []
        for node in nodes:
            if isinstance(node, str) or not (node.tag in _BLOCKS or node.has_blocks()):
                self._inline(node, style, loose)
                continue
            yield from _paragraphs(loose)
            loose = []
            yield from self._block(node, style)
        yield from _paragraphs(loose)

    def _block(self, node: _Element, style: Run) -> Iterator[Node]:
        if node.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            if line := self._line(node):
                yield {"type": "heading", "attrs": {"level": int(node.tag[1])}, "content": line}
        elif node.tag == "pre":
            yield _code(node)
        elif node.tag == "blockquote":
            if quoted := list(self.blocks(node.children, style)):
                yield {"type": "blockquote", "content": quoted}
        elif node.tag in {"ul", "ol"}:
            yield from self._items(node)
        elif node.tag == "table":
            yield from self._table(node)
        elif node.tag == "hr":
            yield {"type": "rule"}
        else:
            self.is_lossy |= node.tag in _BLOCKS and node.tag not in _PLAIN_BLOCKS
            yield from self.blocks(node.children, self._styled(node, style))

    def _items(self, node: _Element) -> Iterator[Node]:
        given = [child for child in node.children if isinstance(child, _Element) and child.tag == "li"]
        strays = [child for child in node.children if not _is_item(child) and not _is_blank(child)]
        self.is_lossy |= bool(strays)
        if given:
            start = _whole(node.attributes.get("start", "1")) if node.tag == "ol" else None
            yield items([list(self.blocks(item.children, Run(""))) for item in given], start)
        yield from self.blocks(strays, Run(""))

    def _table(self, node: _Element) -> Iterator[Node]:
        """Markdown's tables have a head, as many cells in each row, and one line in each cell."""
        rows = [self._cells(row) for row in _rows(node)]
        rows = [row for row in rows if row]
        if not rows:
            return
        self.is_lossy |= any(cell.tag == "td" for cell in rows[0]) or any(
            cell.tag == "th" for row in rows[1:] for cell in row
        )
        width = max(len(row) for row in rows)
        self.is_lossy |= any(len(row) != width for row in rows)
        yield table([[self._line(cell) for cell in row] for row in rows])

    def _cells(self, row: _Element) -> list[_Element]:
        cells = [one for one in row.children if isinstance(one, _Element) and one.tag in {"td", "th"}]
        spans = (cell.attributes.get(name, "1") for cell in cells for name in ("colspan", "rowspan"))
        self.is_lossy |= any(span != "1" for span in spans)
        return cells

    def _line(self, node: _Element) -> list[Node]:
        """Everything in an element as one line."""
        texts = list(texts_in(self.blocks(node.children, Run(""))))
        self.is_lossy |= len(texts) > 1 or any({"type": "hardBreak"} in text for text in texts)
        return in_one_line(texts)

    # Inline

    def _inline(self, node: _Element | str, style: Run, into: list[Part]) -> None:
        if isinstance(node, str):
            into.append(Run(INVISIBLE.sub("", node.replace("\r", "\n")), style.marks, style.href))
        elif node.tag == "br":
            into.append(None)
        elif node.tag in _SILENT:
            self.is_lossy = True
        elif node.tag == "img":
            into.append(self._image(node, style))
        elif reference := node.attributes.get("data-item-id"):
            self.is_lossy = True
            into.append(Run(_SPACE.sub(" ", reference), style.marks, style.href))
        else:
            inner = self._styled(node, style)
            for child in node.children:
                self._inline(child, inner, into)

    def _image(self, node: _Element, style: Run) -> Run | Node:
        """A picture kept inside of Polarion is shown by its name: nobody can see it from outside."""
        text = " ".join(INVISIBLE.sub("", node.attributes.get("alt", "")).split())
        source = node.attributes.get("src", "")
        if re.fullmatch(r"https?://[^\s<>()\\]+", source) and not style.href:
            return image(text, source)
        self.is_lossy = True
        name = source.rpartition(":")[2] if not source.startswith("data:") else "picture"
        return Run(f" [{text or name}] ", style.marks, style.href)

    def _styled(self, node: _Element, style: Run) -> Run:
        """The style inside of an element."""
        marks, href = set(style.marks), style.href
        if node.tag == "a":
            href = self._address(node) or href
        elif mark := _MARKS.get(node.tag):
            marks.add(mark)
        elif node.tag not in _PLAIN_BLOCKS | {"span"}:
            self.is_lossy |= node.tag not in _BLOCKS
        for declaration in node.attributes.get("style", "").lower().split(";"):
            name, _, value = (part.strip() for part in declaration.partition(":"))
            known = _STYLES.get(name, {})
            if value in known:
                marks |= {known[value]} - {""}
            elif name and name.split("-")[0] not in {"margin", "padding"} and name not in _EDITORS_OWN:
                self.is_lossy = True
        return Run("", frozenset(marks), href)

    def _address(self, node: _Element) -> str:
        """Where a link leads; nothing where it could run something or has no end."""
        href = node.attributes.get("href", "").strip()
        self.is_lossy |= "title" in node.attributes
        if re.match(r"(?!https?:|mailto:|tel:)[a-zA-Z][a-zA-Z0-9+.-]*:", href) or re.search(r"[\s<>\\\x00-\x20]", href):
            href = ""
        self.is_lossy |= not href
        return href


def _is_item(node: _Element | str) -> bool:
    return isinstance(node, _Element) and node.tag == "li"


def _is_blank(node: _Element | str) -> bool:
    return isinstance(node, str) and not node.strip()


def _rows(node: _Element) -> Iterator[_Element]:
    for child in node.children:
        if isinstance(child, _Element) and child.tag == "tr":
            yield child
        elif isinstance(child, _Element) and child.tag in {"thead", "tbody", "tfoot"}:
            yield from _rows(child)


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _code(node: _Element) -> Node:
    inner = [child for child in node.children if isinstance(child, _Element)]
    named = inner[0].attributes.get("class", "") if inner and inner[0].tag == "code" else ""
    found = re.search(r"(?:^|\s)language-(\S+)", named)
    text = "".join(_raw(node)).replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").replace("\t", "    ")
    text = INVISIBLE.sub("", text)
    return code_block(text.removesuffix("\n"), found[1] if found else "")


def _raw(node: _Element | str) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif node.tag == "br":
        yield "\n"
    else:
        for child in node.children:
            yield from _raw(child)


# Lines


def _paragraphs(parts: Sequence[Part]) -> Iterator[Node]:
    """Paragraphs of what is between blocks; None ends a line, and an empty line ends a paragraph."""
    content: list[Node] = []
    pending: list[Run | Node] = []
    for part in [*parts, None]:
        if part is not None:
            pending.append(part)
            continue
        line = _tidied(pending)
        pending = []
        if line:
            content += [*([{"type": "hardBreak"}] if content else []), *line]
        elif content:
            yield paragraph(content)
            content = []
    if content:
        yield paragraph(content)


def _tidied(parts: Iterable[Run | Node]) -> list[Node]:
    """One line: single blanks and none around, marks that begin and end at words, equal neighbours as one text."""
    line: list[Node] = []
    before: Run | Node | None = None
    pending: Run | None = None
    for word in (word for part in parts for word in _words(part)):
        if isinstance(word, Run) and "code" not in word.marks and word.text.isspace():
            pending = _common(pending, word) if pending else word
            continue
        if pending and before:
            _add(line, _common(_common(pending, before), word))
        pending = None
        _add(line, word)
        before = word
    return line


def _words(part: Run | Node) -> Iterator[Run | Node]:
    if not isinstance(part, Run):
        yield part
    elif "code" in part.marks:
        if text := re.sub("[\t\n\f\v\x85\xa0\u2028\u2029]", " ", part.text):
            yield Run(text, part.marks, part.href)
    else:
        for word in _WORD.findall(part.text):
            yield Run(_SPACE.sub(" ", word), part.marks, part.href)


def _common(space: Run, beside: Run | Node) -> Run:
    """A blank with what it shares with the part beside it."""
    if not isinstance(beside, Run):
        return Run(space.text)
    return Run(space.text, space.marks & beside.marks, space.href if space.href == beside.href else "")


def _add(line: list[Node], part: Run | Node) -> None:
    if not isinstance(part, Run):
        line.append(part)
        return
    marks: list[Node] = [link(part.href)] if part.href else []
    for kind in part.marks:
        marks = marked(marks, {"type": kind})
    add_text(line, part.text, marks)
