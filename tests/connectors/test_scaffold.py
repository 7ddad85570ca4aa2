"""A connector that was just begun: in its place, of use as it is, and in nobody's way."""

import importlib
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
    result = CliRunner().invoke(app, ["connector", "new", "Acme Desk", "--root", str(tree)])
    assert result.exit_code == 0
    folder = "src/deskbridge/connectors/acme_desk/"
    files = ("__init__.py", "client.py", "connector.py", "mapping.yaml", "README.md")
    assert result.output.split() == [*(folder + name for name in files), "tests/connectors/test_acme_desk.py"]
    assert all((tree / path).is_file() for path in result.output.split())


def test_a_new_connector_is_one_by_its_folder_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_connector("Acme Desk", tree)
    monkeypatch.setattr(
        deskbridge.connectors, "__path__", [*deskbridge.connectors.__path__, str(tree / "src/deskbridge/connectors")]
    )
    importlib.invalidate_caches()
    kinds.cache_clear()
    try:
        assert "acme_desk" in kinds()
        made = opener("acme_desk")
        assert getattr(made, "__name__", "") == "AcmeDesk"
        assert set(dir(made)) >= METHODS
        assert yaml.safe_load(shipped_mapping("acme_desk"))["product"] == "acme_desk"
    finally:
        kinds.cache_clear()
        for name in [name for name in sys.modules if name.startswith("deskbridge.connectors.acme_desk")]:
            del sys.modules[name]


def test_what_is_written_is_in_the_projects_form(tree: Path) -> None:
    python = [str(tree / path) for path in begin_connector("Acme Desk", tree) if path.suffix == ".py"]
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    unsorted = ["--ignore", "I001"]  # what is of the project is only known inside of it
    assert subprocess.run([*ruff, "check", *settings, *unsorted, *python], check=False).returncode == 0
    assert subprocess.run([*ruff, "format", "--check", *settings, *python], check=False).returncode == 0


@pytest.mark.parametrize("name", ["", "1st", "...", "class", "Jira", "service now"])
def test_a_name_that_makes_no_folder_or_is_taken_is_refused(tree: Path, name: str) -> None:
    (tree / "src/deskbridge/connectors/service_now").mkdir()
    (tree / "src/deskbridge/connectors/service_now/client.py").write_text("kept")
    with pytest.raises(CannotBegin):
        begin_connector(name, tree)
    assert (tree / "src/deskbridge/connectors/service_now/client.py").read_text() == "kept"


def test_outside_of_a_source_tree_nothing_is_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["connector", "new", "Acme", "--root", str(tmp_path)])
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
