"""Commands about search."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from deskbridge.cli.local import opened
from deskbridge.cli.output import AsJson, progress_bar, show, show_rows
from deskbridge.cli.remote import talks
from deskbridge.client.choices import SearchOrder

if TYPE_CHECKING:
    from deskbridge.client import Client


class Finding(TyperGroup):
    """A group whose first word, where it is none of its commands, is what to find."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["find", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(
    cls=Finding, help="Full-text search: `search QUERY` finds, `search reindex` keeps.", no_args_is_help=True
)


@group.command("find")
@talks
def search_find(
    desk: "Client",
    query: Annotated[
        str, typer.Argument(help='Words, "phrases", beginnings*, status:OPEN, assignee:, tag: and so on.')
    ],
    order: Annotated[SearchOrder, typer.Option(help="The newest first, or the best.")] = SearchOrder.RECENCY,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find tickets by what they and their conversations say."""
    found = list(islice(desk.search.search_tickets(q=query, order=order, limit=min(limit, 200)), limit))
    rows = [
        (f"#{one.ticket.number}", one.ticket.status, one.ticket.title, " … ".join(p.text for p in one.passages))
        for one in found
    ]
    show_rows(found, ["Ticket", "Status", "Title", "Found"], rows, as_json=as_json)


@group.command("reindex")
def search_reindex(as_json: AsJson = False) -> None:
    """Build the full-text index anew while the desk goes on; safe to interrupt and to run again."""
    from deskbridge.search.service import how_many, reindex

    if_interrupted = "The old index answers for what is not indexed anew; run the command again to finish."
    with opened() as database, progress_bar("Indexing", if_interrupted=if_interrupted) as progress:
        total, done = database.read(how_many), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total)

        written = reindex(database, advance)
    show({"documents": written}, as_json=as_json, text=f"Indexed {written} documents.")
