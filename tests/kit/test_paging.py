"""A cursor leads on in the list it came from, and nowhere else."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbridge.kit.errors import Malformed
from deskbridge.kit.ids import new_id
from deskbridge.kit.paging import decode_cursor, encode_cursor, list_key

KEY = list_key("tickets", "open", "by time")
moments = st.datetimes(timezones=st.just(UTC))


@given(moments, st.uuids())
def test_a_position_survives_its_cursor(at: datetime, last: UUID) -> None:
    assert decode_cursor(KEY, encode_cursor(KEY, (at, last)), (datetime, UUID)) == [at, last]


def test_the_key_tells_lists_apart() -> None:
    keys = {list_key(*parts) for parts in (("a", "bc"), ("ab", "c"), ("a", "b", "c"), ("abc",), (["a"], "bc"))}
    assert len(keys) == 5


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = encode_cursor(list_key("messages"), (1, new_id()))
    with pytest.raises(Malformed) as refused:
        decode_cursor(KEY, cursor, (int, UUID))
    assert [error.field for error in refused.value.errors] == ["cursor"]


@given(st.text())
def test_whatever_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode_cursor(KEY, text, (int, UUID))


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([KEY, *parts])).decode().rstrip("=")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (1,),
        (1, str(new_id()), 2),
        ("one", str(new_id())),
        (1.5, str(new_id())),
        (None, None),
        ({"a": 1}, str(new_id())),
        (1, "not an id"),
    ],
)
def test_a_forged_position_is_refused(parts: tuple[object, ...]) -> None:
    with pytest.raises(Malformed):
        decode_cursor(KEY, forged(*parts), (int, UUID))
