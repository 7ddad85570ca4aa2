"""What happens to service levels."""

from dataclasses import dataclass
from enum import StrEnum

from deskbridge.kit.events import catalogued
from deskbridge.tickets.events import TicketEvent
from deskbridge.tickets.model import Audience


class TargetName(StrEnum):
    RESPONSE = "response"
    RESOLUTION = "resolution"


@catalogued
@dataclass(frozen=True, kw_only=True)
class SlaWarning(TicketEvent):
    """A ticket has used up 50, 75 or 90 percent of a target."""

    target: TargetName
    percent: int
    audience: Audience = Audience.INTERNAL


@catalogued
@dataclass(frozen=True, kw_only=True)
class SlaBreached(TicketEvent):
    """A ticket went past a target; recorded once for each."""

    target: TargetName
    audience: Audience = Audience.INTERNAL
