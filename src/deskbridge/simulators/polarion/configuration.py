"""The endpoints around work items: projects, users, revisions, server metadata, field metadata, custom fields."""

from typing import Any

from deskbridge.simulators.polarion import model
from deskbridge.simulators.polarion.endpoints import Call
from deskbridge.simulators.polarion.errors import ApiError, BadRequestError, NotFoundError
from deskbridge.simulators.polarion.jsonapi import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    MAX_RELATIONSHIP_SIZE,
    Json,
    Resource,
    path_of,
)
from deskbridge.simulators.polarion.lucene import QueryError, parse
from deskbridge.simulators.polarion.matching import USERS, Context, matcher
from deskbridge.simulators.wire import Response, json_response

BODY_SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes of a JSON request body; attachments have their own, larger limit."""
_VERSION = "3.25.6"


def list_projects(call: Call) -> Response:
    return call.page(call.session.state.table("projects").values(), call.resources.project)


def get_project(call: Call) -> Response:
    return call.single(call.resources.project(call.session.state.table("projects")[call.project]))


def list_users(call: Call) -> Response:
    try:
        context = Context(call.session.moment.date(), call.session.user)
        matches = matcher(parse(call.request.param("query")), context, USERS)
    except QueryError as error:
        raise BadRequestError(str(error), parameter="query") from error
    return call.page(
        [user for user in call.session.state.table("users").values() if matches(user)], call.resources.user
    )


def get_user(call: Call) -> Response:
    """`/user` is the one who asks, `/users/{user}` anyone."""
    user = call.session.state.table("users").get(call.params.get("user", call.session.user))
    if user is None:
        raise NotFoundError(f"User with id '{call.params['user']}' does not exist.")
    return call.single(call.resources.user(user))


def list_revisions(call: Call) -> Response:
    for name in ("query", "sort"):
        if call.request.param(name):
            raise BadRequestError(f"'{name}' is not supported for revisions by this simulator.", parameter=name)
    newest_first = list(reversed(call.session.state.table("revisions").values()))
    return call.page(newest_first, call.resources.revision)


def get_revision(call: Call) -> Response:
    repository, number = call.params["repository"], call.params["revision"]
    revision = call.session.state.table("revisions").get(number)
    if repository != "default" or revision is None:
        raise NotFoundError(f"Revision {repository}/{number} does not exist.")
    return call.single(call.resources.revision(revision))


def get_metadata(call: Call) -> Response:
    limits = {
        "bodySizeLimit": BODY_SIZE_LIMIT,
        "defaultPageSize": DEFAULT_PAGE_SIZE,
        "maxPageSize": MAX_PAGE_SIZE,
        "maxIncludedSize": MAX_PAGE_SIZE,
        "maxRelationshipSize": MAX_RELATIONSHIP_SIZE,
    }
    attributes = {"apiProperties": limits, "node": "simulator", "timezone": "+00:00", "version": _VERSION}
    return call.single(Resource("metadata", "metadata", "/metadata", attributes, {}))


def fields_metadata(call: Call) -> Response:
    """Labels and types of the fields of work items: server-wide, of a project, or of one item's type."""
    if "item" in call.params:
        item_type = call.item["attributes"]["type"]
    else:
        item_type = call.request.param("targetType")
        if (kind := call.request.param("resourceType", "workitems")) != "workitems":
            raise BadRequestError(f"Fields of '{kind}' are not supported by this simulator.", parameter="resourceType")
    call.require_project()
    body = {"attributes": _attribute_fields(item_type), "relationships": _RELATIONSHIP_FIELDS}
    return json_response(200, {"data": body, "links": {"self": f"{call.request.base_url}{call.request.path}"}})


def _attribute_fields(item_type: str) -> Json:
    known = {name: {"label": field.label, "type": _type_of(name, field.kind)} for name, field in model.FIELDS.items()}
    custom = {name: {"label": label, "type": {"kind": "string"}} for name, label in model.CUSTOM_FIELDS.items()}
    return known | (custom if item_type in ("", *model.TYPES) else {})


def _type_of(name: str, kind: str) -> dict[str, Any]:
    if kind == "enumeration":
        return {"kind": kind, "enumName": "workitem-type" if name == "type" else name, "enumContext": "~"}
    if kind == "structure":
        return {"kind": "list", "itemType": {"kind": "structure", "structureName": name}}
    return {"kind": kind}


_RELATIONSHIP_FIELDS = {
    name: {"label": label, "type": {"kind": "relationship", "multi": multi, "targetResourceTypes": [target]}}
    for name, label, multi, target in (
        ("assignee", "Assignee", True, "users"),
        ("author", "Author", False, "users"),
        ("attachments", "Attachments", True, "workitem_attachments"),
        ("comments", "Comments", True, "workitem_comments"),
        ("project", "Project", False, "projects"),
        ("workRecords", "Work Records", True, "workrecords"),
    )
}


def get_custom_fields(call: Call) -> Response:
    kind, target = call.params["resource"], call.params["target"]
    if kind != "workitems" or target not in ("~", *model.TYPES):
        raise NotFoundError(f"Custom fields of {kind}/{target} do not exist.")
    fields = [
        {"id": name, "name": label, "required": False, "type": {"kind": "string"}}
        for name, label in model.CUSTOM_FIELDS.items()
    ]
    path = path_of("projects", call.project, "customfields", kind, target)
    key = f"{call.project}/{kind}/{target}"
    return call.single(Resource("customfields", key, path, {"fields": fields}, {}))


def forbidden(call: Call) -> Response:
    """What only an administrator may do: the integration user is none."""
    raise ApiError(403, f"You do not have permission to {call.request.method} {call.request.path}.")
