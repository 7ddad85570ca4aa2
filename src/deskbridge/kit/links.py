"""Links in the OpenAPI document: which calls go on from something that was just made, and where its id goes."""

from typing import Any

ID = "{id}"


def add_links(document: dict[str, Any]) -> None:
    """Link every answer of 201 to the operations on what it shows, which goes by its `id` or else its `key`."""
    paths, schemas = document["paths"], document["components"]["schemas"]
    homes = _homes(paths)
    for path, ways in paths.items():
        for operation in ways.values():
            made = operation["responses"].get("201")
            if made is None:
                continue
            shown = schemas[_answered(made).rpartition("/")[2]]["properties"]
            there = {"id": f"$response.body#/{'id' if 'id' in shown else 'key'}"}
            mine = {home for home in homes.get(_answered(made), ()) if home.count("{") == 1} | {f"{path}/{ID}"}
            links = {
                other["operationId"]: {"operationId": other["operationId"], "parameters": there}
                for home, ways_on in paths.items()
                if any(home == one or home.startswith(f"{one}/") for one in mine)
                for other in ways_on.values()
            }
            if links:
                made["links"] = links


def _homes(paths: dict[str, Any]) -> dict[str, set[str]]:
    """Return the addresses of one thing of a kind, `…/{id}`, by the schema that calls to them answer with."""
    homes: dict[str, set[str]] = {}
    for path, ways in paths.items():
        for operation in ways.values() if path.endswith(f"/{ID}") else ():
            schema = _answered(operation["responses"].get("200", {}))
            if schema:
                homes.setdefault(schema, set()).add(path)
    return homes


def _answered(response: dict[str, Any]) -> str:
    """Return the schema of an answer, if it is one thing."""
    schema: str = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return schema
