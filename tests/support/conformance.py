"""Holding every answer that a test gets against what the OpenAPI document says of it."""

import re
from functools import cached_property
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI

UNDESCRIBED = {405, 500}
"""What any address may answer, and no document lists."""


class Described:
    """What one application says of itself."""

    def __init__(self, app: FastAPI) -> None:
        self.document: dict[str, Any] = app.openapi()
        self._validators: dict[str, Any] = {}

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """The paths as patterns, those without a parameter first."""
        paths = sorted(self.document["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    def check(self, answer: httpx.Response) -> None:
        """Raise `AssertionError` for an answer that the document does not describe."""
        path = re.sub(r"^/api/(?!v1/)", "/api/v1/", answer.request.url.path)
        name = next((name for pattern, name in self._patterns if pattern.fullmatch(path)), None)
        operation = self.document["paths"].get(name, {}).get(answer.request.method.lower())
        if operation is None or answer.status_code in UNDESCRIBED:
            return
        here = f"{answer.request.method} {name}"
        described = operation["responses"].get(str(answer.status_code))
        if answer.status_code == 304:
            described = {}
        assert described is not None, f"{here} does not say that it answers {answer.status_code}: {answer.text[:300]}"
        for header, how in described.get("headers", {}).items():
            assert header in answer.headers or not how.get("required"), f"{here} answers without {header}"
        self._check_body(here, answer, described.get("content", {}))

    def _check_body(self, here: str, answer: httpx.Response, content: dict[str, Any]) -> None:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert answer.content == b"", f"{here} says that its {answer.status_code} has no body: {answer.text[:300]}"
            return
        assert kind in content, f"{here} does not say that it answers {kind}"
        schema = content[kind]["schema"]
        if kind == "application/json":
            for problem in self._validator(schema).iter_errors(answer.json()):
                raise AssertionError(f"{here} answers {answer.status_code} otherwise than it says: {problem}")

    def _validator(self, schema: dict[str, Any]) -> Any:
        key = str(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[key]
