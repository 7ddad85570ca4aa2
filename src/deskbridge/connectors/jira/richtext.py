"""Jira's long texts and Markdown: documents on Cloud, wiki text on Server and Data Center."""

from typing import Any

from deskbridge.connectors import markdown_writer
from deskbridge.connectors.jira.adf import fitting, from_markdown
from deskbridge.connectors.jira.reduce import Reduction
from deskbridge.connectors.jira.wiki import Reader
from deskbridge.connectors.jira.wiki_writer import to_wiki


def to_remote(text: str, *, is_cloud: bool) -> Any:
    """Return a Markdown text as Jira takes it; None for an empty one."""
    document = from_markdown(text)
    if not document["content"]:
        return None
    return document if is_cloud else to_wiki(document)


def from_remote(value: object) -> tuple[str, bool]:
    """Return a long text as Markdown, and whether that is less than what Jira holds."""
    if isinstance(value, dict):
        return to_markdown(value)
    reader = Reader()
    text, is_lossy = to_markdown(reader.document(str(value or "")))
    return text, is_lossy or reader.is_lossy


def to_markdown(source: dict[str, Any]) -> tuple[str, bool]:
    """Return a document as Markdown, and whether that is less than the document holds."""
    reduction = Reduction()
    held = reduction.document(source)
    tree = fitting(held)
    text, is_less = markdown_writer.to_markdown(tree, from_markdown)
    return text, is_less or reduction.is_lossy or tree != held
