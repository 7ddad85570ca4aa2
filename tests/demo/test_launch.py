"""`deskbridge demo` as somebody starts it: a process, its output, its address."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deskbridge.demo.people import PASSWORD

COMMAND = (sys.executable, "-m", "deskbridge.cli", "demo", "--port-base", "0", "--folder")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(port: int) -> dict[str, str]:
    return os.environ | {"SERVICE_PORT": str(port), "PYTHONUNBUFFERED": "1"}


@contextmanager
def running_demo(folder: Path, port: int, *options: str) -> Iterator[str]:
    """Start the demo and yield what it printed by the time it says that it is up."""
    command = [*COMMAND, str(folder), *options]
    with subprocess.Popen(
        command, env=environment(port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as demo:
        assert demo.stdout is not None
        printed = []
        for line in demo.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        try:
            yield "".join(printed)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=20)
    assert demo.returncode == 0


def sign_in(address: str, email: str) -> dict[str, str]:
    answer = httpx.post(f"{address}/api/v1/auth/login", json={"username": email, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


def test_it_prints_addresses_and_logins_that_work_and_begins_anew_each_time(tmp_path):
    port = free_port()
    totals = []
    for _ in range(2):
        with running_demo(tmp_path, port) as printed:
            address = re.search(r"http://\S+", printed)[0]
            assert address == f"http://127.0.0.1:{port}"
            emails = re.findall(r"\S+@example\.org", printed)
            assert len(emails) >= 12
            headers = sign_in(address, emails[0])
            answer = httpx.get(f"{address}/api/v1/tickets?with_total=true", headers=headers)
            totals.append(answer.json()["total"])
            reply = {"title": "Mine", "description": "Gone at the next start.", "category": "SUPPORT"}
            assert httpx.post(f"{address}/api/v1/tickets", json=reply, headers=headers).status_code == 201
    assert totals[0] == totals[1] >= 60


def test_the_simulated_trackers_run_beside_it(tmp_path):
    base = free_port()
    with running_demo(tmp_path, free_port(), "--port-base", str(base)) as printed:
        assert [f"http://127.0.0.1:{base + n}" in printed for n in range(4)] == [True] * 4
        answer = httpx.get(f"http://127.0.0.1:{base}/rest/api/3/myself", auth=("desk@example.org", "desk-token"))
        assert answer.status_code == 200


CASE = {"Subject": "Invoices are wrong", "Description": "Every total is doubled.", "Status": "New", "Origin": "Web"}


def test_its_trackers_are_in_step_from_the_start(tmp_path):
    base, port = free_port(), free_port()
    address = f"http://127.0.0.1:{port}"
    with running_demo(tmp_path, port, "--port-base", str(base)):
        headers = sign_in(address, "alex@example.org")
        with httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=30) as desk:
            found = desk.get("/sync/status").json()["items"]
            kinds = ("jira", "polarion", "salesforce", "servicenow")
            assert [(one["kind"], one["state"]) for one in found] == [(kind, "ACTIVE") for kind in kinds]
            assert tour(address) == {f"http://127.0.0.1:{base + place}/" for place in range(4)}
            # A Case becomes a ticket in Support.
            opened = heard(desk, "TicketOpened", lambda: new_case(f"http://127.0.0.1:{base + 2}"))
            number = opened["ticket"]["number"]
            ticket = desk.get(f"/tickets/{number}").json()
            assert (ticket["title"], ticket["team"]["name"], ticket["channel"]) == (CASE["Subject"], "Support", "SYNC")
            # Moving it to Admin files an incident, which has its title.
            teams = {team["name"]: team["id"] for team in desk.get("/teams").json()["items"]}
            admin = {"team_id": teams["Admin"]}
            linked = heard(desk, "TicketLinked", lambda: desk.put(f"/tickets/{number}/assign", json=admin))
            assert (linked["ticket"]["number"], linked["change"]["connection"]) == (number, "ServiceNow")
            incident = linked["change"]["remote_key"]
            shown = httpx.get(f"http://127.0.0.1:{base + 1}/api/now/table/incident", headers=TOKEN).json()["result"]
            assert [(one["number"], one["short_description"]) for one in shown] == [(incident, CASE["Subject"])]


TOKEN = {"Authorization": "Bearer desk-token"}


def tour(address: str) -> set[str]:
    """Return the trackers' addresses that the tour leads to, which the desk's navigation leads to."""
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as browser:
        form = {"csrf_token": re.search(r'name="csrf_token" value="(\w+)"', browser.get("/sign-in").text)[1]}
        login = {"username": "amelia@example.org", "password": PASSWORD}
        listed = browser.post("/sign-in", data=form | login, headers={"Origin": address})
        assert 'href="/desk/tour"' in listed.text
        return set(re.findall(r'href="(http:[^"]+)"', browser.get("/desk/tour").text))


def new_case(org: str) -> None:
    answer = httpx.post(f"{org}/services/data/v59.0/sobjects/Case/", json=CASE, headers=TOKEN)
    assert answer.status_code == 201


def heard(desk: httpx.Client, event: str, act: Callable[[], object]) -> dict[str, Any]:
    """Return what the stream tells with the next such event once something was done."""
    with desk.stream("GET", "/stream") as stream:
        lines = stream.iter_lines()
        next(lines)
        act()
        for line in lines:
            if line == f"event: {event}":
                break
        told = next(line for line in lines if line.startswith("data:"))
        found: dict[str, Any] = json.loads(told.removeprefix("data:"))
        return found


def test_a_second_demo_leaves_the_first_ones_folder_alone(tmp_path):
    with running_demo(tmp_path, free_port()):
        second = subprocess.run(
            [*COMMAND, str(tmp_path)], env=environment(free_port()), capture_output=True, text=True, check=False
        )
    assert second.returncode == 1
    assert "Another demo is running" in second.stderr


def test_a_taken_port_is_named_before_anything_is_wiped(tmp_path):
    kept = tmp_path / "demo.db"
    kept.write_text("from before")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [*COMMAND, str(tmp_path)], env=environment(port), capture_output=True, text=True, check=False
        )
    assert refused.returncode == 1
    assert str(port) in refused.stderr
    assert kept.read_text() == "from before"
