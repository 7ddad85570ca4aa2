"""Long texts as they are kept: as written, in wiki text or as a document, and shown in the version that asks."""

from typing import Any

from markupsafe import Markup

from deskbridge.simulators.jira import adf, adf_html, wiki
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import bad_field
from deskbridge.simulators.store import Record

LIMIT = 32767


def parse(call: Call, field: str, value: object) -> dict[str, Any] | None:
    """What to keep of a written text: {"wiki": str} or {"adf": document}; None for an empty one."""
    if value is None or value == "":
        return None
    if call.version == 3:
        return _parse_document(field, value)
    if not isinstance(value, str):
        raise bad_field(field, "Operation value must be a string")
    if len(value) > LIMIT:
        raise _too_long(field)
    return {"wiki": value.replace("\r\n", "\n")}


def _parse_document(field: str, value: object) -> dict[str, Any]:
    if not adf.is_valid(value) or not isinstance(value, dict):
        raise bad_field(field, "Operation value must be an Atlassian Document (see the Atlassian Document Format)")
    if len(adf.plain(value)) > LIMIT:
        raise _too_long(field)
    return {"adf": value}


def _too_long(field: str) -> Exception:
    return bad_field(field, f"The entered text is too long. It exceeds the allowed limit of {LIMIT:,} characters.")


def render(kept: Record | None, version: int) -> Any:
    """The text for one version of the API: a document for 3, wiki text for 2, None for none."""
    if kept is None:
        return None
    if version == 3:
        return kept["adf"] if "adf" in kept else wiki.to_adf(kept["wiki"])
    return wiki_text(kept)


def wiki_text(kept: Record | None) -> str:
    if kept is None:
        return ""
    return str(kept["wiki"]) if "wiki" in kept else adf.to_wiki(kept["adf"])


def plain(kept: Record | None) -> str:
    """Without markup, for search."""
    if kept is None:
        return ""
    return adf.plain(kept["adf"] if "adf" in kept else wiki.to_adf(kept["wiki"]))


def as_html(kept: Record | None) -> Markup:
    """As safe HTML, for `expand=renderedFields` and the pages."""
    if kept is None:
        return Markup()
    return adf_html.render(kept["adf"] if "adf" in kept else wiki.to_adf(kept["wiki"]))
