"""Markdown and the HTML of Polarion's rich text, both ways.

What is written as Markdown is read again at once: as few characters are escaped as make it mean the same, and what
cannot be said at all loses its form rather than its words, and is reported as lossy. Hence the law:
`to_markdown(to_html(text))` is the same the second time.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt

from deskbridge.connectors.polarion.document import (
    Block,
    Code,
    Heading,
    Image,
    Items,
    Line,
    Paragraph,
    Quote,
    Run,
    Table,
    plain,
    read,
)
from deskbridge.kit.text import INVISIBLE

_ATTEMPTS = 4
_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&!])")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINE_START = re.compile(r"^(?:(#{1,6}|[-+>=|:])|([0-9]{1,9})([.)]))")
_SIGNS = {"strong": "**", "s": "~~"}


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """The desk's dialect: CommonMark without HTML, line breaks as they stand, tables and strike-through."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 60})
    return parser.enable(["table", "strikethrough"])


def to_html(markdown: str) -> str:
    """Return Markdown as the HTML that Polarion keeps."""
    text = INVISIBLE.sub("", markdown.encode("utf-8", "replace").decode())
    return str(_parser().render(text)).strip()


def to_markdown(source: str, *, is_html: bool = True) -> tuple[str, bool]:
    """Return a rich text as Markdown, and whether that is less than the text holds."""
    blocks, is_lossy = read(source if is_html else html.escape(source).replace("\n", "<br>"))
    for _ in range(_ATTEMPTS):
        text = _written(blocks)
        meant = _meant(text)
        if meant == blocks:
            return text, is_lossy
        blocks, is_lossy = meant, True
    return _written(plain(blocks)), True


def _meant(text: str) -> tuple[Block, ...]:
    return read(to_html(text))[0]


# Blocks


def _written(blocks: Sequence[Block]) -> str:
    return "\n\n".join(_blocks(blocks, is_inner=False))


def _blocks(blocks: Sequence[Block], *, is_inner: bool) -> Iterator[str]:
    """Blocks as text; a list right after another one gets another sign, with the same it would be the same list."""
    sign = ""
    for block in blocks:
        if isinstance(block, Items):
            sign = _other_sign(block, sign)
            yield _items(block, sign)
        else:
            sign = ""
            yield _block(block, is_inner=is_inner)


def _other_sign(items: Items, taken: str) -> str:
    first, second = ("-", "*") if items.start is None else (".", ")")
    return second if taken == first else first


def _block(block: Block, *, is_inner: bool) -> str:
    match block:
        case Paragraph(lines):
            return _first_that_means(lines, lambda said: (Paragraph(said),), lambda text: text)
        case Heading(level, line):
            sign = "#" * level
            return _first_that_means((line,), lambda said: (Heading(level, said[0]),), lambda text: f"{sign} {text}")
        case Code(text, language):
            return _fenced(text, language)
        case Quote(blocks):
            return _prefixed("\n\n".join(_blocks(blocks, is_inner=True)), "> ", "> ")
        case Table(rows):
            return "\n".join(_table(rows))
        case _:
            return "___" if is_inner else "---"


def _items(block: Items, sign: str) -> str:
    between = "\n" if all(_is_tight(item) for item in block.items) else "\n\n"
    written = []
    for number, item in enumerate(block.items, block.start or 0):
        mark = sign if block.start is None else f"{min(number, 999_999_999)}{sign}"
        text = between.join(_blocks(item, is_inner=True))
        written.append(_prefixed(text, f"{mark} ", " " * (len(mark) + 1)) if text else mark)
    return between.join(written)


def _is_tight(item: tuple[Block, ...]) -> bool:
    """A list right after a line of text is one only when it starts at 1, and with something."""
    if not item:
        return True
    first, *rest = item
    return isinstance(first, Paragraph) and all(
        isinstance(one, Items) and one.start in {None, 1} and one.items[0] for one in rest
    )


def _prefixed(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join((rest if number else first) + line if line else rest.rstrip() for number, line in enumerate(lines))


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}" if text else f"{fence}{language}\n{fence}"


def _table(rows: Sequence[Sequence[Line]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
        if not number:
            yield f"| {' | '.join(['---'] * len(row))} |"


def _cell(line: Line) -> str:
    if not line:
        return ""
    shown = _first_that_means(
        (line,), lambda said: (Table(((said[0],),)),), lambda text: f"| {_barred(text)} |\n| --- |"
    )
    return shown.split("\n")[0][2:-2]


def _barred(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


# Inline

Escape = Callable[[str], str]
Lines = tuple[Line, ...]


def _first_that_means(lines: Lines, meant: Callable[[Lines], tuple[Block, ...]], shown: Callable[[str], str]) -> str:
    """The plainest way to write `lines`, within what `shown` puts around them, that is read back as just that."""
    text = ""
    for said in (lines, _without(lines, {"strong", "em", "s"}), _without(lines, {"strong", "em", "s", "href"})):
        for escape, em in ((_as_it_is, "*"), (_some, "*"), (_some, "_"), (_all, "*"), (_all, "_")):
            text = shown("\n".join(_started(_line(line, escape, em), escape) for line in said))
            if _meant(text) == meant(said):
                return text
    return text


def _as_it_is(text: str) -> str:
    return text


def _some(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _all(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", text)


def _started(line: str, escape: Escape) -> str:
    """A line that begins no other block."""
    if escape is not _some:
        return line
    return _LINE_START.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", line)


def _without(lines: Lines, names: set[str]) -> Lines:
    return tuple(tuple(_bare(line, names)) for line in lines)


def _bare(line: Line, names: set[str]) -> Iterator[Run | Image]:
    last: Run | None = None
    for part in line:
        if isinstance(part, Image):
            if last:
                yield last
            last = None
            yield part
            continue
        run = Run(part.text, part.marks - names, "" if "href" in names else part.href)
        if last and (last.marks, last.href) == (run.marks, run.href):
            last = Run(last.text + run.text, run.marks, run.href)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


Mark = tuple[str, str]
"""A kind of mark and, of a link, where it leads."""


def _line(line: Line, escape: Escape, em: str) -> str:
    parts: list[str] = []
    opened: list[Mark] = []
    for number, part in enumerate(line):
        wanted = _nested(line[number:], opened)
        kept = 0
        while kept < min(len(opened), len(wanted)) and opened[kept] == wanted[kept]:
            kept += 1
        parts += [_closing(mark, em) for mark in reversed(opened[kept:])]
        parts += [_opening(mark, em) for mark in wanted[kept:]]
        opened = wanted
        parts.append(_said(part, escape))
    return "".join([*parts, *(_closing(mark, em) for mark in reversed(opened))])


def _nested(rest: Sequence[Run | Image], opened: Sequence[Mark]) -> list[Mark]:
    """The marks of the first part from the outside in: those that are open, then those that stay open longest."""

    def reach(mark: Mark) -> int:
        return next((number for number, part in enumerate(rest) if mark not in _marks(part)), len(rest))

    wanted = _marks(rest[0])
    first = [mark for mark in opened if mark in wanted]
    return [*first, *sorted(sorted(wanted - set(first)), key=reach, reverse=True)]


def _marks(part: Run | Image) -> set[Mark]:
    if isinstance(part, Image) or part.href == part.text:
        return set()
    marks = {(mark, "") for mark in part.marks - {"code"}}
    return marks | {("href", part.href)} if part.href else marks


def _opening(mark: Mark, em: str) -> str:
    return {"href": "[", "em": em}.get(mark[0]) or _SIGNS[mark[0]]


def _closing(mark: Mark, em: str) -> str:
    return f"]({_target(mark[1])})" if mark[0] == "href" else _opening(mark, em)


def _said(part: Run | Image, escape: Escape) -> str:
    if isinstance(part, Image):
        return f"![{_all(part.text)}]({_target(part.source)})"
    if part.href and part.href == part.text:
        return f"<{part.href}>"
    return _code_span(part.text) if "code" in part.marks else escape(part.text)


def _target(address: str) -> str:
    address = address.replace("&", "&amp;") if re.search(r"&#?\w+;", address) else address
    return f"<{address}>" if re.search(r"[()]", address) else address


def _code_span(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(text) + 2) if length not in runs)
    pads = text.startswith("`") or text.endswith("`") or (text[0] == " " == text[-1] and text.strip(" "))
    space = " " if pads else ""
    return f"{fence}{space}{text}{space}{fence}"
