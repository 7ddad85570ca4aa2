"""The house's own rules, where no linter knows them."""

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import deskbridge
from deskbridge.connectors.registry import kinds
from deskbridge.kit.errors import DomainError
from deskbridge.kit.events import CATALOGUE
from deskbridge.kit.http import STATUS, status_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "deskbridge"
APART = {"deskbridge.simulators", "deskbridge.connectors", "deskbridge.demo"}
"""Packages with contracts of their own kind; their modules see no slice."""

MODULES = sorted(m.name for m in pkgutil.walk_packages(deskbridge.__path__, "deskbridge."))


def subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


@pytest.fixture(scope="module")
def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return found


@pytest.fixture(scope="module", autouse=True)
def _everything_loaded() -> None:
    for name in MODULES:
        if not name.startswith("deskbridge.migrations") and not name.endswith("__main__"):
            importlib.import_module(name)


def named_in(contract: dict[str, Any]) -> set[str]:
    """Return the modules that a layers contract puts somewhere."""
    return {name.strip(" ()") for layer in contract["layers"] for name in layer.replace(":", "|").split("|")}


def test_every_package_has_its_place_in_the_house(contracts: list[dict[str, Any]]) -> None:
    house = named_in(next(contract for contract in contracts if contract["name"].startswith("The house")))
    top = {".".join(name.split(".")[:2]) for name in MODULES}
    assert top - house - APART - {"deskbridge.migrations", "deskbridge.models", "deskbridge.logs"} == set()


def test_every_module_of_a_slice_has_its_role(contracts: list[dict[str, Any]]) -> None:
    roles: dict[str, set[str]] = defaultdict(set)
    for contract in contracts:
        if contract["type"] == "layers" and not contract["name"].startswith("The house"):
            for name in named_in(contract):
                roles[".".join(name.split(".")[:2])].add(name)
    missing = [
        module
        for module in MODULES
        for package, placed in roles.items()
        if module.startswith(f"{package}.")
        and package not in APART
        and not any(module == name or module.startswith(f"{name}.") for name in placed)
    ]
    assert missing == []


def test_every_event_and_every_error_says_what_it_is() -> None:
    for kind in (*CATALOGUE.values(), *subclasses(DomainError)):
        assert kind.__doc__, kind
        assert not kind.__doc__.startswith(f"{kind.__name__}("), f"{kind} has only what dataclasses write"


def test_error_codes_are_unique_and_have_a_status() -> None:
    codes: dict[str, set[type]] = defaultdict(set)
    for kind in subclasses(DomainError):
        assert kind.__module__.startswith("deskbridge.")
        if "code" in vars(kind):
            codes[vars(kind)["code"]].add(kind)
    assert [code for code, kinds in codes.items() if len(kinds) > 1] == []
    assert all(code == code.upper() and code.isascii() for code in codes)
    answered = [kind for kind in subclasses(DomainError) if any(base in STATUS for base in kind.__mro__)]
    assert len(answered) > len(STATUS)
    assert {status_of(kind.__new__(kind)) for kind in answered} <= set(STATUS.values())


def calls_in(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def slices() -> list[Path]:
    """The source files of the domain: what runs under a unit of work."""
    apart = {"simulators", "connectors", "demo", "migrations"}
    return [path for path in SOURCES.rglob("*.py") if not apart & set(path.relative_to(SOURCES).parts)]


@pytest.mark.parametrize(
    ("calls", "home"),
    [
        ({"datetime.now", "datetime.utcnow", "time.time", "date.today", "datetime.today"}, {"kit/clock.py"}),
        ({"uuid4", "uuid.uuid4", "uuid1", "uuid7", "secrets.token_urlsafe"}, {"kit/ids.py", "settings.py"}),
        ({"uow.session.commit", "uow.connection.commit", "session.commit", "connection.commit"}, set()),
        ({"event.listen", "event.listens_for"}, {"kit/engines.py"}),
        ({"queue.Queue", "Queue", "asyncio.Queue"}, set()),
    ],
    ids=["time from the clock", "ids from one place", "no commits", "no listeners", "no queues in memory"],
)
def test_what_has_one_home_is_nowhere_else(calls: set[str], home: set[str]) -> None:
    elsewhere = [
        f"{path.relative_to(SOURCES)}:{line} {name}"
        for path in slices()
        if str(path.relative_to(SOURCES)) not in home
        for line, name in calls_in(path)
        if name in calls
    ]
    assert elsewhere == []


def test_every_table_is_known_to_migrations_and_tests() -> None:
    from deskbridge.models import MODULES as MAPPED

    mapping = {
        ".".join(("deskbridge", *path.relative_to(SOURCES).with_suffix("").parts))
        for path in slices()
        if "    __tablename__ = " in path.read_text()
    }
    assert mapping == set(MAPPED)


def test_every_test_can_fail() -> None:
    """Each has an assertion, expects an error, or calls a helper that asserts."""
    helpless = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text())
        asserting = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _asserts(node, set())
        }
        helpless += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _asserts(node, asserting)
        ]
    assert helpless == []


def _asserts(function: ast.FunctionDef, asserting: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in {"raises", "fail", "expect", "warns"} or called in asserting or called.startswith("assert"):
                return True
    return False


def imported_by(path: Path) -> set[str]:
    """Return the top-level names a file imports from elsewhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"deskbridge"}


def test_whatever_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    declared = {re.split(r"[\[<>=; ]", line)[0].replace("-", "_") for line in [*project["dependencies"], *extras]}
    given_by = packages_distributions()
    undeclared = {
        name
        for path in SOURCES.rglob("*.py")
        for name in imported_by(path)
        if not {one.replace("-", "_").lower() for one in given_by.get(name, [name])} & declared
    }
    assert undeclared == set()


def test_nothing_but_the_demo_asks_which_tracker_it_is() -> None:
    """A connector and a simulator are added by their folders alone."""
    apart = [SOURCES / name for name in ("connectors", "simulators", "demo")]
    paths = [path for path in SOURCES.rglob("*.py") if not any(path.is_relative_to(one) for one in apart)]
    named = {
        f"{path.relative_to(SOURCES)}:{node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in kinds()
    }
    assert named == set()
    settings = (ROOT / "pyproject.toml").read_text()
    assert [kind for kind in kinds() if re.search(rf"(connectors|simulators)\.{kind}\b", settings)] == []
