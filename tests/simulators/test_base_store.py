"""The state of a simulator: undo, indexes, numbers, snapshots, and the file behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbridge.simulators.persistence import Persistence
from deskbridge.simulators.store import State


class AbandonedError(Exception):
    """Raised to leave a transaction by force."""


@contextmanager
def abandoned(state: State) -> Iterator[None]:
    """A transaction that fails at its end."""
    try:
        with state.transaction():
            yield
            raise AbandonedError
    except AbandonedError:
        return


def test_a_failed_transaction_leaves_no_trace() -> None:
    state = State()
    state.table("a").put("1", {"n": 1})
    with abandoned(state):
        state.table("a").put("1", {"n": 2})
        state.table("a").put("2", {"n": 3})
        state.table("new").put("x", {})
        state.blobs.put("b", b"x")
        assert state.next("number") == 1
    assert state.table("a").items() == [("1", {"n": 1})]
    assert len(state.table("new")) == len(state.blobs) == 0
    assert state.next("number") == 1


def test_transactions_nest() -> None:
    state = State()
    with state.transaction():
        state.table("a").put("1", {"n": 1})
        with abandoned(state):
            state.table("a").put("1", {"n": 2})
        with state.transaction():
            state.table("a").put("2", {"n": 2})
    assert [record["n"] for record in state.table("a").values()] == [1, 2]


def test_an_outer_failure_takes_back_what_an_inner_transaction_kept() -> None:
    state = State()
    with abandoned(state), state.transaction():
        state.table("a").put("1", {"n": 1})
    assert len(state.table("a")) == 0


def test_the_index_follows_every_change() -> None:
    state = State()
    table = state.table("a")
    table.put("1", {"colour": "red"})
    assert [record["colour"] for record in table.by("colour", "red")] == ["red"]
    table.put("2", {"colour": "red"})
    table.put("1", {"colour": "blue"})
    assert len(table.by("colour", "red")) == 1
    with abandoned(state):
        table.delete("2")
        assert table.by("colour", "red") == []
    assert len(table.by("colour", "red")) == 1
    table.clear()
    assert table.by("colour", "red") == table.by("colour", "blue") == []


def test_identifiers_differ_and_repeat_with_the_seed() -> None:
    first, second = State(seed=7), State(seed=7)
    made = [first.hex() for _ in range(3)]
    assert len(set(made)) == 3
    assert made == [second.hex() for _ in range(3)]
    assert made[0] != State(seed=8).hex()


def test_a_snapshot_holds_everything() -> None:
    state = State()
    state.table("a").put("1", {"n": [1, {"x": "é"}]})
    state.blobs.put("b", bytes(range(256)))
    state.set("lag", 3)
    copy = State()
    copy.load(state.dump())
    assert (copy.dump(), copy.setting("lag"), copy.blobs["b"]) == (state.dump(), 3, bytes(range(256)))


def test_the_file_brings_back_what_was_saved(tmp_path: Path) -> None:
    state = State()
    first = Persistence(tmp_path / "deep" / "x.db")
    assert not first.load(state)
    state.table("a").put("1", {"text": "half \ud83d"})
    state.table("a").put("2", {"n": 2})
    state.blobs.put("b", b"\0\1")
    first.save(state)
    state.table("a").delete("2")
    state.blobs.delete("b")
    state.table("a").put("3", {"n": 3})
    first.save(state)
    first.close()
    loaded = State()
    second = Persistence(tmp_path / "deep" / "x.db")
    assert second.load(loaded)
    second.close()
    assert loaded.dump() == state.dump()


def test_a_reset_reaches_the_file_too(tmp_path: Path) -> None:
    state = State()
    persistence = Persistence(tmp_path / "x.db")
    state.table("a").put("1", {})
    persistence.save(state)
    state.reset()
    persistence.save(state)
    loaded = State()
    assert not persistence.load(loaded)
    persistence.close()


def test_what_was_taken_back_is_not_saved(tmp_path: Path) -> None:
    state = State()
    persistence = Persistence(tmp_path / "x.db")
    with abandoned(state):
        state.table("a").put("1", {})
    persistence.save(state)
    assert not persistence.load(State())
    persistence.close()
