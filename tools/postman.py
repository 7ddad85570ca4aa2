"""The API as a Postman collection (v2.1): a folder for each tag, an example body for each request."""

import json
from typing import Any

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
REFERENCE = "#/components/schemas/"
DEEPEST = 6
EXAMPLES = {
    "uuid": "0199a000-0000-7000-8000-000000000000",
    "date-time": "2026-11-20T08:30:00Z",
    "date": "2026-11-20",
}


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """Return the collection for an OpenAPI document."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, ways in document["paths"].items():
        for method, operation in ways.items():
            request = _request(method.upper(), path, operation, document["components"]["schemas"])
            folders.setdefault(operation["tags"][0], []).append(request)
    return {
        "info": {"name": document["info"]["title"], "description": document["info"]["summary"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [
            {"key": "base_url", "value": "http://127.0.0.1:8002", "type": "string"},
            {"key": "token", "value": "", "type": "string"},
        ],
        "item": [{"name": tag, "item": items} for tag, items in folders.items()],
    }


def _request(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    request: dict[str, Any] = {
        "method": method,
        "header": [_pair(one, schemas) for one in parameters if one["in"] == "header"],
        "url": _url(path, parameters, schemas),
        "description": operation.get("description", ""),
    }
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        request["body"] = _body(media_type, content["schema"], schemas)
        if media_type == "application/json":
            request["header"].append({"key": "Content-Type", "value": media_type})
    if operation.get("security") == []:
        request["auth"] = {"type": "noauth"}
    return {"name": operation["summary"], "request": request, "response": []}


def _url(path: str, parameters: list[dict[str, Any]], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return an address as Postman takes it: parts of the path that vary begin with a colon."""
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    query = [_pair(one, schemas) for one in parameters if one["in"] == "query"]
    variable = [_pair(one, schemas) for one in parameters if one["in"] == "path"]
    for one in variable:
        one.pop("disabled", None)
    return {
        "raw": "{{base_url}}/" + "/".join(parts),
        "host": ["{{base_url}}"],
        "path": parts,
        "query": query,
        "variable": variable,
    }


def _pair(parameter: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter; one that may be left out is there but switched off."""
    value = _example(parameter["schema"], schemas)
    value = value[0] if isinstance(value, list) and value else value
    pair = {"key": parameter["name"], "value": "" if value is None or value == [] else str(value)}
    pair["description"] = parameter.get("description", "")
    return pair if parameter.get("required") else {**pair, "disabled": True}


def _body(media_type: str, schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if media_type == "multipart/form-data":
        fields = _resolved(schema, schemas).get("properties", {})
        parts = [
            {"key": name, "type": "file", "src": None}
            if one.get("format") == "binary"
            else {"key": name, "type": "text", "value": str(_example(one, schemas)).lower(), "disabled": True}
            for name, one in fields.items()
        ]
        return {"mode": "formdata", "formdata": parts}
    raw = json.dumps(_example(schema, schemas), indent=2, ensure_ascii=False)
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else schema
    return found


def _example(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """Return a value this schema allows: the default where there is one, else something that shows its kind."""
    if "default" in schema:
        return schema["default"]
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and depth < DEEPEST:
        fields = schema.get("properties", {})
        return {name: _example(one, schemas, depth + 1) for name, one in fields.items()}
    if kind == "array":
        return [_example(schema["items"], schemas, depth + 1)] if schema.get("minItems") else []
    if kind == "string":
        return EXAMPLES.get(schema.get("format", ""), "text")
    return {"integer": int(schema.get("minimum", 1)), "number": 1.0, "boolean": False}.get(str(kind))
