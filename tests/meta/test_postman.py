"""The Postman collection holds every route, in the shape that Postman reads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCE / "postman.json").read_text())
    return found


def requests(collection: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for folder in collection["item"]:
        assert folder["name"]
        for item in folder["item"]:
            assert item["name"]
            yield item["request"]


def test_every_route_is_in_it_once(collection: dict[str, Any]) -> None:
    paths = json.loads((REFERENCE / "openapi.json").read_text())["paths"]
    described = [f"{method.upper()} {path}" for path, ways in paths.items() for method in ways]
    paths_held = [re.sub(r":([a-z_]+)", r"{\1}", "/".join(one["url"]["path"])) for one in requests(collection)]
    held = [f"{one['method']} /{path}" for one, path in zip(requests(collection), paths_held, strict=True)]
    assert sorted(held) == sorted(described)


def test_it_has_the_shape_of_version_2_1(collection: dict[str, Any]) -> None:
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json")
    assert collection["auth"]["type"] == "bearer"
    variables = {one["key"] for one in collection["variable"]}
    for one in requests(collection):
        url = one["url"]
        assert set(re.findall(r"{{(\w+)}}", json.dumps(one))) <= variables
        assert url["raw"] == "{{base_url}}/" + "/".join(url["path"])
        assert {part[1:] for part in url["path"] if part.startswith(":")} == {part["key"] for part in url["variable"]}
        assert all({"key", "value"} <= pair.keys() for pair in [*url["query"], *one["header"]])
        body = one.get("body", {"mode": "none"})
        assert body["mode"] in {"none", "raw", "formdata"}
        if body["mode"] == "raw":
            assert isinstance(json.loads(body["raw"]), dict)
