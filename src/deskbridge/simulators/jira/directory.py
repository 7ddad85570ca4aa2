"""Reading what the site is made of: server, account, project, fields, picklists, users."""

from collections.abc import Mapping
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.jira import attachments, catalogue, reading, render, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field
from deskbridge.simulators.jira.errors import JSON, bad, not_found
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import Response, json_response

Params = Mapping[str, str]
_PERMISSIONS = (
    *("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES", "RESOLVE_ISSUES", "DELETE_ISSUES"),
    *("ASSIGN_ISSUES", "ADD_COMMENTS", "EDIT_ALL_COMMENTS", "DELETE_ALL_COMMENTS", "CREATE_ATTACHMENTS"),
    *("DELETE_ALL_ATTACHMENTS", "WORK_ON_ISSUES", "EDIT_ALL_WORKLOGS", "DELETE_ALL_WORKLOGS"),
)


def answer(value: object, status: int = 200) -> Response:
    return json_response(status, value, media=JSON)


def server_info(call: Call, _: Params) -> Response:
    version = "1001.0.0-SNAPSHOT" if call.is_cloud else "9.12.0"
    numbers = [1001, 0, 0] if call.is_cloud else [9, 12, 0]
    return answer(
        {
            "baseUrl": call.base,
            "version": version,
            "versionNumbers": numbers,
            "deploymentType": "Cloud" if call.is_cloud else "Server",
            "buildNumber": 100275,
            "buildDate": "2026-01-05T00:00:00.000+0000",
            "serverTime": timing.render(call.stamp, call.zone),
            "scmInfo": "0" * 40,
            "serverTitle": "Jira",
        }
    )


def myself(call: Call, _: Params) -> Response:
    user = render.user(call, call.account) or {}
    return answer({**user, "locale": "en_US", "groups": {"size": 2, "items": []}})


def session(call: Call, _: Params) -> Response:
    """The old /rest/auth/1/session, which one client uses to validate its credentials."""
    user = call.state.table("users")[call.account]
    return answer({"self": f"{call.base}/rest/api/latest/user?username={user['name']}", "name": user["name"]})


def permissions(call: Call, _: Params) -> Response:
    wanted = call.listed("permissions") or list(_PERMISSIONS)
    if unknown := [key for key in wanted if key not in _PERMISSIONS]:
        raise bad(f"Unrecognized permissions: {', '.join(unknown)}")
    granted = {
        key: {"id": str(number), "key": key, "name": key, "havePermission": True} for number, key in enumerate(wanted)
    }
    return answer({"permissions": granted})


def projects(call: Call, _: Params) -> Response:
    return answer([render.project(call)])


def project_search(call: Call, _: Params) -> Response:
    return answer({"startAt": 0, "maxResults": 50, "total": 1, "isLast": True, "values": [render.project(call)]})


def project(call: Call, params: Params) -> Response:
    _check_project(params["project"])
    lead = render.user(call, catalogue.DESK_ACCOUNT)
    listed = {"issueTypes": "issuetype", "components": "components", "versions": "fixVersions"}
    shown = {name: _options(call, FIELDS[field]) for name, field in listed.items()}
    return answer({**render.project(call), "lead": lead, "description": "", "assigneeType": "UNASSIGNED", **shown})


def project_statuses(call: Call, params: Params) -> Response:
    _check_project(params["project"])
    statuses = [render.status(call, one.id) for one in catalogue.STATUSES]
    return answer([{**kind, "statuses": statuses} for kind in _options(call, FIELDS["issuetype"])])


def _check_project(given: str) -> None:
    if given not in {catalogue.PROJECT_ID, catalogue.PROJECT_KEY}:
        raise not_found(f"No project could be found with key '{given}'.")


def fields(_: Call, __: Params) -> Response:
    return answer([_field(field) for field in FIELDS.values()])


def _field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": field.id,
        "key": field.id,
        "name": field.name,
        "custom": field.is_custom,
        "orderable": field.is_on_screen,
        "navigable": field.kind not in {"comment", "worklog", "attachment"},
        "searchable": bool(field.clauses),
        "clauseNames": list(field.clauses),
    }
    return {**shown, "schema": catalogue.schema(field)}


def create_meta(call: Call, _: Params) -> Response:
    """The old one-call form, with everything when `expand=projects.issuetypes.fields`."""
    kinds = _options(call, FIELDS["issuetype"])
    if "projects.issuetypes.fields" in call.listed("expand"):
        described = {field["fieldId"]: field for field in reading.create_meta(call)}
        kinds = [{**kind, "fields": described} for kind in kinds]
    return answer({"expand": "projects", "projects": [{**render.project(call), "issuetypes": kinds}]})


def create_meta_types(call: Call, params: Params) -> Response:
    _check_project(params["project"])
    kinds = _options(call, FIELDS["issuetype"])
    name = "issueTypes" if call.is_cloud else "values"
    return answer({"startAt": 0, "maxResults": 50, "total": len(kinds), "isLast": True, name: kinds})


def create_meta_fields(call: Call, params: Params) -> Response:
    _check_project(params["project"])
    if catalogue.find(catalogue.ISSUE_TYPES, id=params["type"]) is None:
        raise not_found("The issue type selected is invalid.")
    described = reading.create_meta(call)
    name = "fields" if call.is_cloud else "values"
    return answer({"startAt": 0, "maxResults": 50, "total": len(described), "isLast": True, name: described})


def issue_types(call: Call, _: Params) -> Response:
    return answer(_options(call, FIELDS["issuetype"]))


def priorities(call: Call, _: Params) -> Response:
    return answer(_options(call, FIELDS["priority"]))


def priority_search(call: Call, _: Params) -> Response:
    values = _options(call, FIELDS["priority"])
    return answer({"startAt": 0, "maxResults": 50, "total": len(values), "isLast": True, "values": values})


def resolutions(call: Call, _: Params) -> Response:
    return answer(_options(call, FIELDS["resolution"]))


def statuses(call: Call, _: Params) -> Response:
    return answer([render.status(call, one.id) for one in catalogue.STATUSES])


def status(call: Call, params: Params) -> Response:
    for one in catalogue.STATUSES:
        if params["id"] in {one.id, one.name}:
            return answer(render.status(call, one.id))
    raise not_found(f"The status with id '{params['id']}' does not exist")


def _options(call: Call, field: Field) -> list[dict[str, Any]]:
    return [render.option(call, field, choice) for choice in field.choices]


def attachment_meta(_: Call, __: Params) -> Response:
    return answer({"enabled": True, "uploadLimit": attachments.UPLOAD_LIMIT})


def user(call: Call, _: Params) -> Response:
    field = "accountId" if call.is_cloud else "name"
    given = call.request.param("accountId") or call.request.param("username") or call.request.param("key")
    found = catalogue.user_by(call.state, field, given)
    if found is None:
        raise not_found("Specified user does not exist or you do not have required permissions")
    return answer(render.user(call, found["accountId"]))


def user_search(call: Call, _: Params) -> Response:
    """Users whose name or address has a word beginning with `query` (Cloud) or `username` (Server)."""
    request = call.request
    asked = request.param("query") or request.param("username") or request.param("accountId")
    if not asked and "query" not in dict(request.query):
        raise bad("Either the 'query' or the 'accountId' query parameter is required.")
    found = [row for row in call.state.table("users").values() if _is_like(row, asked.lower())]
    start, most = call.number("startAt", 0), call.number("maxResults", 50, 1000)
    return answer([render.user(call, row["accountId"]) for row in found[start : start + most]])


def _is_like(user: Record, asked: str) -> bool:
    if asked in {".", "%", ""} or asked == user["accountId"].lower():
        return True
    words = [*user["displayName"].lower().split(), user["displayName"].lower(), user["emailAddress"], user["name"]]
    return any(word.startswith(asked) for word in words)


def configuration(call: Call, _: Params) -> Response:
    working = {"workingHoursPerDay": 8, "workingDaysPerWeek": 5, "timeFormat": "pretty", "defaultUnit": "minute"}
    enabled = {
        "votingEnabled": False,
        "watchingEnabled": False,
        "attachmentsEnabled": True,
        "timeTrackingEnabled": True,
    }
    return answer({**enabled, "timeTrackingConfiguration": working, "timeZone": product.time_zone(call.state)})
