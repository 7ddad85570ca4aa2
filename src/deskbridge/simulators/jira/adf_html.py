"""Documents as safe HTML: known nodes as elements, all text escaped, links only to the web and to mail."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from deskbridge.simulators.jira import adf

_BLOCKS = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "panel": "blockquote",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
}
_MARKS = {"strong": "b", "em": "em", "code": "code", "strike": "del", "underline": "u"}


def render(node: Mapping[str, Any]) -> Markup:
    """A node with all below it; what has no element of its own shows its text."""
    kind = node["type"]
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return Markup("<br>")
    if kind == "rule":
        return Markup("<hr>")
    if kind == "codeBlock":
        return Markup("<pre>{}</pre>").format(adf.plain(node))
    inner = Markup().join(render(child) for child in node.get("content", []))
    if kind == "heading":
        level = node["attrs"]["level"]
        return Markup("<h{}>{}</h{}>").format(level, inner, level)
    if element := _BLOCKS.get(kind):
        return Markup("<{}>{}</{}>").format(element, inner, element)
    return inner or escape(adf.plain(node))


def _text(node: Mapping[str, Any]) -> Markup:
    shown = escape(node["text"])
    for mark in node.get("marks", []):
        if element := _MARKS.get(mark["type"]):
            shown = Markup("<{}>{}</{}>").format(element, shown, element)
        elif mark["type"] == "link":
            shown = _link(mark, shown)
    return shown


def _link(mark: Mapping[str, Any], shown: Markup) -> Markup:
    attrs = mark.get("attrs")
    href = str(attrs.get("href", "")) if isinstance(attrs, dict) else ""
    if not href.startswith(("https://", "http://", "mailto:")):
        return shown
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(href, shown)
