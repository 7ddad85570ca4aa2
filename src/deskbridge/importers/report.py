"""What an import did, in numbers that can be compared with the file it read."""

from collections.abc import Iterable

import msgspec

SHOWN = 20


class Skipped(msgspec.Struct, frozen=True):
    """A line of the file that was not brought in, and why; `line` counts from 1, the header included."""

    line: int
    reason: str


class Unmapped(msgspec.Struct):
    """A value that the desk has no counterpart for. The field kept what it had; the event is in the history."""

    column: str
    value: str
    lines: list[int]


class Count(msgspec.Struct, frozen=True):
    """How many incidents of the file end with a value, and how many of their tickets have it in the desk now."""

    value: str
    in_file: int
    in_desk: int


class Report(msgspec.Struct):
    """An import, reconciled: events read = imported + present + skipped.

    `present` were there from an earlier run, which is why running again changes nothing. `history_entries` counts the
    CREATED entry of each ticket too; an event may be several entries (a new status and a new team) and is at least one.
    """

    file: str
    time_zone: str
    events_read: int = 0
    events_imported: int = 0
    events_present: int = 0
    events_skipped: int = 0
    tickets_imported: int = 0
    tickets_present: int = 0
    history_entries: int = 0
    people_added: int = 0
    teams_added: int = 0
    categories_added: int = 0
    statuses: list[Count] = []
    priorities: list[Count] = []
    groups: list[Count] = []
    unmapped: list[Unmapped] = []
    skipped: list[Skipped] = []


def as_text(report: Report) -> str:
    """Return a report as people read it."""
    lines = [
        f"{report.file}: times have no zone there and were taken as {report.time_zone}.",
        "",
        f"  events read        {report.events_read:>8,}",
        f"    imported         {report.events_imported:>8,}",
        f"    already present  {report.events_present:>8,}",
        f"    skipped          {report.events_skipped:>8,}",
        f"  tickets imported   {report.tickets_imported:>8,}",
        f"    already present  {report.tickets_present:>8,}",
        f"  history entries    {report.history_entries:>8,}",
        f"  people added       {report.people_added:>8,}",
        f"  teams added        {report.teams_added:>8,}",
        f"  categories added   {report.categories_added:>8,}   (inactive: not offered for new tickets)",
    ]
    for title, counts in (("Status", report.statuses), ("Priority", report.priorities), ("Group", report.groups)):
        lines += ["", f"  {title:<24}{'file':>8}{'desk':>8}", *map(_count_line, counts)]
    if report.unmapped:
        lines += ["", "  Values the desk has no counterpart for; the fields kept what they had:"]
        lines += [f"    {each.column} {each.value!r} on {_lines(each.lines)}" for each in report.unmapped]
    if report.skipped:
        lines += ["", "  Skipped:", *(f"    line {each.line}: {each.reason}" for each in report.skipped)]
    return "\n".join(lines)


def _count_line(count: Count) -> str:
    differs = "" if count.in_file == count.in_desk else "   differs"
    return f"    {count.value:<22}{count.in_file:>8,}{count.in_desk:>8,}{differs}"


def _lines(numbers: Iterable[int]) -> str:
    shown = sorted(numbers)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ("line " if len(shown) == 1 else "lines ") + ", ".join(map(str, shown[:SHOWN])) + more
