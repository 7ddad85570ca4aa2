"""Reports, exports and the doctor: figures, files that are whole, and what is wrong with a set-up."""

import csv
import json
import stat
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.conftest import Run
from tests.factories import Cast, Factory
from tools.servers import free_port

from deskbridge.tickets.model import Status


@pytest.mark.parametrize("report", ["period", "resolution-time", "categories"])
def test_a_report_as_a_table_as_json_and_as_a_picture(
    desk_cli: Run, cast: Cast, make: Factory, tmp_path: Path, report: str
) -> None:
    make.ticket(cast.customer, status=Status.RESOLVED)
    drawn = desk_cli("report", report, "--plot", "out.png", "--json")
    assert drawn.code == 0, drawn.err
    assert drawn.json
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.format == "PNG"
        assert len(picture.getcolors(100_000) or []) > 3
    assert len(desk_cli("report", report).out.splitlines()) > 1
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.png"]


def test_a_picture_that_cannot_be_drawn(desk_cli: Run) -> None:
    assert desk_cli("report", "categories", "--plot", "out.jpg").code == 2
    ended = desk_cli("report", "categories", "--plot", "nowhere/out.png")
    assert ended.code == 1
    assert "nowhere/out.png" in ended.err


def test_figures_say_what_happened(desk_cli: Run, cast: Cast, make: Factory) -> None:
    for _ in range(3):
        make.ticket(cast.customer)
    counts = {line["category"]: line["total"] for line in desk_cli("report", "categories", "--json").json}
    assert counts["INCIDENT"] == 3
    assert sum(counts.values()) == 3
    refused = desk_cli("report", "categories", "--as", "carla@example.org")
    assert (refused.code, refused.out) == (1, "")


def test_an_export_is_whole_and_harmless(desk_cli: Run, cast: Cast, make: Factory, tmp_path: Path) -> None:
    first = make.ticket(cast.customer, title='=HYPERLINK("http://evil.example")', tags=["a", "b"])
    make.ticket(cast.stranger, status=Status.CLOSED)
    assert desk_cli("export", "out.csv").code == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == [str(first.number), str(first.number + 1)]
    assert rows[0]["title"].startswith("'=")
    assert (rows[0]["requester"], rows[0]["tags"]) == ("Carla Customer", "a, b")
    lines = desk_cli("export", "--format", "jsonl", "--status", "closed").out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [first.number + 1]
    assert desk_cli("export", "mine.csv", "--as", "carla@example.org").code == 0
    assert len((tmp_path / "mine.csv").read_text().splitlines()) == 2
    failed = desk_cli("export", "other.csv", "--assignee", "nobody@example.org")
    assert failed.code == 1
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["mine.csv", "out.csv"]


def test_the_doctor_finds_nothing_wrong(desk_cli: Run) -> None:
    ended = desk_cli("doctor", "--json")
    assert ended.code == 0, ended.out
    assert {one["what"] for one in ended.json} >= {"settings", "database", "attachments"}
    assert "WRONG" not in desk_cli("doctor").out


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        ("SERVICE_PORT", "many", "settings"),
        ("DATABASE_URL", "sqlite:///empty.db", "database"),
        ("SMTP_URL", "smtp://user:swordfish@127.0.0.1:{port}", "mail server"),
        ("CLAMD_URL", "unix:///nowhere/clamd", "virus scanner"),
        ("UPLOAD_STORAGE_PATH", "/proc/nowhere", "attachments"),
    ],
)
def test_the_doctor_names_what_is_wrong(
    desk_cli: Run, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, what: str
) -> None:
    monkeypatch.setenv(setting, value.format(port=free_port()))
    ended = desk_cli("doctor", "--json")
    assert ended.code == 1
    assert [one["what"] for one in ended.json if not one["ok"]] == [what]
    assert "swordfish" not in ended.out + ended.err


def test_a_desk_moves_by_its_archive(
    desk_cli: Run, cast: Cast, make: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = make.ticket(cast.customer)
    assert desk_cli("db", "backup", "desk.zip", "--json").json["files"] == 0
    assert stat.S_IMODE((tmp_path / "desk.zip").stat().st_mode) == 0o600
    (tmp_path / "new").mkdir()
    monkeypatch.setenv("DATABASE_URL", "sqlite:///new/desk.db")
    restored = desk_cli("db", "restore", "desk.zip")
    assert restored.code == 0, restored.err
    assert str(ticket.number) in desk_cli("ticket", "list").out
    assert sorted(path.name for path in (tmp_path / "new").glob(".deskbridge-*"))
    again = desk_cli("db", "restore", "desk.zip")
    assert (again.code, again.out) == (1, "")
    monkeypatch.setenv("SECRET_KEY", "another key that is long enough for a desk")
    assert "SECRET_KEY" in desk_cli("db", "restore", "desk.zip").err
