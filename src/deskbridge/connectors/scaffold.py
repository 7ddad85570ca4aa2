"""Begin a connector: the files of one for an imaginary tracker, and of that tracker, under the new one's name."""

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from deskbridge.connectors.registry import kinds

_PLACES = {
    "__init__.py.txt": "src/deskbridge/connectors/{kind}/__init__.py",
    "client.py.txt": "src/deskbridge/connectors/{kind}/client.py",
    "connector.py.txt": "src/deskbridge/connectors/{kind}/connector.py",
    "mapping.yaml.txt": "src/deskbridge/connectors/{kind}/mapping.yaml",
    "README.md.txt": "src/deskbridge/connectors/{kind}/README.md",
    "simulator_init.py.txt": "src/deskbridge/simulators/{kind}/__init__.py",
    "simulator_api.py.txt": "src/deskbridge/simulators/{kind}/api.py",
    "simulator_records.py.txt": "src/deskbridge/simulators/{kind}/records.py",
    "simulator_pages.py.txt": "src/deskbridge/simulators/{kind}/pages.py",
    "test.py.txt": "tests/connectors/test_{kind}.py",
}


class CannotBegin(Exception):
    """The name is of no use, or there is something in the way; the text says which."""


def begin_connector(name: str, root: Path) -> list[Path]:
    """Write the files of a new connector into a source tree and return their paths, relative to `root`.

    `name` is as people write it (`GitHub`); folder and class are made from it. Nothing is ever overwritten.
    """
    kind = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not kind.isidentifier() or keyword.iskeyword(kind):
        raise CannotBegin(f"{name!r} makes no folder: use a name that begins with a letter")
    if not (root / "src/deskbridge/connectors").is_dir():
        raise CannotBegin(f"{root} is not a source tree of Deskbridge: run this where pyproject.toml is")
    paths = {source: Path(place.format(kind=kind)) for source, place in _PLACES.items()}
    taken = [str(path) for path in paths.values() if (root / path).exists()]
    if kind in kinds() or taken:
        raise CannotBegin(f"there is a connector {kind} already" + (f": {', '.join(taken)}" if taken else ""))
    words = {"title": name, "kind": kind, "class_name": _class_name(name)}
    for source, path in paths.items():
        _write(root / path, Template(_text(source)).substitute(words))
    return list(paths.values())


def _class_name(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def _text(source: str) -> str:
    folder = resources.files(__package__ or "").joinpath("scaffold_files")
    return folder.joinpath(source).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
