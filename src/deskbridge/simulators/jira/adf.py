"""The Atlassian Document Format (API version 3): what is valid, its plain text, and the way back to wiki text."""

from collections.abc import Iterator, Mapping
from typing import Any

from deskbridge.simulators.jira import wiki

Node = Mapping[str, Any]

_MAX_DEPTH = 60
_INLINE = {
    *("text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "placeholder"),
    *("mediaInline", "inlineExtension"),
}
_BLOCKS = {
    *("paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "panel", "table"),
    *("mediaSingle", "mediaGroup", "blockCard", "embedCard", "expand", "nestedExpand", "taskList", "decisionList"),
    *("extension", "bodiedExtension", "layoutSection"),
}
_CHILDREN: Mapping[str, set[str]] = {
    "doc": _BLOCKS,
    "paragraph": _INLINE,
    "heading": _INLINE,
    "taskItem": _INLINE,
    "decisionItem": _INLINE,
    "caption": _INLINE,
    "codeBlock": {"text"},
    "bulletList": {"listItem"},
    "orderedList": {"listItem"},
    "listItem": _BLOCKS,
    "blockquote": _BLOCKS,
    "panel": _BLOCKS,
    "expand": _BLOCKS,
    "nestedExpand": _BLOCKS,
    "bodiedExtension": _BLOCKS,
    "table": {"tableRow"},
    "tableRow": {"tableCell", "tableHeader"},
    "tableCell": _BLOCKS,
    "tableHeader": _BLOCKS,
    "mediaSingle": {"media", "caption"},
    "mediaGroup": {"media"},
    "taskList": {"taskItem", "taskList"},
    "decisionList": {"decisionItem"},
    "layoutSection": {"layoutColumn"},
    "layoutColumn": _BLOCKS,
}
_MARKS = {
    *("strong", "em", "code", "strike", "underline", "link", "subsup", "textColor", "backgroundColor"),
    *("alignment", "indentation", "border", "breakout", "fragment", "annotation"),
}
_WITH_CODE = {"code", "link", "annotation"}


def is_valid(value: object) -> bool:
    """Whether a value is a document Jira would store: known nodes in their places, no empty text, marks that agree."""
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        return False
    return isinstance(value.get("content"), list) and _is_valid_node(value, 0)


def _is_valid_node(node: Node, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        return False
    kind = node["type"]
    if kind == "text":
        return isinstance(node.get("text"), str) and node["text"] != "" and _has_valid_marks(node)
    if kind == "heading" and _attrs(node).get("level") not in {1, 2, 3, 4, 5, 6}:
        return False
    content = node.get("content", [])
    if not isinstance(content, list) or (content and kind not in _CHILDREN):
        return False
    return all(
        isinstance(child, dict) and child.get("type") in _CHILDREN[kind] and _is_valid_node(child, depth + 1)
        for child in content
    )


def _has_valid_marks(node: Node) -> bool:
    marks = node.get("marks", [])
    if not isinstance(marks, list):
        return False
    names = [mark.get("type") if isinstance(mark, dict) else None for mark in marks]
    return all(name in _MARKS for name in names) and ("code" not in names or set(names) <= _WITH_CODE)


def _attrs(node: Node) -> Mapping[str, Any]:
    attrs = node.get("attrs", {})
    return attrs if isinstance(attrs, dict) else {}


def plain(node: Node) -> str:
    """All text of a document, blocks on lines of their own."""
    if node["type"] == "text":
        return str(node["text"])
    if node["type"] == "hardBreak":
        return "\n"
    if node["type"] in _INLINE:
        return _inline_text(node)
    between = "" if _CHILDREN.get(node["type"]) is _INLINE or node["type"] == "codeBlock" else "\n"
    return between.join(plain(child) for child in node.get("content", []))


def to_wiki(document: Node) -> str:
    """The document as wiki text, as version 2 of the API shows it."""
    return "\n\n".join(_block(child) for child in document["content"]).strip("\n")


def _block(node: Node) -> str:
    kind, content = node["type"], node.get("content", [])
    if kind == "paragraph":
        return _inline(content)
    if kind == "heading":
        return f"h{_attrs(node)['level']}. {_inline(content)}"
    if kind in {"bulletList", "orderedList"}:
        return "\n".join(_list_lines(node, ""))
    if kind == "codeBlock":
        language = _attrs(node).get("language")
        return f"{{code{f':{language}' if language else ''}}}\n{plain(node)}\n{{code}}"
    if kind == "rule":
        return "----"
    if kind == "table":
        return "\n".join(_table_row(row) for row in content)
    inner = "\n\n".join(_block(child) for child in content if child["type"] in _CHILDREN)
    wrapper = {"blockquote": "quote", "panel": "panel", "expand": "panel", "nestedExpand": "panel"}.get(kind)
    return f"{{{wrapper}}}\n{inner}\n{{{wrapper}}}" if wrapper else inner or _inline(content)


def _list_lines(node: Node, prefix: str) -> Iterator[str]:
    marker = prefix + ("*" if node["type"] == "bulletList" else "#")
    for item in node.get("content", []):
        for child in item.get("content", []):
            if child["type"] in {"bulletList", "orderedList"}:
                yield from _list_lines(child, marker)
            else:
                yield f"{marker} {_block(child)}"


def _table_row(row: Node) -> str:
    cells = row.get("content", [])
    texts = [("||" if cell["type"] == "tableHeader" else "|") + _cell(cell) for cell in cells]
    end = "||" if cells and cells[-1]["type"] == "tableHeader" else "|"
    return "".join(texts) + end


def _cell(cell: Node) -> str:
    return "\n".join(_block(child) for child in cell.get("content", [])).replace("\n\n", "\n") or " "


def _inline(content: list[Node]) -> str:
    return "".join(_marked(node) if node["type"] == "text" else _inline_text(node) for node in content)


def _inline_text(node: Node) -> str:
    attrs = _attrs(node)
    match node["type"]:
        case "hardBreak":
            return "\n"
        case "mention":
            return f"[~accountid:{attrs.get('id', '')}]"
        case "emoji":
            return str(attrs.get("text") or attrs.get("shortName", ""))
        case "inlineCard":
            return f"[{attrs.get('url', '')}|{attrs.get('url', '')}|smart-link]"
        case "date":
            return str(attrs.get("timestamp", ""))
        case _:
            return str(attrs.get("text", ""))


_WRAP = {"strong": "*", "em": "_", "strike": "-", "underline": "+"}


def _marked(node: Node) -> str:
    marks = {mark["type"]: mark for mark in node.get("marks", [])}
    text = str(node["text"])
    text = f"{{{{{text}}}}}" if "code" in marks else wiki.escape(text)
    for name, sign in _WRAP.items():
        if name in marks and text.strip():
            body = text.strip()
            start = text.index(body)
            text = f"{text[:start]}{sign}{body}{sign}{text[start + len(body) :]}"
    if "link" in marks:
        text = f"[{text}|{_attrs(marks['link']).get('href', '')}]"
    return text
