"""RESULTS.md: a section for each part, with the numbers, the machine and the method, written by the run itself."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "httpx", "sqlalchemy", "psycopg", "msgspec")
SECTIONS = ("Requests", "Sync", "Live stream")
_PART = re.compile(r"^## (.+)\n+((?:(?!## ).*\n?)*)", re.MULTILINE)


def write_section(title: str, text: str, server_versions: Mapping[str, str]) -> None:
    """Put what a part measured in the place of what it measured the last time; the other sections stay."""
    present = {name: body.strip() for name, body in _PART.findall(RESULTS.read_text())}
    present[title] = f"{_circumstances(title, server_versions)}\n\n{text}"
    parts = [f"## {name}\n\n{present[name]}" for name in SECTIONS if name in present]
    RESULTS.write_text("\n\n".join(["# Bench", *parts]) + "\n")


def _circumstances(title: str, server_versions: Mapping[str, str]) -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    servers = ", ".join(f"{name} {number}" for name, number in server_versions.items())
    return (
        f"Written by `python -m bench {title.lower().rpartition(' ')[2]}` on {datetime.now(UTC):%Y-%m-%d} "
        f"at commit {commit}.\n"
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {servers}; {packages}.\n"
        f"The load average of the last quarter of an hour was {os.getloadavg()[2]:.1f}, the bench's own included."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
