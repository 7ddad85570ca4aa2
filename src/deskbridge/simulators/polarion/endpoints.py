"""The work item endpoints: what each method and path does with a session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deskbridge.simulators.polarion import attachments, comments, items, model, workrecords
from deskbridge.simulators.polarion.errors import ApiError, BadRequestError, NotFoundError
from deskbridge.simulators.polarion.jsonapi import (
    Json,
    Resource,
    created,
    document,
    documents,
    identifier,
    no_content,
    page,
    page_links,
    page_of,
    resource_object,
    single,
    target_ids,
)
from deskbridge.simulators.polarion.resources import Resources
from deskbridge.simulators.polarion.session import Record, Session
from deskbridge.simulators.wire import Request, Response, json_response


@dataclass(frozen=True)
class Call:
    """One request on its way: the decoded path parameters and everything an endpoint works with."""

    request: Request
    session: Session
    params: dict[str, str]
    resources: Resources

    @property
    def project(self) -> str:
        """The project of the path; 404 when there is none."""
        self.require_project()
        return self.params["project"]

    def require_project(self) -> None:
        """404 when the path names a project that does not exist."""
        if "project" in self.params and self.params["project"] not in self.session.state.table("projects"):
            raise NotFoundError(f"Project id {self.params['project']} does not exist.")

    @property
    def item(self) -> Record:
        return items.require(self.session, self.project, self.params["item"])

    def page(self, found: Sequence[Record], build: Callable[[Record], Resource]) -> Response:
        return page(self.request, found, build, self.resources.find)

    def single(self, resource: Resource) -> Response:
        return single(self.request, resource, self.resources.find)


Endpoint = Callable[[Call], Response]


# --- work items


def list_work_items(call: Call) -> Response:
    project = call.project if "project" in call.params else None
    query, sort = call.request.param("query"), call.request.param("sort")
    return call.page(items.search(call.session, query, sort, project), call.resources.work_item)


def get_work_item(call: Call) -> Response:
    item = call.item
    if revision := call.request.param("revision"):
        item = items.at_revision(call.session, item, revision)
    return call.single(call.resources.work_item(item))


def post_work_items(call: Call) -> Response:
    project = call.project
    several = documents(call.request, "workitems")
    made = [items.create(call.session, project, data, f"$.data[{index}]") for index, data in enumerate(several)]
    return created(call.request, [call.resources.work_item(item) for item in made])


def patch_work_item(call: Call) -> Response:
    item = call.item
    data = resource_object(document(call.request), "workitems", "$.data")
    _check_id(data, item)
    _change(call, item, data, "$.data")
    return no_content()


def _check_id(data: Json, record: Record) -> None:
    """409, as JSON:API says, when the resource in the body is not the one of the URL."""
    if data.get("id") != record["key"]:
        raise ApiError(409, f"Resource id '{data.get('id')}' does not match the URL.", pointer="$.data.id")


def patch_work_items(call: Call) -> Response:
    for index, data in enumerate(documents(call.request, "workitems")):
        _change(call, _identified(call, data, f"$.data[{index}]"), data, f"$.data[{index}]")
    return no_content()


def _change(call: Call, item: Record, data: Json, pointer: str) -> None:
    action, change_type = call.request.param("workflowAction"), call.request.param("changeTypeTo")
    items.change(call.session, item, data, pointer, action=action, change_type=change_type)


def _identified(call: Call, data: Json, pointer: str) -> Record:
    """The work item that a resource object of a list request names, inside the project of the path."""
    key = identifier(data, "workitems", pointer)
    project, _, item_id = key.partition("/")
    if "project" in call.params and project != call.project:
        raise BadRequestError(f"Work Item '{key}' is not in project {call.project}.", pointer=f"{pointer}.id")
    return items.require(call.session, project, item_id)


def delete_work_items(call: Call) -> Response:
    several = documents(call.request, "workitems")
    doomed = [_identified(call, data, f"$.data[{index}]") for index, data in enumerate(several)]
    for item in {item["key"]: item for item in doomed}.values():
        items.delete(call.session, item)
    return no_content()


def get_workflow_actions(call: Call) -> Response:
    stored = call.item["attributes"]
    return _action_page(call, [_action(action) for action in model.actions(stored["type"], stored["status"])])


def _action(action: model.Action) -> Json:
    return {
        "id": action.number,
        "nativeActionId": action.id,
        "name": action.name,
        "targetStatus": action.target,
        "requiredFields": list(action.required),
        "clearedFields": list(action.cleared),
        "available": True,
        "isSignatureRequired": False,
    }


def available_options(call: Call) -> Response:
    """The options of an enumeration field: for one item, or for a type (`?type=`, any type when it is absent)."""
    call.require_project()
    item_type = call.item["attributes"]["type"] if "item" in call.params else call.request.param("type", "task")
    return _action_page(call, [option.to_json() for option in model.options(_enumeration(call), item_type)])


def _enumeration(call: Call) -> str:
    """The enumeration field of the path, in the project of the path; 404 when either is unknown."""
    field = call.params["field"]
    if field not in model.ENUMS:
        raise NotFoundError(f"Enumeration field '{field}' does not exist in project {call.project}.")
    return field


def current_options(call: Call) -> Response:
    """The options an item has chosen; a ghost is none."""
    stored, field = call.item["attributes"], _enumeration(call)
    chosen = [option for option in model.options(field, stored["type"]) if option.id == stored.get(field)]
    return _action_page(call, [option.to_json() for option in chosen])


def _action_page(call: Call, rows: list[Json]) -> Response:
    """What `.../actions/...` endpoints answer: plain objects instead of resources, paged all the same."""
    number, size = page_of(call.request)
    shown = rows[(number - 1) * size : number * size]
    links = page_links(call.request, number, size, len(rows))
    return json_response(200, {"links": links, "data": shown, "meta": {"totalCount": len(rows)}})


# --- relationships


def get_relationship(call: Call) -> Response:
    name = call.params["relationship"]
    relationships = call.resources.work_item(call.item).relationships
    if name not in relationships:
        raise NotFoundError(f"Relationship '{name}' of a Work Item does not exist.")
    targets = relationships[name]
    if isinstance(targets, tuple):
        return json_response(200, {"data": {"type": targets[0], "id": targets[1]}})
    return _action_page(call, [{"type": kind, "id": key} for kind, key in targets or []])


def change_relationship(call: Call) -> Response:
    """POST adds to, PATCH replaces and DELETE takes from the only writable relationship, the assignees."""
    item = call.item
    if call.params["relationship"] != "assignee":
        raise BadRequestError(f"Relationship '{call.params['relationship']}' cannot be changed here.")
    given = items.users(call.session, target_ids({"data": document(call.request)}, "users", "$"), "$.data")
    present = item["assignee"]
    wanted = {
        "POST": list(dict.fromkeys([*present, *given])),
        "PATCH": given,
        "DELETE": [user for user in present if user not in given],
    }[call.request.method]
    if wanted != present:
        items.save(call.session, {**item, "assignee": wanted}, f"Updated {item['id']}", "workitem.updated")
    return no_content()


# --- comments


def list_comments(call: Call) -> Response:
    return call.page(comments.of_item(call.session, call.item), call.resources.comment)


def get_comment(call: Call) -> Response:
    return call.single(call.resources.comment(comments.require(call.session, call.item, call.params["comment"])))


def post_comments(call: Call) -> Response:
    item = call.item
    several = documents(call.request, "workitem_comments")
    made = [comments.create(call.session, item, data, f"$.data[{index}]") for index, data in enumerate(several)]
    return created(call.request, [call.resources.comment(comment) for comment in made])


def patch_comment(call: Call) -> Response:
    item = call.item
    comment = comments.require(call.session, item, call.params["comment"])
    data = resource_object(document(call.request), "workitem_comments", "$.data")
    _check_id(data, comment)
    comments.change(call.session, item, comment, data)
    return no_content()


# --- attachments


def list_attachments(call: Call) -> Response:
    if call.request.param("sort"):
        raise BadRequestError("Attachments cannot be sorted.", parameter="sort")
    return call.page(attachments.of_item(call.session, call.item), call.resources.attachment)


def get_attachment(call: Call) -> Response:
    return call.single(call.resources.attachment(_attachment(call)))


def _attachment(call: Call) -> Record:
    return attachments.require(call.session, call.item, call.params["attachment"])


def get_attachment_content(call: Call) -> Response:
    content = attachments.content(call.session, _attachment(call))
    return Response(200, [("Content-Type", "application/octet-stream")], content)


def post_attachments(call: Call) -> Response:
    made = attachments.create(call.session, call.item, call.request)
    return created(call.request, [call.resources.attachment(attachment) for attachment in made])


def patch_attachment(call: Call) -> Response:
    attachments.change(call.session, call.item, _attachment(call), call.request)
    return no_content()


def delete_attachment(call: Call) -> Response:
    attachments.delete(call.session, call.item, _attachment(call))
    return no_content()


# --- work records


def list_work_records(call: Call) -> Response:
    return call.page(workrecords.of_item(call.session, call.item), call.resources.work_record)


def get_work_record(call: Call) -> Response:
    return call.single(call.resources.work_record(_work_record(call)))


def _work_record(call: Call) -> Record:
    return workrecords.require(call.session, call.item, call.params["record"])


def post_work_records(call: Call) -> Response:
    item = call.item
    several = documents(call.request, "workrecords")
    made = [workrecords.create(call.session, item, data, f"$.data[{index}]") for index, data in enumerate(several)]
    return created(call.request, [call.resources.work_record(record) for record in made])


def delete_work_record(call: Call) -> Response:
    workrecords.delete(call.session, call.item, [_work_record(call)])
    return no_content()


def delete_work_records(call: Call) -> Response:
    item = call.item
    keys = [
        identifier(data, "workrecords", f"$.data[{index}]")
        for index, data in enumerate(documents(call.request, "workrecords"))
    ]
    for key in keys:
        if not key.startswith(f"{item['key']}/"):
            raise BadRequestError(f"Work Record '{key}' is not one of Work Item {item['id']}.")
    doomed = [workrecords.require(call.session, item, key.rsplit("/", 1)[1]) for key in keys]
    workrecords.delete(call.session, item, doomed)
    return no_content()
