"""Commands run in the test's own process, and what they print."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deskbridge import cli


@dataclass
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, url: str | None = None) -> Ended:
        if url:
            monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setattr(sys, "argv", ["deskbridge", *arguments])
        capsys.readouterr()
        try:
            code = cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ended(code, said.out, said.err)

    return run


@pytest.fixture
def desk_cli(run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same on the database under test."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return run
