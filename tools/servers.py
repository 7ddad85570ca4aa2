"""The database servers and the browser that the tests need: those named, those running here, or ones we start."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from deskbridge.kit.engines import engine_url
from deskbridge.kit.errors import DomainError

START_SECONDS = 60


class Missing(Exception):
    """Something the tests would need is not to be had on this machine; the text says why."""


class Misnamed(Exception):
    """The environment names something that does not work: a mistake to see, not to work around."""


@dataclass(frozen=True)
class Server:
    """A kind of database server: where it is named, where it usually listens, what it is made of."""

    name: str
    variable: str
    usual: tuple[str, ...]
    package: str
    system_user: str
    start: Callable[[Path, int, ExitStack], str]


def find(server: Server) -> str | None:
    """Return the address of a server that is named in the environment or listens on its usual port, if one answers.

    Raises `Misnamed` when the one that is named does not.
    """
    named = os.environ.get(server.variable)
    if named:
        if complaint := _refusal(named):
            raise Misnamed(f"{server.variable} names a server that does not answer: {complaint}")
        return named
    return next((url for url in server.usual if _refusal(url) is None), None)


def _refusal(url: str) -> str | None:
    """Return why a server cannot be used, or None if it can."""
    try:
        engine = create_engine(engine_url(url), connect_args={"connect_timeout": 3})
    except DomainError as error:
        return str(error)
    try:
        with engine.connect():
            return None
    except SQLAlchemyError as error:
        return str(error).splitlines()[0]
    finally:
        engine.dispose()


@contextmanager
def found_or_started(server: Server) -> Iterator[str]:
    """Give the address of a server: one that is there, else our own for the length of the block.

    Our own lives in a temporary folder, trusts local connections and does not wait for the disk.
    """
    url = find(server)
    if url is not None:
        yield url
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True)))
        if os.getuid() == 0:
            _install(server.package, server.system_user)
            shutil.chown(folder, server.system_user)
        yield server.start(folder, free_port(), stack)


def _install(package: str, system_user: str) -> None:
    """Install a package unless the user it brings is there already."""
    if subprocess.run(["id", system_user], capture_output=True, check=False).returncode:
        install([package])


def install(packages: Sequence[str]) -> None:
    """Install Debian packages; raises `Missing` where this may not be done."""
    if os.getuid() or not shutil.which("apt-get"):
        raise Missing(f"not installed, and only root on Debian may install it ({' '.join(packages)})")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run([*apt, *step], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            raise Missing(f"apt-get {step[0]} failed: {said.splitlines()[-1] if said else done.returncode}")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_postgres(folder: Path, port: int, stack: ExitStack) -> str:
    initdb, postgres, data = _newest_postgres("initdb"), _newest_postgres("postgres"), str(folder / "data")
    _run("postgres", [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"])
    options = ["fsync=off", "max_connections=200", f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1"]
    settings = [word for option in options for word in ("-c", option)]
    process = _background("postgres", [postgres, "-D", data, "-p", str(port), *settings], folder, stack)
    return _wait(f"postgresql://postgres@127.0.0.1:{port}/postgres", process, folder)


def _newest_postgres(program: str) -> str:
    """Return a program that Debian keeps off the path, in a folder for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which(program)
    if not found:
        raise Missing(f"there is no {program} on this machine")
    return found


def _start_mariadb(folder: Path, port: int, stack: ExitStack) -> str:
    prepare, serve = shutil.which("mariadb-install-db"), shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    if not prepare or not Path(serve).exists():
        raise Missing("there is no mariadb-install-db or mariadbd on this machine")
    data = f"--datadir={folder / 'data'}"
    _run("mysql", [prepare, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"])
    place = [data, f"--port={port}", f"--socket={folder / 'socket'}", "--bind-address=127.0.0.1"]
    process = _background(
        "mysql", [serve, "--no-defaults", *place, "--innodb-flush-log-at-trx-commit=0"], folder, stack
    )
    return _wait(f"mysql://root@127.0.0.1:{port}/mysql", process, folder)


def _user(system_user: str) -> str | None:
    """Return whom to run a server as: neither of them runs as root."""
    return system_user if os.getuid() == 0 else None


def _run(system_user: str, command: Sequence[str]) -> None:
    done = subprocess.run(command, user=_user(system_user), capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise Missing(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-300:]}")


def _background(system_user: str, command: Sequence[str], folder: Path, stack: ExitStack) -> subprocess.Popen[bytes]:
    """Start a server that ends with the stack, whatever ends it."""
    log = stack.enter_context((folder / "log").open("wb"))
    process = subprocess.Popen(command, user=_user(system_user), stdout=log, stderr=log, cwd="/")
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> str:
    """Return the address once the server answers."""
    for _ in range(START_SECONDS * 5):
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if _refusal(url) is None:
                return url
        else:
            break
    raise Missing(f"it did not start: {(folder / 'log').read_text(errors='replace').strip()[-300:]}")


POSTGRES = Server(
    "PostgreSQL",
    "TEST_POSTGRES_URL",
    tuple(f"postgresql://{user}@127.0.0.1:5432/postgres" for user in dict.fromkeys(["postgres", getpass.getuser()])),
    "postgresql",
    "postgres",
    _start_postgres,
)
MARIADB = Server(
    "MariaDB",
    "TEST_MYSQL_URL",
    tuple(f"mysql://{user}@127.0.0.1:3306/mysql" for user in dict.fromkeys(["root", getpass.getuser()])),
    "mariadb-server",
    "mysql",
    _start_mariadb,
)


def find_chromium() -> str | None:
    """Return the browser that is named or on the path; raises `Misnamed` when the one that is named is not there."""
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).exists():
        raise Misnamed(f"CHROMIUM names a browser that is not there: {named}")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def chromium() -> str:
    """Return the browser, installed if it may be."""
    present = find_chromium()
    if present is None:
        if sys.platform == "linux":
            install(["chromium", "fonts-liberation", "fonts-noto-core", "fonts-noto-color-emoji"])
        present = find_chromium()
    if present is None:
        raise Missing("there is no chromium on this machine (set CHROMIUM to a browser's path)")
    return present
