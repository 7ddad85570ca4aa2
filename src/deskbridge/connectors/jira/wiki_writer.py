"""Documents written as Jira's wiki text.

Wiki text is poorer than Markdown: a list item is one line, and code does not stand in lists or quotations. What is
written is read again at once, as in `connectors/markdown_writer.py`.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from deskbridge.connectors.jira.wiki import FENCE, Reader, escape
from deskbridge.connectors.marked import EMPHASIS, Notation, without, write_line
from deskbridge.connectors.richtext import Node, add_text, lines_of, paragraph, trimmed

_SIGNS = {"strong": "*", "em": "_", "strike": "-"}
_LINE_START = re.compile(r"(?m)^(?:#(?=[#*-]* )|h(?=[1-6]\.)|b(?=q\. ))")


def to_wiki(tree: Node) -> str:
    """Return a document as wiki text; what that cannot say keeps its words."""
    return "\n\n".join(_block(block) for block in tree["content"])


def _block(node: Node) -> str:
    content = node.get("content", [])
    match node["type"]:
        case "paragraph":
            return _plainest(content, lambda text: text, lambda inline: [paragraph(inline)] if inline else [])
        case "heading":
            head = {"type": "heading", "attrs": node["attrs"]}
            sign = f"h{node['attrs']['level']}. "
            return _plainest(content, lambda text: sign + text, lambda inline: [{**head, "content": inline}])
        case "bulletList" | "orderedList":
            return "\n".join(_items(node, ""))
        case "codeBlock":
            return _code(node)
        case "blockquote":
            return "{quote}\n" + "\n\n".join(_block(_without_code(block)) for block in content) + "\n{quote}"
        case "table":
            return "\n".join(_table_row(row) for row in content)
        case _:
            return "----"


def _code(node: Node) -> str:
    text = "".join(one["text"] for one in node["content"])
    language = node.get("attrs", {}).get("language", "")
    kind = "noformat" if "{code}" in text else "code"
    if f"{{{kind}}}" in text:
        text = text.replace("{code}", "{ code}")
        kind = "code"
    return f"{{{kind}{f':{language}' if language and kind == 'code' else ''}}}\n{text}\n{{{kind}}}"


def _without_code(block: Node) -> Node:
    """Code as text: its fence would end the quotation or the list."""
    if block["type"] != "codeBlock":
        return block
    content: list[Node] = []
    for number, line in enumerate("".join(one["text"] for one in block["content"]).split("\n")):
        if number:
            content.append({"type": "hardBreak"})
        add_text(content, line, [])
    return paragraph(trimmed(content))


def _items(node: Node, prefix: str) -> Iterator[str]:
    sign = prefix + ("*" if node["type"] == "bulletList" else "#")
    for item in node["content"]:
        words: list[Node] = []
        nested: list[Node] = []
        for block in item["content"]:
            if block["type"] in {"bulletList", "orderedList"}:
                nested.append(block)
                continue
            if words:
                words.append({"type": "hardBreak"})
            words += _without_code(block)["content"]
        text = _plainest(trimmed(words), lambda text: text.replace("\n", "\\\\ "), lambda inline: [paragraph(inline)])
        yield f"{sign} {text}"
        for block in nested:
            yield from _items(block, sign)


def _table_row(row: Node) -> str:
    cells = row["content"]
    bar = "||" if cells[0]["type"] == "tableHeader" else "|"
    return bar + bar.join(_cell(cell["content"][0]["content"]) for cell in cells) + bar


def _cell(inline: list[Node]) -> str:
    def meant(content: list[Node]) -> list[Node]:
        head = {"type": "tableHeader", "content": [paragraph(content)]}
        return [{"type": "table", "content": [{"type": "tableRow", "content": [head]}]}]

    has_bars = any(sign in node.get("text", "") for node in inline for sign in "|\\")
    return _plainest(inline, lambda text: f"|{text or ' '}|", meant, (has_bars, True))[1:-1]


def _plainest(
    inline: list[Node],
    shown: Callable[[str], str],
    meant: Callable[[list[Node]], list[Node]],
    escaped: Sequence[bool] = (False, True),
) -> str:
    """The plainest way to write `inline`, within what `shown` puts around it, that is read back as just that."""
    for content in (inline, without(inline, EMPHASIS), without(inline, (*EMPHASIS, "link"))):
        for is_escaped in escaped:
            text = shown(_inline(content, is_escaped=is_escaped))
            # A fence alone is text, but somewhere below another may follow that closes it
            if (is_escaped or not FENCE.search(text)) and Reader().document(text)["content"] == meant(content):
                return text
    return text


def _inline(content: list[Node], *, is_escaped: bool) -> str:
    written = escape if is_escaped else _as_it_is
    notation = Notation(lambda node: _said(node, written), _SIGNS, _around_link)
    text = "\n".join(write_line(line, notation) for line in lines_of(content))
    return _LINE_START.sub(lambda found: f"&#{ord(found[0])};", text) if is_escaped else text


def _said(node: Node, written: Callable[[str], str]) -> str:
    text = written(node["text"])
    return "{{" + text + "}}" if {"type": "code"} in node.get("marks", []) else text


def _as_it_is(text: str) -> str:
    return text


def _around_link(mark: Node) -> tuple[str, str]:
    return "[", f"|{mark['attrs']['href']}]"
