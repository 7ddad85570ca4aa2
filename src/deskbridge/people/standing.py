"""Whether those who were let in still may be here, asked of many at once: for connections that last."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Row

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import DomainError
from deskbridge.people import queries
from deskbridge.people.access import ApiTokenCredential, Credential, SessionCredential
from deskbridge.people.actor import Actor
from deskbridge.people.model import ApiToken, TokenFamily, User, WebSession
from deskbridge.people.tokens import ForeignToken, OwnToken

AT_ONCE = 500

Judge = Callable[[queries.Rows], Actor]


def standing(reader: Reader, credentials: Iterable[Credential], *, trust_admin: bool) -> dict[Credential, Actor]:
    """Return for each credential that still holds whom it now speaks for, in four queries per `AT_ONCE` of a kind."""
    found: dict[Credential, Actor] = {}
    for kind, judged in (
        (OwnToken, _own),
        (ForeignToken, partial(_foreign, trust_admin=trust_admin)),
        (SessionCredential, _sessions),
        (ApiTokenCredential, _api_tokens),
    ):
        of_kind = iter([credential for credential in credentials if isinstance(credential, kind)])
        while batch := list(islice(of_kind, AT_ONCE)):
            for credential, judge, rows in judged(reader, batch):
                try:
                    found[credential] = judge(rows)
                except DomainError:  # it is over, or may not do this any more
                    continue
    return found


Judged = Iterator[tuple[Credential, Judge, queries.Rows]]


def _own(reader: Reader, tokens: list[Any]) -> Judged:
    ids = {token.family_id for token in tokens}
    rows = _by_key(reader, queries.FAMILIES.where(TokenFamily.id.in_(ids)), TokenFamily.id)
    for token in tokens:
        if token.expires_at > reader.now:
            yield token, queries.token_actor, rows[(token.family_id,)]


def _foreign(reader: Reader, tokens: list[Any], *, trust_admin: bool) -> Judged:
    subjects = {token.subject for token in tokens}
    rows = _by_key(reader, queries.PEOPLE.where(User.subject.in_(subjects)), User.issuer, User.subject)
    for token in tokens:
        if token.expires_at > reader.now:
            yield (
                token,
                partial(queries.foreign_actor, token=token, trust_admin=trust_admin),
                rows[token.issuer, token.subject],
            )


def _sessions(reader: Reader, sessions: list[Any]) -> Judged:
    digests = {session.digest for session in sessions}
    rows = _by_key(reader, queries.SESSIONS.where(WebSession.digest.in_(digests)), WebSession.digest)
    for session in sessions:
        yield session, lambda found: queries.session_actor(found, reader.now).actor, rows[(session.digest,)]


def _api_tokens(reader: Reader, tokens: list[Any]) -> Judged:
    digests = {token.digest for token in tokens}
    rows = _by_key(reader, queries.API_TOKENS.where(ApiToken.digest.in_(digests)), ApiToken.digest)
    for token in tokens:
        yield token, partial(_api_token_actor, reader, token), rows[(token.digest,)]


def _api_token_actor(reader: Reader, token: ApiTokenCredential, rows: queries.Rows) -> Actor:
    return queries.api_token_actor(rows, reader.now, writes=token.writes).actor


def _by_key(reader: Reader, query: Any, *key: Any) -> dict[tuple[Any, ...], list[Row[Any]]]:
    """Return the rows of a query by the values of these columns."""
    rows: dict[tuple[Any, ...], list[Row[Any]]] = defaultdict(list)
    for row in reader.execute(query.add_columns(*key)):
        rows[tuple(row[-len(key) :])].append(row)
    return rows
