"""Asking the API for whatever its document allows and for what it does not, as each role: every check must hold.

`FUZZ_EXAMPLES` says how many examples each operation gets as each caller (20); the seed is fixed, so that a finding
comes again.
"""

import os
import tomllib
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.auths import AuthContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.specs.openapi.checks import ignored_auth
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

EVERYTHING = "/api/v1/"
SIGNING_IN = "/api/v1/auth/"
TICKETS = "/api/v1/(?:tickets|messages|comments|attachments|time-entries|search|views)"
THE_REST = f"(?!{TICKETS})/api/v1/"


def findings(api: Api, world: World, callers: Sequence[Person], *phases: str, paths: str = EVERYTHING) -> list[str]:
    """Return everything that is wrong with what these callers get in these phases; none is nobody who is signed in.

    What one caller sends, all the others send too, since making it up is what takes the time; they take turns at being
    the first. A ticket and all that goes with it are there.
    """
    world.everything()
    schema = _schema(api.app, phases, paths)
    turns = Turns([SignedIn(api, world, caller) for caller in callers])
    schema.auth.providers[:] = [turns] if callers else []
    schema.hooks.unregister_all()
    schema.hook("after_call")(partial(turns.ask_as_others))
    found = [*_told(from_schema(schema).execute()), *turns.found]
    print(*found, sep="\n\n")  # whole, where an assertion would cut it short
    return found


@cache
def _schema(app: FastAPI, phases: tuple[str, ...], paths: str) -> Any:
    """Return what an application says of its API; what is derived from it for one caller is there for the next."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=_config(phases))
    return schema.exclude(path_regex=f"^(?!{paths})").exclude(path=[name.split()[1] for name in ENDLESS])


class SignedIn:
    """A caller's way in: who locks themselves out with what they send is let in again."""

    def __init__(self, api: Api, world: World, caller: Person) -> None:
        self._access, self._world, self._token, self.caller = api.access, world, "", caller

    @property
    def header(self) -> str:
        if not self._access.desk.database.read(self._still_in):
            self._world.write(self._let_in)
            self._token = access_token(self._access, self.caller)
        return f"Bearer {self._token}"

    def _still_in(self, reader: Reader) -> bool:
        try:
            actor = self._access._actor(reader, self._access._tokens.read(self._token, reader.now))
        except Unauthenticated:
            return False
        return actor.role is self.caller.role

    def _let_in(self, uow: UnitOfWork) -> None:
        own = {"active": True, "role": self.caller.role}
        uow.execute(update(User).where(User.id == self.caller.id).values(**own))


class Turns:
    """Signs each case in as another caller, and then sends it as all the others too."""

    def __init__(self, callers: Sequence[SignedIn]) -> None:
        self._callers, self._first = deque(callers), ""
        self._found: dict[tuple[str, ...], str] = {}

    @property
    def found(self) -> list[str]:
        """What is wrong with what the others got, each fault of an operation once."""
        return list(self._found.values())

    def get(self, _case: Case, _context: AuthContext) -> str:
        self._callers.rotate()
        self._first = self._callers[0].header
        return self._first

    def set(self, case: Case, header: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = header

    def ask_as_others(self, _context: HookContext, case: Case, response: Response) -> None:
        if response.request.headers.get("Authorization") != self._first:
            return  # it is about having no credentials, or was sent as one of the others
        for other in list(self._callers)[1:]:
            try:
                case.call_and_validate(headers={"Authorization": other.header}, excluded_checks=[ignored_auth])
            except FailureGroup as failures:
                titles = sorted(str(failure) for failure in failures.exceptions)
                self._found.setdefault(
                    (case.operation.label, *titles), f"{other.caller.role}: {failures.message.strip()}"
                )


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
