"""What changed: cases, and what hangs on them without moving them, in one order and under one watermark.

A comment or a file leaves its case's SystemModstamp as it was, so three objects are asked, in one call. Times are whole
seconds: at the second of the watermark, each object goes on behind its own last id.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge

from deskbridge.connectors.salesforce.client import Client, Page, Row, literal, moment, soql
from deskbridge.connectors.salesforce.schema import Schema
from deskbridge.sync.connector import ChangePage, Hit, Watermark

MOST = 500
_CASE_PREFIX = "500"


@dataclass(frozen=True)
class _Source:
    """One object to ask: where its rows name their case, and the columns that tell one state from another."""

    sobject: str
    case_field: str
    columns: Sequence[str]


@dataclass(frozen=True)
class _Change:
    at: datetime
    source: int
    row: Row

    @property
    def place(self) -> tuple[datetime, int]:
        """Where it stands in the feed; within one place the order is Salesforce's."""
        return self.at, self.source


def changed_since(client: Client, schema: Schema, since: Watermark, limit: int) -> ChangePage:
    """Return the next changes, at most `limit`, oldest first."""
    limit = min(limit, MOST)
    sources = _sources(schema)
    start, ties = since.at.replace(microsecond=0), _ties(since, len(sources))
    pages = client.query_together(
        [_question(source, start, tie, limit + 1) for source, tie in zip(sources, ties, strict=True)]
    )
    taken, more = _merged(pages, limit)
    hits = [_hit(schema, sources[change.source], change.row) for change in taken]
    return ChangePage([hit for hit in hits if hit.remote_id], _next(since, start, ties, taken), more)


def _sources(schema: Schema) -> list[_Source]:
    return [
        _Source("Case", "Id", schema.columns),
        _Source("CaseComment", "ParentId", ("CommentBody", "IsPublished", "IsDeleted")),
        _Source("ContentVersion", "FirstPublishLocationId", ("IsLatest", "IsDeleted")),
    ]


def _ties(since: Watermark, count: int) -> list[str]:
    """The last id that was seen of each object at the watermark's second; none when the watermark was moved since."""
    second, *ties = since.tie.split("/")
    return ties if len(ties) == count and second == _second(since.at) else [""] * count


def _second(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _question(source: _Source, start: datetime, tie: str, limit: int) -> str:
    columns = ", ".join(dict.fromkeys(("Id", "SystemModstamp", source.case_field, *source.columns)))
    second = _second(start)
    after = f"(SystemModstamp > {second} OR (SystemModstamp = {second} AND Id > {literal(tie)}))"
    where = after if tie else f"SystemModstamp >= {second}"
    return soql(columns, source.sobject, f"WHERE {where}", f"ORDER BY SystemModstamp, Id LIMIT {limit}")


def _merged(pages: Sequence[Page], limit: int) -> tuple[list[_Change], bool]:
    """The changes in one order, none beyond what an object that has more to show may still put before it."""
    columns = [
        [_Change(moment(row["SystemModstamp"]), source, row) for row in page.rows] for source, page in enumerate(pages)
    ]
    cut_short = [
        column[-1].place
        for column, page in zip(columns, pages, strict=True)
        if column and (page.following or len(column) > limit)
    ]
    found = list(merge(*columns, key=lambda change: change.place))
    known = [change for change in found if not cut_short or change.place <= min(cut_short)]
    return known[:limit], bool(cut_short) or len(known) > limit


def _next(since: Watermark, start: datetime, ties: Sequence[str], taken: Sequence[_Change]) -> Watermark:
    if not taken:
        return since
    at = taken[-1].at
    reached = list(ties) if at == start else [""] * len(ties)
    for change in taken:
        if change.at == at:
            reached[change.source] = str(change.row["Id"])
    return Watermark(at, "/".join((_second(at), *reached)))


def _hit(schema: Schema, source: _Source, row: Row) -> Hit:
    """One change; without an id when it is of something that belongs to no case."""
    at = moment(row["SystemModstamp"])
    if source.sobject == "Case":
        return Hit(str(row["Id"]), schema.version(row), at, deleted=row["IsDeleted"])
    state = hashlib.sha256(json.dumps([row.get(name) for name in source.columns]).encode()).hexdigest()[:16]
    case_id = str(row[source.case_field] or "")
    return Hit(case_id if case_id.startswith(_CASE_PREFIX) else "", f"{row['Id']} {row['SystemModstamp']} {state}", at)
