"""JSON:API as Polarion speaks it: sparse fieldsets, paging, links, `include`, and reading request documents."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from deskbridge.simulators.polarion.errors import BadRequestError, wrong_type
from deskbridge.simulators.wire import Request, Response, json_response, url

API = "/polarion/rest/v1"
DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 100
MAX_RELATIONSHIP_SIZE = 100
"""To-many relationships inside a resource are cut here; `meta.totalCount` then tells how many there are."""

Json = dict[str, Any]
T = TypeVar("T")

BASIC = {
    "workitems": {"id", "title", "type", "status"},
    "workitem_comments": {"id", "title", "text", "created", "resolved", "author", "parentComment"},
    "workitem_attachments": {"id", "fileName"},
    "workrecords": {"id", "date", "timeSpent", "type", "user"},
    "users": {"id", "name"},
    "projects": {"id", "name"},
    "revisions": {"id", "created", "message"},
    "metadata": {"version"},
}


@dataclass(frozen=True)
class Resource:
    """A resource before the sparse fieldset; `relationships` map to (type, id), a list of those, or None."""

    type: str
    id: str
    path: str
    attributes: Json
    relationships: Mapping[str, "tuple[str, str] | list[tuple[str, str]] | None"]
    revision: str = ""
    links: tuple[tuple[str, str], ...] = ()


Finder = Callable[[str, str], "Resource | None"]
"""The resource of a type and id, for `include`."""


@dataclass(frozen=True)
class View:
    """How the client wants to see resources: the server's own address and its `fields[...]` parameters."""

    base_url: str
    fields: Mapping[str, frozenset[str]]

    def link(self, path: str) -> str:
        return f"{self.base_url}{API}{path}"

    def show(self, resource: Resource, default: str) -> Json:
        """The resource as JSON; `default` is the fieldset used when the client named none for its type.

        A fieldset filters relationships as well: one that is not named is not there, not even as an empty one.
        """
        chosen = self.fields.get(resource.type, frozenset([default]))
        shown: Json = {"type": resource.type, "id": resource.id}
        if resource.revision:
            shown["revision"] = resource.revision
        if attributes := _chosen(resource.attributes, chosen, resource.type):
            shown["attributes"] = attributes
        if relationships := self._relationships(resource, chosen):
            shown["relationships"] = relationships
        return shown | {"links": {"self": self.link(resource.path), **dict(resource.links)}}

    def _relationships(self, resource: Resource, chosen: frozenset[str]) -> Json:
        # Empty ones are left out: `"data": null` makes clients generated from the vendor's schema raise TypeError
        filled = {name: targets for name, targets in resource.relationships.items() if targets}
        return {name: _linkage(filled[name]) for name in _chosen(filled, chosen, resource.type)}


def view(request: Request) -> View:
    fields = {
        key[len("fields[") : -1]: frozenset(name.strip() for name in value.split(",") if name.strip())
        for key, value in request.query
        if key.startswith("fields[") and key.endswith("]")
    }
    return View(request.base_url, {kind: names for kind, names in fields.items() if names})


def _chosen(values: Mapping[str, Any], chosen: frozenset[str], kind: str) -> Json:
    if "@all" in chosen:
        return dict(values)
    names = chosen | BASIC.get(kind, set()) if "@basic" in chosen else chosen
    return {name: value for name, value in values.items() if name in names}


def _linkage(targets: "tuple[str, str] | list[tuple[str, str]]") -> Json:
    if isinstance(targets, tuple):
        return {"data": {"type": targets[0], "id": targets[1]}}
    linkage: Json = {"data": [{"type": kind, "id": key} for kind, key in targets[:MAX_RELATIONSHIP_SIZE]]}
    if len(targets) > MAX_RELATIONSHIP_SIZE:
        linkage["meta"] = {"totalCount": len(targets)}
    return linkage


# --- answers


def single(request: Request, resource: Resource, find: Finder) -> Response:
    """200 with one resource, all its fields unless the client chose some."""
    shown = view(request)
    body: Json = {"data": shown.show(resource, "@all"), "links": {"self": shown.link(resource.path)}}
    return json_response(200, body | _included(request, [resource], find))


def page(request: Request, found: Sequence[T], to_resource: Callable[[T], Resource], find: Finder) -> Response:
    """200 with one page of what was found, `meta.totalCount`, and `links.next` exactly when there is a next page."""
    number, size = page_of(request)
    resources = [to_resource(one) for one in found[(number - 1) * size : number * size]]
    shown = view(request)
    body: Json = {
        "links": page_links(request, number, size, len(found)),
        "data": [shown.show(resource, "@basic") for resource in resources],
        "meta": {"totalCount": len(found)},
    }
    return json_response(200, body | _included(request, resources, find))


def page_of(request: Request) -> tuple[int, int]:
    """(page[number], page[size]) of the request."""
    return _positive(request, "page[number]", 1, None), _positive(
        request, "page[size]", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
    )


def _positive(request: Request, name: str, default: int, most: int | None) -> int:
    text = request.param(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1 or (most is not None and number > most):
        allowed = f"between 1 and {most}" if most else "1 or more"
        raise BadRequestError(f"Parameter '{name}' must be {allowed}, but was '{text}'.", parameter=name)
    return number


def page_links(request: Request, number: int, size: int, total: int) -> Json:
    last = max(1, -(-total // size))
    pages = {"self": number, "first": 1, "last": last}
    if number > 1:
        pages["prev"] = number - 1
    if number < last:
        pages["next"] = number + 1
    return {name: _page_url(request, wanted, size) for name, wanted in pages.items()}


def _page_url(request: Request, number: int, size: int) -> str:
    query = [(key, value) for key, value in request.query if key not in ("page[number]", "page[size]")]
    query += [("page[size]", str(size)), ("page[number]", str(number))]
    return request.base_url + url(request.path, query)


def created(request: Request, resources: Sequence[Resource]) -> Response:
    """201 with identifiers and links only, in the order of the request."""
    shown = view(request)
    data = [
        {"type": one.type, "id": one.id, "links": {"self": shown.link(one.path), **dict(one.links)}}
        for one in resources
    ]
    return json_response(201, {"data": data})


def no_content() -> Response:
    return Response(204)


def _included(request: Request, resources: Sequence[Resource], find: Finder) -> Json:
    names = [name.strip() for name in request.param("include").split(",") if name.strip()]
    if not names:
        return {}
    known = {name for resource in resources for name in resource.relationships}
    for name in names:
        if resources and name not in known:
            raise BadRequestError(f"Relationship '{name}' cannot be included.", parameter="include")
    targets = dict.fromkeys(target for one in resources for name in names for target in _targets(one, name))
    shown = view(request)
    found = [resource for target in targets if (resource := find(*target)) is not None]
    return {"included": [shown.show(resource, "@basic") for resource in found]}


def _targets(resource: Resource, name: str) -> list[tuple[str, str]]:
    targets = resource.relationships[name]
    return [targets] if isinstance(targets, tuple) else targets or []


def path_of(*segments: str) -> str:
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


# --- request documents


def document(request: Request) -> Any:
    """`data` of the request's document."""
    return data_of(request.body)


def data_of(raw: bytes) -> Any:
    """`data` of a JSON document, BadRequestError when it is none."""
    try:
        body = json.loads(raw)
        if b"\\ud" in raw.lower():
            # Half a surrogate pair is no text: nothing that stores or shows it could write it as UTF-8
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"Malformed request body: {error}", pointer="$") from error
    if not isinstance(body, dict):
        raise wrong_type("BEGIN_OBJECT", body, "$")
    return body.get("data")


def documents(request: Request, kind: str) -> list[Json]:
    """The resource objects of a list request (POST, PATCH or DELETE of a collection), each of type `kind`."""
    data = document(request)
    if not isinstance(data, list):
        raise wrong_type("BEGIN_ARRAY", data, "$.data")
    if not data:
        raise BadRequestError("At least one resource is required.", pointer="$.data")
    return [resource_object(one, kind, f"$.data[{index}]") for index, one in enumerate(data)]


def resource_object(value: object, kind: str, pointer: str) -> Json:
    if not isinstance(value, dict):
        raise wrong_type("BEGIN_OBJECT", value, pointer)
    if value.get("type") != kind:
        raise BadRequestError(
            f"Resource type '{kind}' expected, but was '{value.get('type')}'.", pointer=f"{pointer}.type"
        )
    return value


def member(data: Json, name: str, pointer: str) -> Json:
    """An object member (`attributes`, `relationships`) of a resource object; empty when it is absent."""
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise wrong_type("BEGIN_OBJECT", value, f"{pointer}.{name}")
    return value


def target_ids(value: object, kind: str, pointer: str) -> list[str]:
    """The ids in a relationship object `{"data": null | {type, id} | [...]}` whose targets are of type `kind`."""
    if not isinstance(value, dict):
        raise wrong_type("BEGIN_OBJECT", value, pointer)
    data = value.get("data")
    several = data if isinstance(data, list) else [data] if data is not None else []
    return [identifier(one, kind, f"{pointer}.data[{index}]") for index, one in enumerate(several)]


def identifier(value: object, kind: str, pointer: str) -> str:
    key = resource_object(value, kind, pointer).get("id")
    if not isinstance(key, str):
        raise wrong_type("STRING", key, f"{pointer}.id")
    return key
