"""Markdown and the plain text of trackers that know no markup, both ways, without a loss that nobody hears of.

What goes out is Markdown written for people who read it as plain text: one spelling of each construct, no escapes. What
comes in is taken for Markdown exactly where writing it out again gives the same text; everything else is escaped, so
that it shows on the desk as it shows over there. Hence the law: `to_plain(to_markdown(text)) == tidy(text)`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

_READER = MarkdownIt("commonmark", {"html": False})
_INVISIBLE = re.compile("[\u0000-\u0008\u000e-\u001b\u007f\u200b\u2060\ufeff]")
_LINE_ENDS = re.compile("\r\n|[\r\u000b\u000c\u001c-\u001e\u0085\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]")
_ANYWHERE = re.compile(r"([\\`*\[\]<>&]|~(?=~)|(?<=~)~|(?<![^\W_])_|_(?![^\W_]))")
_AT_THE_START = re.compile(r"^(\d{1,9})?([-+=#|~.)])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def tidy(text: str) -> str:
    """Return text as both sides compare it: \\n ends lines, no blanks at their ends, one empty line at most."""
    text = text.encode("utf-8", "replace").decode()
    text = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", "    ")
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    text = "\n".join(line.rstrip(" ") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def to_plain(markdown: str) -> str:
    """Return Markdown as plain text for people."""
    return tidy(_written(markdown, _Writer(for_people=True)))


def to_markdown(plain: str) -> str:
    """Return the Markdown that shows what a plain text shows."""
    text = tidy(plain)
    for candidate in (_as_read(text), "\n\n".join(_block_as_markdown(block) for block in text.split("\n\n"))):
        if to_plain(candidate) == text:
            return candidate
    return _escaped(text)


def _block_as_markdown(block: str) -> str:
    read = _as_read(block)
    return read if to_plain(read) == block else _escaped(block)


def _as_read(text: str) -> str:
    """The Markdown that a text is when it is read as Markdown, its line breaks made to stay."""
    return _written(text, _Writer(for_people=False))


def _escaped(text: str) -> str:
    """Markdown in which every character stands for itself."""
    paragraphs = text.split("\n\n")
    return "\n\n".join("\\\n".join(_escaped_line(line) for line in part.split("\n")) for part in paragraphs)


def _escaped_line(line: str) -> str:
    rest = line.lstrip(" ")
    escaped = _AT_THE_START.sub(r"\1\\\2", _ANYWHERE.sub(r"\\\1", rest))
    return "&nbsp;" * (len(line) - len(rest)) + escaped


def _written(markdown: str, writer: "_Writer") -> str:
    return "\n".join(writer.blocks(SyntaxTreeNode(_READER.parse(markdown)).children))


@dataclass(frozen=True)
class _Writer:
    """Writes parsed Markdown: for people without escapes, else as Markdown whose line breaks are hard ones."""

    for_people: bool

    def blocks(self, nodes: Sequence[SyntaxTreeNode], *, tight: bool = False) -> list[str]:
        """The lines of some blocks, with an empty one between two of them unless `tight`."""
        lines: list[str] = []
        for node in nodes:
            if lines and not tight:
                lines.append("")
            lines += self._block(node)
        return lines

    def _block(self, node: SyntaxTreeNode) -> list[str]:
        if node.type in {"bullet_list", "ordered_list"}:
            return self._list(node)
        if node.type in {"fence", "code_block"}:
            return _fence(node)
        if node.type == "blockquote":
            return [f"> {line}".rstrip() for line in self.blocks(node.children)]
        if node.type == "heading":
            return [f"{'#' * int(node.tag[1])} {' '.join(self._inline(node).split())}"]
        if node.type == "hr":
            return ["---"]
        return self._inline(node).split("\n")

    def _list(self, node: SyntaxTreeNode) -> list[str]:
        tight = all(child.hidden for item in node.children for child in item.children if child.type == "paragraph")
        lines: list[str] = []
        for mark, item in zip(_marks(node), node.children, strict=False):
            if lines and not tight:
                lines.append("")
            held = self.blocks(item.children, tight=tight) or [""]
            lines.append(f"{mark} {held[0]}".rstrip())
            lines += [f"{' ' * (len(mark) + 1)}{line}".rstrip() for line in held[1:]]
        return lines

    def _inline(self, node: SyntaxTreeNode) -> str:
        return "".join(self._spoken(child) for inline in node.children for child in inline.children)

    def _spoken(self, node: SyntaxTreeNode) -> str:
        if node.type in {"softbreak", "hardbreak"}:
            return "\n" if self.for_people else "\\\n"
        if node.type == "code_inline":
            return _code(node.content)
        if node.type == "image":
            return f"![{node.content}]({_target(node, 'src')})"
        if node.type in {"text", "html_inline"}:
            return node.content if self.for_people else _TAG.sub(r"\\<", node.content)
        inner = "".join(self._spoken(child) for child in node.children)
        mark = {"em": "*", "strong": "**"}.get(node.type, "")
        return self._link(node, inner) if node.type == "link" else f"{mark}{inner}{mark}"

    def _link(self, node: SyntaxTreeNode, inner: str) -> str:
        """A link that shows its own address is that address."""
        href = str(node.attrs.get("href", ""))
        if inner and href in {inner, f"mailto:{inner}"}:
            return inner if self.for_people else f"<{inner}>"
        return f"[{inner}]({_target(node, 'href')})"


def _marks(node: SyntaxTreeNode) -> Iterator[str]:
    first = int(str(node.attrs.get("start", 1)))
    for count in range(len(node.children)):
        yield f"{first + count}." if node.type == "ordered_list" else "-"


def _fence(node: SyntaxTreeNode) -> list[str]:
    fence = "`" * max(3, 1 + _longest_run(node.content))
    return [f"{fence}{node.info.strip().replace('`', '')}", *node.content.rstrip("\n").split("\n"), fence]


def _code(content: str) -> str:
    if "`" not in content:
        return f"`{content}`"
    ticks = "`" * (1 + _longest_run(content))
    return f"{ticks} {content} {ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _target(node: SyntaxTreeNode, name: str) -> str:
    address = str(node.attrs.get(name, ""))
    return f"<{address}>" if not address or re.search(r"[\s()<>]", address) else address
