"""A connector that was just begun: in its place, of use as it is, and in nobody's way."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import deskbridge.connectors
from deskbridge.cli import app
from deskbridge.connectors.registry import kinds, opener, shipped_mapping
from deskbridge.connectors.scaffold import CannotBegin, begin_connector
from deskbridge.simulators.product import known, product
from deskbridge.sync.connector import Connector

ROOT = Path(__file__).resolve().parents[2]
METHODS = {name for name in vars(Connector) if not name.startswith("_")}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src/deskbridge/connectors").mkdir(parents=True)
    return tmp_path


def test_the_files_of_a_new_connector_are_written_and_named(tree: Path) -> None:
    result = CliRunner().invoke(app, ["connector", "new", "Nobodys Desk", "--root", str(tree)])
    assert result.exit_code == 0
    connector = ("__init__.py", "client.py", "connector.py", "mapping.yaml", "README.md")
    simulator = ("__init__.py", "api.py", "records.py", "pages.py")
    assert result.output.split() == [
        *(f"src/deskbridge/connectors/nobodys_desk/{name}" for name in connector),
        *(f"src/deskbridge/simulators/nobodys_desk/{name}" for name in simulator),
        "tests/connectors/test_nobodys_desk.py",
    ]
    assert all((tree / path).is_file() for path in result.output.split())


def test_a_new_connector_is_one_by_its_folder_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_connector("Nobodys Desk", tree)
    monkeypatch.setattr(
        deskbridge.connectors, "__path__", [*deskbridge.connectors.__path__, str(tree / "src/deskbridge/connectors")]
    )
    importlib.invalidate_caches()
    kinds.cache_clear()
    try:
        assert "nobodys_desk" in kinds()
        made = opener("nobodys_desk")
        assert getattr(made, "__name__", "") == "NobodysDesk"
        assert set(dir(made)) >= METHODS
        assert yaml.safe_load(shipped_mapping("nobodys_desk"))["product"] == "nobodys_desk"
    finally:
        kinds.cache_clear()
        for name in [name for name in sys.modules if name.startswith("deskbridge.connectors.nobodys_desk")]:
            del sys.modules[name]


def test_what_is_written_is_in_the_projects_form(tree: Path) -> None:
    python = [str(tree / path) for path in begin_connector("Nobodys Desk", tree) if path.suffix == ".py"]
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    unsorted = ["--ignore", "I001"]  # what is of the project is only known inside of it
    assert subprocess.run([*ruff, "check", *settings, *unsorted, *python], check=False).returncode == 0
    assert subprocess.run([*ruff, "format", "--check", *settings, *python], check=False).returncode == 0


def test_what_is_written_keeps_the_contract_before_a_word_of_it_is_changed(tree: Path) -> None:
    begin_connector("Nobodys Desk", tree)
    (tree / "beside.py").write_text(_BESIDE)
    suite = str(tree / "tests/connectors/test_nobodys_desk.py")
    command = [sys.executable, "-m", "pytest", "-p", "beside", "-p", "no:cacheprovider", "-p", "no:xdist"]
    ran = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), suite],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]


_BESIDE = """\
import pathlib

import deskbridge.connectors
import deskbridge.simulators

for package in (deskbridge.connectors, deskbridge.simulators):
    folder = pathlib.Path(__file__).parent / "src" / package.__name__.replace(".", "/")
    package.__path__.append(str(folder))
"""
"""A plugin for the suite's run: whoever began these files would have them in the source tree."""


@pytest.mark.parametrize("name", ["", "1st", "...", "class", "Jira", "service now"])
def test_a_name_that_makes_no_folder_or_is_taken_is_refused(tree: Path, name: str) -> None:
    (tree / "src/deskbridge/connectors/service_now").mkdir()
    (tree / "src/deskbridge/connectors/service_now/client.py").write_text("kept")
    with pytest.raises(CannotBegin):
        begin_connector(name, tree)
    assert (tree / "src/deskbridge/connectors/service_now/client.py").read_text() == "kept"


def test_outside_of_a_source_tree_nothing_is_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["connector", "new", "Nobody", "--root", str(tmp_path)])
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_every_connector_has_a_simulator_a_mapping_of_its_own_and_a_page_about_it() -> None:
    assert {"jira", "servicenow", "salesforce", "polarion"} <= set(kinds())
    for kind in kinds():
        assert set(dir(opener(kind))) >= METHODS
        assert yaml.safe_load(shipped_mapping(kind))["product"] == kind
        assert (ROOT / "src/deskbridge/connectors" / kind / "README.md").is_file()
        assert kind in known()
        assert product(kind).name == kind


def test_an_unknown_kind_is_refused_by_name() -> None:
    for refused in (opener, shipped_mapping):
        with pytest.raises(ValueError, match="no_such"):
            refused("no_such")
