"""How the web's doors find the trackers: whoever composes the application leaves them in its state."""

from dataclasses import dataclass

from starlette.requests import Request

from deskbridge.kit.sealed import Seal
from deskbridge.sync.lines import Lines


@dataclass(frozen=True)
class Reach:
    """The trackers, and what seals their credentials."""

    lines: Lines
    seal: Seal


def trackers_of(request: Request) -> Reach:
    """Return what the application was composed with."""
    reach: Reach = request.app.state.trackers
    return reach
