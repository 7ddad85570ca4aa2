"""Records as Jira's JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from deskbridge.simulators.jira import catalogue, richtext, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field, Named
from deskbridge.simulators.store import Record

Json = dict[str, Any]
_NOT_NAVIGABLE = {"comment", "worklog", "attachment", "timetracking"}
_PAGE_IN_ISSUE = 20  # worklogs shown inside an issue; comments and attachments are shown whole


def brief(call: Call, issue: Record) -> Json:
    """An issue by id, key and address, with a few fields (as comment events carry it)."""
    fields = {
        name: _field(call, issue, FIELDS[name]) for name in ("summary", "issuetype", "project", "status", "priority")
    }
    return {**address(call, issue), "fields": fields}


def address(call: Call, issue: Record) -> Json:
    return {"id": issue["id"], "self": f"{call.api}/issue/{issue['id']}", "key": issue["key"]}


def issue(call: Call, record: Record, wanted: Sequence[str] = ("*all",)) -> Json:
    """An issue with the wanted fields: names, `*all`, `*navigable`, `*none`, and `-name` to leave one out."""
    fields = {field.id: _field(call, record, field) for field in chosen(wanted)}
    shown = {**address(call, record), "fields": fields}
    return {"expand": "renderedFields,names,schema,operations,editmeta,changelog,transitions", **shown}


def chosen(wanted: Sequence[str]) -> list[Field]:
    """The fields that such names mean; with none but exclusions it is all the others."""
    named = {one for one in wanted if not one.startswith("-")}
    if "*all" in named or not named:
        named = set(FIELDS)
    elif "*navigable" in named:
        named |= FIELDS.keys() - _NOT_NAVIGABLE
    return [field for name, field in FIELDS.items() if name in named and f"-{name}" not in wanted]


def _field(call: Call, issue: Record, field: Field) -> Any:
    return _RENDERERS[field.kind](call, issue, field)


def _as_is(_: Call, issue: Record, field: Field) -> Any:
    return issue[field.id]


def _rich(call: Call, issue: Record, field: Field) -> Any:
    return richtext.render(issue[field.id], call.version)


def _datetime(call: Call, issue: Record, field: Field) -> str | None:
    return timing.render(issue[field.id], call.zone)


def _project(call: Call, _issue: Record, _field: Field) -> Json:
    return project(call)


def _status(call: Call, issue: Record, _: Field) -> Json:
    return status(call, issue["status"])


def _choice(call: Call, issue: Record, field: Field) -> Json | None:
    return choice(call, field, issue[field.id])


def _choices(call: Call, issue: Record, field: Field) -> list[Json | None]:
    return [choice(call, field, one) for one in issue[field.id]]


def _user(call: Call, issue: Record, field: Field) -> Json | None:
    return user(call, issue[field.id])


def _comments(call: Call, issue: Record, _: Field) -> Json:
    shown = [comment(call, one) for one in children(call, "comments", issue)]
    address = f"{call.api}/issue/{issue['id']}/comment"
    return {"comments": shown, "self": address, "maxResults": len(shown), "total": len(shown), "startAt": 0}


def _worklogs(call: Call, issue: Record, _: Field) -> Json:
    kept = children(call, "worklogs", issue)
    shown = [worklog(call, one) for one in kept[:_PAGE_IN_ISSUE]]
    return {"startAt": 0, "maxResults": _PAGE_IN_ISSUE, "total": len(kept), "worklogs": shown}


def _attachments(call: Call, issue: Record, _: Field) -> list[Json]:
    return [attachment(call, one) for one in children(call, "attachments", issue)]


def _timetracking(_: Call, issue: Record, _field: Field) -> Json:
    shown: Json = {}
    names = {"timeoriginalestimate": "originalEstimate", "timeestimate": "remainingEstimate", "timespent": "timeSpent"}
    for kept, name in names.items():
        if issue[kept] is not None:
            shown |= {name: timing.render_duration(issue[kept]), f"{name}Seconds": issue[kept]}
    return shown


_RENDERERS: Mapping[str, Callable[[Call, Record, Field], Any]] = {
    "summary": _as_is,
    "text": _as_is,
    "labels": _as_is,
    "date": _as_is,
    "number": _as_is,
    "seconds": _as_is,
    "rich": _rich,
    "datetime": _datetime,
    "project": _project,
    "status": _status,
    "issuetype": _choice,
    "priority": _choice,
    "resolution": _choice,
    "option": _choice,
    "components": _choices,
    "versions": _choices,
    "user": _user,
    "comment": _comments,
    "worklog": _worklogs,
    "attachment": _attachments,
    "timetracking": _timetracking,
}


def children(call: Call, table: str, issue: Record) -> list[Record]:
    """An issue's comments, worklogs, attachments or history, oldest first."""
    return sorted(call.state.table(table).by("issue", issue["id"]), key=lambda row: int(row["id"]))


def project(call: Call) -> Json:
    return {
        "self": f"{call.api}/project/{catalogue.PROJECT_ID}",
        "id": catalogue.PROJECT_ID,
        "key": catalogue.PROJECT_KEY,
        "name": catalogue.PROJECT_NAME,
        "projectTypeKey": "software",
        "simplified": False,
    }


def status(call: Call, status_id: str) -> Json:
    kept = catalogue.status(status_id)
    category = catalogue.CATEGORIES[kept.category]
    return {
        "self": f"{call.api}/status/{kept.id}",
        "description": "",
        "name": kept.name,
        "id": kept.id,
        "statusCategory": {"self": f"{call.api}/statuscategory/{category['id']}", **category},
    }


_PATHS = {"issuetype": "issuetype", "priority": "priority", "resolution": "resolution", "option": "customFieldOption"}
_PATHS |= {"components": "component", "versions": "version"}


def choice(call: Call, field: Field, kept: str | None) -> Json | None:
    found = catalogue.find(field.choices, id=kept) if kept else None
    return option(call, field, found) if found else None


def option(call: Call, field: Field, named: Named) -> Json:
    """A picklist value; custom options say `value` where the others say `name`."""
    shown: Json = {"self": f"{call.api}/{_PATHS[field.kind]}/{named.id}", "id": named.id}
    if field.kind == "option":
        return {**shown, "value": named.name}
    shown["name"] = named.name
    if field.kind == "issuetype":
        return {**shown, "description": named.description, "subtask": False, "hierarchyLevel": 0}
    if field.kind == "resolution":
        return {**shown, "description": named.description}
    if field.kind == "versions":
        return {**shown, "archived": False, "released": False}
    return shown


def user(call: Call, account: str | None) -> Json | None:
    """A user as Cloud (accountId, no name) or Server (name and key) shows it."""
    kept = call.state.table("users").get(account) if account else None
    if kept is None:
        return None
    shown = {
        "displayName": kept["displayName"],
        "emailAddress": kept["emailAddress"],
        "active": kept["active"],
        "timeZone": call.zone.key,
    }
    if call.is_cloud:
        address = f"{call.api}/user?accountId={quote(kept['accountId'], safe='')}"
        return {"self": address, "accountId": kept["accountId"], "accountType": "atlassian", **shown}
    return {"self": f"{call.api}/user?username={kept['name']}", "name": kept["name"], "key": kept["name"], **shown}


def comment(call: Call, kept: Record) -> Json:
    shown: Json = {
        "self": f"{call.api}/issue/{kept['issue']}/comment/{kept['id']}",
        "id": kept["id"],
        "author": user(call, kept["author"]),
        "body": richtext.render(kept["body"], call.version),
        "updateAuthor": user(call, kept["update_author"]),
        "created": timing.render(kept["created"], call.zone),
        "updated": timing.render(kept["updated"], call.zone),
    }
    if kept["visibility"]:
        shown["visibility"] = kept["visibility"]
    if call.is_cloud:
        shown["jsdPublic"] = is_public(kept)
    return shown


def is_public(comment: Record) -> bool:
    mark = comment["properties"].get("sd.public.comment")
    return not (isinstance(mark, dict) and mark.get("internal") in {True, "true"})


def worklog(call: Call, kept: Record) -> Json:
    shown: Json = {
        "self": f"{call.api}/issue/{kept['issue']}/worklog/{kept['id']}",
        "author": user(call, kept["author"]),
        "updateAuthor": user(call, kept["update_author"]),
        "created": timing.render(kept["created"], call.zone),
        "updated": timing.render(kept["updated"], call.zone),
        "started": timing.render(kept["started"], call.zone),
        "timeSpent": timing.render_duration(kept["seconds"]),
        "timeSpentSeconds": kept["seconds"],
        "id": kept["id"],
        "issueId": kept["issue"],
    }
    if kept["comment"] is not None:
        shown["comment"] = richtext.render(kept["comment"], call.version)
    return shown


def attachment(call: Call, kept: Record) -> Json:
    """`content` is where its bytes are: under the API on Cloud, under /secure on Server."""
    name = quote(kept["filename"], safe="")
    on_server = f"{call.base}/secure/attachment/{kept['id']}/{name}"
    return {
        "self": f"{call.api}/attachment/{kept['id']}",
        "id": kept["id"],
        "filename": kept["filename"],
        "author": user(call, kept["author"]),
        "created": timing.render(kept["created"], call.zone),
        "size": kept["size"],
        "mimeType": kept["media"],
        "content": f"{call.api}/attachment/content/{kept['id']}" if call.is_cloud else on_server,
    }


def history(call: Call, kept: Record) -> Json:
    created = timing.render(kept["created"], call.zone)
    return {"id": kept["id"], "author": user(call, kept["author"]), "created": created, "items": kept["items"]}
