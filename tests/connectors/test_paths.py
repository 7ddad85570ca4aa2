"""Ways through a workflow, known and unknown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deskbridge.connectors.paths import Step, Workflow

STATUSES = "abcdef"


def _workflow(edges: set[tuple[str, str]], seen: str = STATUSES) -> Workflow:
    workflow = Workflow(STATUSES)
    for status in seen:
        workflow.learn(status, [Step(f"{one}{two}", two) for one, two in sorted(edges) if one == status])
    return workflow


def _shortest(edges: set[tuple[str, str]], here: str, wanted: str) -> int | None:
    """By the book: how many steps there are at least."""
    reached, steps = {here}, 0
    while wanted not in reached:
        more = reached | {two for one, two in edges if one in reached}
        if more == reached:
            return None
        reached, steps = more, steps + 1
    return steps


EDGES = st.sets(st.tuples(st.sampled_from(STATUSES), st.sampled_from(STATUSES)))


@given(EDGES, st.sampled_from(STATUSES))
def test_a_known_workflow_is_walked_along_its_shortest_way(edges: set[tuple[str, str]], wanted: str) -> None:
    path = _workflow(edges).plan("a", wanted)
    shortest = _shortest(edges, "a", wanted)
    assert (path is None) == (shortest is None)
    if path is not None:
        assert len(path) == shortest
        places = ["a", *(step.target for step in path)]
        assert [step.id for step in path] == [f"{one}{two}" for one, two in pairwise(places)]


@given(EDGES, st.sampled_from("bcdef"))
def test_an_unknown_workflow_is_learnt_on_the_way_and_ends(edges: set[tuple[str, str]], wanted: str) -> None:
    workflow, here, taken = _workflow(edges, ""), "a", 0
    while here != wanted:
        workflow.learn(here, [Step(f"{one}{two}", two) for one, two in sorted(edges) if one == here])
        path = workflow.plan(here, wanted)
        if not path:
            break
        here, taken = path[0].target, taken + 1
        assert taken <= 40
    if here != wanted:
        assert _shortest(edges, here, wanted) is None


def test_of_two_unknown_statuses_the_one_nearer_to_the_wanted_is_tried() -> None:
    workflow = _workflow({("a", "b"), ("a", "d")}, "a")
    path = workflow.plan("a", "e")
    assert path is not None
    assert [step.target for step in path] == ["d"]


def test_a_known_way_is_preferred_to_a_guess_of_the_same_length() -> None:
    workflow = _workflow({("a", "b"), ("a", "c"), ("b", "f")}, "ab")
    path = workflow.plan("a", "f")
    assert path is not None
    assert [step.target for step in path] == ["b", "f"]
