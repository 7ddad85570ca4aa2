"""The client covers the API: every route, once, as the OpenAPI document says."""

import inspect
import io
import re
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from deskbridge.client import Client, Pages, Refused, Upload
from deskbridge.client.routes import Routes


class Noting(httpx.BaseTransport):
    """Refuses everything, and notes which route was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {unquote(request.url.path)}")
        return httpx.Response(404, json={"detail": "No.", "error_code": "NOT_FOUND"})


def methods(client: Client) -> list[Any]:
    groups = [value for name, value in vars(client).items() if not name.startswith("_")]
    return [
        method for group in groups for name, method in inspect.getmembers(group, inspect.ismethod) if name[0] != "_"
    ]


def call(method: Any) -> None:
    """Call a method with something for everything it must be given; what is part of a path is its name in braces."""
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.default is parameter.empty:
            in_path = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            given[name] = f"{{{name}}}" if in_path else ["x"]
        if parameter.annotation is Upload:
            given[name] = Upload("x.txt", io.BytesIO(b"x"))
    answer = method(**given)
    if isinstance(answer, Pages):
        answer.page()
    elif isinstance(answer, AbstractContextManager):
        answer.__enter__()
    else:
        next(answer)


def test_every_route_has_a_method_and_every_method_a_route(app: FastAPI) -> None:
    noting = Noting()
    client = Client("http://desk.test", transport=noting)
    assert isinstance(client, Routes)
    for method in methods(client):
        assert method.__doc__
        with pytest.raises(Refused):
            call(method)
    paths = app.openapi()["paths"]
    described = [f"{method.upper()} {path}" for path, ways in paths.items() for method in ways]
    assert sorted(noting.asked) == sorted(described)


def test_every_parameter_of_a_route_can_be_given(app: FastAPI) -> None:
    source = {
        inspect.getsource(type(group)) for name, group in vars(Client("http://desk.test")).items() if name[0] != "_"
    }
    text = "\n".join(source)
    paged = {"cursor", "page", "per_page"}
    for ways in app.openapi()["paths"].values():
        for operation in ways.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["name"] not in paged:
                    assert re.search(rf"\"{parameter['name']}\": {parameter['name']}", text), parameter["name"]
