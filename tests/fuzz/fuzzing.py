"""Asking the API, as one caller, for whatever its document allows and for what it does not: every check must hold.

`FUZZ_EXAMPLES` says how many examples each operation gets (20); the seed is fixed, so that a finding comes again.
"""

import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.auths import AuthContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.filters import HasAPIOperation
from schemathesis.generation.case import Case
from sqlalchemy import update
from tests.factories import Person
from tests.meta.requests import World
from tests.meta.routes import ENDLESS
from tests.support.http import Api, access_token

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Unauthenticated
from deskbridge.people.model import User

CONFIG = Path(__file__).resolve().parents[2] / "schemathesis.toml"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
SEED = 20261120
PHASES = ("examples", "coverage", "fuzzing", "stateful")


def findings(api: Api, world: World, caller: Person | None, *phases: str) -> list[str]:
    """Return everything that is wrong with what a caller gets in these phases; None is nobody who is signed in.

    A ticket and all that goes with it are there. Whoever locks themselves out on the way is let in again.
    """
    world.everything()
    schema = _schema(api.app, phases)
    schema.auth.unregister()
    if caller is not None:
        _sign_in(schema, api, world, caller)
    elif EXAMPLES <= 20:  # as everybody, each operation is asked without credentials once: here, those that need none
        schema = schema.exclude(_needs_somebody)
    found = list(_told(from_schema(schema).execute()))
    print(*found, sep="\n\n")  # whole, where an assertion would cut it short
    return found


@cache
def _schema(app: FastAPI, phases: tuple[str, ...]) -> Any:
    """Return what an application says of its API: read once, so that what is derived from it for one caller is there
    for the next."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=_config(phases))
    return schema.include(path_regex="^/api/v1").exclude(path=[name.split()[1] for name in ENDLESS])


def _needs_somebody(context: HasAPIOperation) -> bool:
    return context.operation.definition.raw.get("security") != []


def _sign_in(schema: Any, api: Api, world: World, caller: Person) -> None:
    access, token = api.access, ""

    def still_in(reader: Reader) -> bool:
        try:
            return access._actor(reader, access._tokens.read(token, reader.now)).role is caller.role
        except Unauthenticated:
            return False

    def let_in(uow: UnitOfWork) -> None:
        uow.execute(update(User).where(User.id == caller.id).values(active=True, role=caller.role))

    class Token:
        def get(self, _case: Case, _context: AuthContext) -> str:
            nonlocal token
            if not access.desk.database.read(still_in):
                world.write(let_in)
                token = access_token(access, caller)
            return token

        def set(self, case: Case, data: str, _context: AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    schema.auth(refresh_interval=None)(Token)


def _config(phases: tuple[str, ...]) -> SchemathesisConfig:
    config: dict[str, Any] = tomllib.loads(CONFIG.read_text())
    own = {
        "seed": SEED,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
    }
    return SchemathesisConfig.from_dict(config | own)


def _told(stream: Iterator[events.EngineEvent]) -> Iterator[str]:
    """Return what failed, each with the request that shows it, and what kept the run from being made."""
    for event in stream:
        if isinstance(event, events.NonFatalError):
            yield str(event.info)
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            for checks in event.recorder.checks.values():
                for check in checks:
                    if check.failure_info is not None:
                        yield f"{event.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
