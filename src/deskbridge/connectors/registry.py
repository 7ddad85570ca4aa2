"""Which connectors there are: a folder beside this one with a `connector.py` in it is one, and no list names it."""

import importlib
import pkgutil
from functools import cache
from importlib import resources

from deskbridge.connectors.shared import Opens

_HERE = __package__ or ""


@cache
def kinds() -> tuple[str, ...]:
    """Return the names of all connectors."""
    folder = importlib.import_module(_HERE).__path__
    return tuple(sorted(one.name for one in pkgutil.iter_modules(folder) if one.ispkg))


def opener(kind: str) -> Opens:
    """Return what makes a connector of this kind for a site; ValueError when there is no such kind."""
    opens: Opens = importlib.import_module(f"{_HERE}.{_checked(kind)}.connector").CONNECTOR
    return opens


def shipped_mapping(kind: str) -> str:
    """Return the mapping, as YAML, that works with a fresh tracker of this kind; ValueError when there is none."""
    return resources.files(f"{_HERE}.{_checked(kind)}").joinpath("mapping.yaml").read_text(encoding="utf-8")


def _checked(kind: str) -> str:
    if kind not in kinds():
        raise ValueError(f"no such connector: {kind} (known: {', '.join(kinds())})")
    return kind
