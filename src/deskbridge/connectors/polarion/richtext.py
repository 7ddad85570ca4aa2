"""Markdown and the HTML of Polarion's rich text, both ways.

What cannot be said loses its form rather than its words, and is reported as lossy. Hence the law:
`to_markdown(to_html(text))` is the same the second time.
"""

import html

from deskbridge.connectors import markdown_writer
from deskbridge.connectors.polarion.document import read
from deskbridge.connectors.richtext import parser
from deskbridge.kit.text import INVISIBLE


def to_html(markdown: str) -> str:
    """Return Markdown as the HTML that Polarion keeps."""
    text = INVISIBLE.sub("", markdown.encode("utf-8", "replace").decode())
    return str(parser().render(text)).strip()


def to_markdown(source: str, *, is_html: bool = True) -> tuple[str, bool]:
    """Return a rich text as Markdown, and whether that is less than the text holds."""
    tree, is_lossy = read(source if is_html else html.escape(source).replace("\n", "<br>"))
    text, is_less = markdown_writer.to_markdown(tree)
    return text, is_lossy or is_less
