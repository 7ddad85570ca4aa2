"""Cases as their users know them: the list view, the record page with its related lists, the edit form."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from deskbridge.simulators.pages import Cell, Entry, Form, Input, ListView, RecordView
from deskbridge.simulators.salesforce import objects, values
from deskbridge.simulators.salesforce.objects import (
    ACCOUNT,
    ATTACHMENT,
    CASE,
    CASE_COMMENT,
    CASE_HISTORY,
    CONTACT,
    CONTENT_DOCUMENT,
    CONTENT_DOCUMENT_LINK,
    FEED_ITEM,
    GROUP,
    USER,
)
from deskbridge.simulators.salesforce.org import Org, Row

LIST = "/lightning/o/Case/list"
NEW = "/lightning/o/Case/new"
_DOWNLOAD = "/sfc/servlet.shepherd/version/download"
_ATTACHED = "/servlet/servlet.FileDownload"
_TONES = {"New": "neutral", "Working": "info", "On Hold": "warning", "Escalated": "bad", "Closed": "good"}
_PRIORITIES = {"High": "bad", "Medium": "warning", "Low": "neutral"}
_SHOWN = 200
_NAMED = (USER, GROUP, CONTACT, ACCOUNT)
_EDITED = ("Subject", "Description", "Priority", "Origin", "Type", "Reason", "Desk_Minutes__c")


def address(case: Row, page: str = "view") -> str:
    return f"/lightning/r/Case/{case['Id']}/{page}"


def list_view(org: Org, text: str) -> ListView:
    """The newest cases first, those that hold the text in their number, subject or desk key."""
    rows = [row for row in org.table(CASE).values() if not row["IsDeleted"] and _holds(row, text)]
    newest = sorted(rows, key=lambda row: str(row["Id"]), reverse=True)
    return ListView(
        title=f"All Cases ({len(rows)})",
        columns=("Case Number", "Subject", "Status", "Priority", "Case Owner", "Contact", "Date/Time Opened"),
        rows=[_cells(org, row) for row in newest[:_SHOWN]],
        create=("New Case", NEW),
        query=text,
        query_label="Search this list",
        empty="No cases to display.",
    )


def case_view(org: Org, case: Row, error: str = "") -> RecordView:
    return RecordView(
        key=case["CaseNumber"],
        title=case["Subject"] or "(no subject)",
        status=Cell(case["Status"], _TONES.get(case["Status"], "neutral")),
        fields=_fields(org, case),
        body=case["Description"] or "",
        trail=(("Cases", LIST),),
        transitions=_statuses(case),
        edit=address(case, "edit"),
        sections=(
            ("Case Comments", [_comment(org, row) for row in org.children(CASE_COMMENT, "ParentId", case["Id"])]),
            ("Feed", [_post(org, row) for row in org.children(FEED_ITEM, "ParentId", case["Id"])]),
            ("Case History", [_change(org, row) for row in org.children(CASE_HISTORY, "CaseId", case["Id"])]),
        ),
        attachments=_files(org, case),
        forms=_forms(case),
        error=error,
    )


def edit_form(case: Row | None, given: Mapping[str, str] | None = None, error: str = "") -> Form:
    """The form for a new case (None) or an existing one, with what was typed before when it was refused."""
    inputs = [_input(name, case, given) for name in _EDITED]
    if case is None:
        return Form(NEW, "Save", inputs, "New Case", error, LIST)
    return Form(address(case, "edit"), "Save", inputs, f"Edit {case['CaseNumber']}", error, address(case))


def edited(form: Mapping[str, str], case: Row | None = None) -> dict[str, Any]:
    """What a form post means as a record body: blank is null, minutes are a number.

    Of an existing case only what differs counts: browsers change the line ends of a text that nobody touched.
    """
    body: dict[str, Any] = {name: form[name] or None for name in _EDITED if name in form}
    if minutes := body.get("Desk_Minutes__c"):
        body["Desk_Minutes__c"] = _number(minutes)
    if case is None:
        return body
    return {name: value for name, value in body.items() if _lines(value) != _lines(case[name])}


def _lines(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _holds(row: Row, text: str) -> bool:
    wanted = text.strip().casefold()
    return any(wanted in (row[name] or "").casefold() for name in ("CaseNumber", "Subject", "Desk_Ref__c"))


def _cells(org: Org, row: Row) -> Sequence[Cell]:
    return (
        Cell(row["CaseNumber"], href=address(row)),
        Cell(row["Subject"] or "(no subject)", href=address(row)),
        Cell(row["Status"], _TONES.get(row["Status"], "neutral")),
        Cell(row["Priority"] or "", _PRIORITIES.get(row["Priority"], "")),
        Cell(_name(org, row["OwnerId"])),
        Cell(_name(org, row["ContactId"])),
        Cell(_time(row["CreatedDate"])),
    )


def _fields(org: Org, case: Row) -> list[tuple[str, Cell]]:
    minutes = case["Desk_Minutes__c"]
    return [
        ("Case Owner", Cell(_name(org, case["OwnerId"]))),
        ("Priority", Cell(case["Priority"] or "", _PRIORITIES.get(case["Priority"], ""))),
        ("Type", Cell(case["Type"] or "")),
        ("Case Origin", Cell(case["Origin"] or "")),
        ("Case Reason", Cell(case["Reason"] or "")),
        ("Contact", Cell(_name(org, case["ContactId"]))),
        ("Account", Cell(_name(org, case["AccountId"]))),
        ("Web Email", Cell(case["SuppliedEmail"] or "")),
        ("Desk Ref", Cell(case["Desk_Ref__c"] or "")),
        ("Desk Minutes", Cell("" if minutes is None else f"{minutes:g}")),
        ("Opened", Cell(_time(case["CreatedDate"]))),
        ("Closed", Cell(_time(case["ClosedDate"]))),
        ("Last Modified", Cell(f"{_name(org, case['LastModifiedById'])}, {_time(case['LastModifiedDate'])}")),
        ("Case ID", Cell(case["Id"])),
    ]


def _statuses(case: Row) -> list[Form]:
    """A button for each other status; closing asks for the reason, which the org's rule demands."""
    field = CASE.field("Status")
    others = [choice for choice in (field.choices if field else ()) if choice.value != case["Status"]]
    forms = []
    for choice in others:
        asks = [_input("Reason", case, None, required=True)] if choice.closed else []
        action = f"{address(case, 'status')}/{choice.value.replace(' ', '%20')}"
        forms.append(Form(action, f"Mark {choice.value}", asks))
    return forms


def _forms(case: Row) -> list[Form]:
    comment = [
        Input("CommentBody", "Comment", "textarea", required=True),
        Input("IsPublished", "Public: the customer may read it", "checkbox"),
    ]
    visibility = [("AllUsers", "All with access"), ("InternalUsers", "Internal users only")]
    post = [
        Input("Body", "Share an update", "textarea", required=True),
        Input("Visibility", "Visible to", "select", options=visibility),
    ]
    upload = [Input("VersionData", "File", "file", required=True)]
    return [
        Form(address(case, "comment"), "Save Comment", comment, "New Case Comment"),
        Form(address(case, "post"), "Share", post, "Post to the Feed"),
        Form(address(case, "file"), "Upload", upload, "Upload a File", has_file=True),
    ]


def _input(name: str, case: Row | None, given: Mapping[str, str] | None, *, required: bool = False) -> Input:
    field = CASE.field(name)
    if field is None:
        raise LookupError(name)
    held = (case or {}).get(name)
    default = field.first_choice or "" if case is None else ""
    value = (given or {}).get(name) if given else (f"{held:g}" if isinstance(held, float) else held)
    if field.type == "textarea":
        return Input(name, field.title, "textarea", value or "")
    if field.choices:
        blank = [] if required else [("", "--None--")]
        values_known = dict.fromkeys([*(choice.value for choice in field.choices), *([value] if value else [])])
        options = [*blank, *((known, known) for known in values_known)]
        return Input(name, field.title, "select", value or default, options, required)
    return Input(name, field.title, "number" if field.type == "double" else "text", value or "")


def _comment(org: Org, row: Row) -> Entry:
    badge = "" if row["IsPublished"] else "Internal"
    return Entry(_name(org, row["CreatedById"]), _time(row["CreatedDate"]), row["CommentBody"], badge)


def _post(org: Org, row: Row) -> Entry:
    badge = "Internal" if row["Visibility"] == "InternalUsers" else ""
    text = _plain(row["Body"]) if row["IsRichText"] else row["Body"]
    return Entry(_name(org, row["CreatedById"]), _time(row["CreatedDate"]), text, badge)


class _TextOnly(HTMLParser):
    """Collects the text of a rich post, with a line of its own for each paragraph and list item."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        self.text += "\n" if tag in {"p", "li"} else ""


def _plain(html: str) -> str:
    reader = _TextOnly()
    reader.feed(html)
    reader.close()
    return reader.text.strip()


def _change(org: Org, row: Row) -> Entry:
    if row["Field"] == "created":
        text = "Created."
    else:
        before, after = (_name(org, row[name]) or "blank" for name in ("OldValue", "NewValue"))
        text = f"Changed {row['Field']} from {before} to {after}."
    return Entry(_name(org, row["CreatedById"]), _time(row["CreatedDate"]), text)


def _files(org: Org, case: Row) -> list[Cell]:
    linked = org.children(CONTENT_DOCUMENT_LINK, "LinkedEntityId", case["Id"])
    documents = [org.get(CONTENT_DOCUMENT, link["ContentDocumentId"]) for link in linked]
    files = [
        Cell(_file_name(document), href=f"{_DOWNLOAD}/{document['LatestPublishedVersionId']}")
        for document in documents
        if document
    ]
    older = org.children(ATTACHMENT, "ParentId", case["Id"])
    return files + [Cell(f"{row['Name']} ({row['BodyLength']:,} B)", href=f"{_ATTACHED}/{row['Id']}") for row in older]


def _file_name(document: Row) -> str:
    extension = document["FileExtension"]
    title = str(document["Title"])
    full = title if not extension or title.lower().endswith(f".{extension}") else f"{title}.{extension}"
    return f"{full} ({document['ContentSize']:,} B)"


def _name(org: Org, value: Any) -> str:
    """The name behind an id of a person, queue or customer; any other value as it is."""
    target = objects.of_id(value) if isinstance(value, str) else None
    row = org.table(target).get(value) if target in _NAMED and target is not None else None
    return str(row["Name"]) if row else str(value or "")


def _time(stamp: str | None) -> str:
    return values.moment(stamp).strftime("%d %b %Y, %H:%M") if stamp else ""
