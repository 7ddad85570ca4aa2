"""Polarion's work items: creating, reading, changing, the workflow, ghosts, revisions, index lag, hook."""

import pytest
from tests.simulators.polarion_kit import ITEMS, Polarion, error

from deskbridge.simulators.webhooks import sign
from deskbridge.simulators.wire import Response


@pytest.fixture
def desk() -> Polarion:
    return Polarion()


def post(desk: Polarion, *resources: object) -> Response:
    return desk.call("POST", ITEMS, {"data": list(resources)})


def item(**attributes: object) -> dict[str, object]:
    return {"type": "workitems", "attributes": attributes}


# --- creating


def test_created_items_come_back_in_the_order_of_the_request(desk: Polarion) -> None:
    response = post(desk, item(type="task", title="one"), item(type="defect", title="two"))
    assert response.status == 201
    assert [row["id"] for row in response.json()["data"]] == ["DESK/DESK-1", "DESK/DESK-2"]
    assert set(response.json()["data"][0]) == {"type", "id", "links"}
    assert desk.attributes("DESK-2")["title"] == "two"


def test_a_new_item_starts_the_workflow_with_the_defaults_of_its_type(desk: Polarion) -> None:
    task, defect = desk.attributes(desk.create()), desk.attributes(desk.create(type="defect"))
    assert (task["status"], task["severity"], task["priority"]) == ("open", "should_have", "50.0")
    assert defect["severity"] == "normal"
    assert task["created"] == task["updated"] == "2025-03-10T09:00:00.000Z"


def test_one_bad_item_in_a_batch_creates_none(desk: Polarion) -> None:
    refused = post(desk, item(type="task", title="good"), item(title="no type"))
    assert refused.status == 400
    assert error(refused)["source"] == {"pointer": "$.data[1].attributes.type"}
    assert desk.find("") == []
    assert desk.create() == "DESK-1"


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("title", 5, "STRING expected, but was : NUMBER"),
        ("title", ["x"], "BEGIN_ARRAY"),
        ("status", {"id": "open"}, "BEGIN_OBJECT"),
        ("severity", True, "BOOLEAN"),
        ("priority", 50.0, "STRING expected"),
        ("description", "plain", "BEGIN_OBJECT expected"),
        ("description", {"type": "text/markdown", "value": "x"}, "text/markdown"),
        ("description", {"type": "text/html", "value": 1}, "STRING expected"),
        ("dueDate", "tomorrow", "yyyy-mm-dd"),
        ("plannedStart", "2025-01-01T10:00:00", "no time zone"),
        ("plannedEnd", "soon", "ISO 8601"),
        ("plannedEnd", "0001-01-01T00:00:00+14:00", "ISO 8601"),
        ("timeSpent", "1h" * 100_000 + "x", "duration"),
        ("initialEstimate", "many", "duration"),
        ("hyperlinks", {}, "BEGIN_ARRAY expected"),
        ("hyperlinks", ["x"], "BEGIN_OBJECT expected"),
        ("hyperlinks", [{"url": "x"}], "'url'"),
        ("deskRef", 7, "STRING expected"),
        ("created", "2025-01-01T00:00:00Z", "read-only"),
        ("id", "DESK-9", "read-only"),
        ("assignee", "desk", "relationship"),
        ("status", None, "cannot be empty"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_with_a_pointer(
    desk: Polarion, name: str, value: object, detail: str
) -> None:
    refused = post(desk, item(**{"type": "task", name: value}))
    assert refused.status == 400
    assert detail in error(refused)["detail"]
    assert name in error(refused)["source"]["pointer"]


def test_any_text_survives_the_round_trip(desk: Polarion) -> None:
    text = "Ünï 🎉 مرحبا בוקר טוב \u202eright to left\u202c " + "x" * 40_000
    created = desk.create(title=text[:60], description={"type": "text/html", "value": f"<p>{text}</p>"})
    assert desk.attributes(created)["description"]["value"] == f"<p>{text}</p>"
    assert desk.attributes(created)["title"] == text[:60]


def test_times_are_kept_in_utc(desk: Polarion) -> None:
    created = desk.create(
        plannedStart="20250301T100000+0200", resolution="done", resolvedOn="2025-03-01T23:30:00-05:00"
    )
    assert desk.attributes(created)["plannedStart"] == "2025-03-01T08:00:00.000Z"
    assert desk.find("resolvedOn:20250302") == [created]


def test_text_that_is_no_text_is_refused(desk: Polarion) -> None:
    """Half a surrogate pair could be stored but never shown; a whole pair is an ordinary character."""
    assert desk.attributes(desk.create(title="whole \U0001f389"))["title"] == "whole 🎉"
    refused = post(desk, item(type="task", title="half \ud83c"))
    assert refused.status == 400
    assert "Malformed" in error(refused)["detail"]


# --- ghosts


def test_unknown_custom_fields_are_stored_silently_and_never_found(desk: Polarion) -> None:
    """Trap: a misspelt custom field is no error; the value is kept, comes back, and no query matches it."""
    created = desk.create(deskReff="T-1")
    assert desk.attributes(created)["deskReff"] == "T-1"
    assert desk.find('deskReff:"T-1"') == []
    assert desk.find("HAS_VALUE:deskReff") == []


@pytest.mark.parametrize("field", ["type", "status", "severity", "priority", "resolution"])
def test_unknown_enumeration_values_are_stored_silently_and_never_found(desk: Polarion, field: str) -> None:
    """Trap: an enumeration id nobody configured is no error either."""
    created = desk.create(**{field: "phantom"})
    assert desk.attributes(created)[field] == "phantom"
    assert desk.find(f"{field}:phantom") == []
    options = desk.get(f"{ITEMS}/{created}/fields/{field}/actions/getCurrentOptions")
    assert options["data"] == []


def test_a_ghost_may_be_anything_but_bottomless(desk: Polarion) -> None:
    created = desk.create(ghost={"a": [1, None, {"b": True}]})
    assert desk.attributes(created)["ghost"] == {"a": [1, None, {"b": True}]}
    deep: object = "x"
    for _ in range(500):
        deep = [deep]
    assert "levels deep" in error(post(desk, item(type="task", ghost=deep)))["detail"]


def test_a_severity_of_another_type_is_a_ghost(desk: Polarion) -> None:
    created = desk.create(type="task", severity="blocker")
    assert desk.attributes(created)["severity"] == "blocker"
    assert desk.find("severity:blocker") == []


def test_a_ghost_status_has_no_way_out(desk: Polarion) -> None:
    created = desk.create(status="limbo")
    assert desk.get(f"{ITEMS}/{created}/actions/getWorkflowActions")["data"] == []


# --- reading


def test_a_missing_item_is_404_with_its_name(desk: Polarion) -> None:
    refused = desk.call("GET", f"{ITEMS}/DESK-99")
    assert refused.status == 404
    assert "DESK-99" in error(refused)["detail"]
    assert desk.call("GET", "/projects/NONE/workitems/DESK-1").status == 404
    assert desk.call("GET", "/projects/NONE/workitems").status == 404


def test_a_sparse_fieldset_drops_the_relationships_it_does_not_name(desk: Polarion) -> None:
    """Trap: fields[workitems]=title answers neither author nor assignee."""
    created = desk.create()
    sparse = desk.get(f"{ITEMS}/{created}", fields__workitems="title,deskRef")["data"]
    assert sparse["attributes"] == {"title": "A title"}
    assert "relationships" not in sparse
    named = desk.get(f"{ITEMS}/{created}", fields__workitems="author")["data"]
    assert named["relationships"] == {"author": {"data": {"type": "users", "id": "desk"}}}
    assert "attributes" not in named


def test_a_list_shows_the_basic_fields_unless_more_are_asked_for(desk: Polarion) -> None:
    desk.create(deskRef="T-1")
    (basic,) = desk.get(ITEMS)["data"]
    assert set(basic["attributes"]) == {"id", "title", "type", "status"}
    (more,) = desk.get(ITEMS, fields__workitems="@basic,deskRef,updated")["data"]
    assert set(more["attributes"]) == {"id", "title", "type", "status", "deskRef", "updated"}
    (everything,) = desk.get(ITEMS, fields__workitems="@all")["data"]
    assert everything["relationships"]["project"] == {"data": {"type": "projects", "id": "DESK"}}


def test_empty_relationships_are_omitted_not_null(desk: Polarion) -> None:
    """Trap: "data": null makes the clients generated from the vendor's schema raise TypeError."""
    created = desk.create()
    relationships = desk.get(f"{ITEMS}/{created}")["data"]["relationships"]
    assert set(relationships) == {"author", "project"}


def test_include_adds_the_related_resources(desk: Polarion) -> None:
    created = desk.create()
    desk.comment(created, "<p>Hello</p>")
    answer = desk.get(f"{ITEMS}/{created}", include="author,comments")
    assert [(row["type"], row["id"]) for row in answer["included"]] == [
        ("users", "desk"),
        ("workitem_comments", f"DESK/{created}/c1"),
    ]
    assert desk.call("GET", f"{ITEMS}/{created}", include="nonsense").status == 400


# --- changing


def test_a_patch_changes_only_what_it_names(desk: Polarion) -> None:
    created = desk.create(deskRef="T-1", dueDate="2025-05-01")
    desk.clock.advance(1.5)
    assert desk.patch(created, {"title": "New", "dueDate": None}).status == 204
    changed = desk.attributes(created)
    assert (changed["title"], changed["deskRef"]) == ("New", "T-1")
    assert "dueDate" not in changed
    assert changed["updated"] == "2025-03-10T09:00:01.500Z"


def test_a_patch_that_changes_nothing_makes_no_revision(desk: Polarion) -> None:
    created = desk.create()
    before = desk.get(f"{ITEMS}/{created}")["data"]
    desk.clock.advance(60)
    assert desk.patch(created, {"title": "A title"}).status == 204
    assert desk.get(f"{ITEMS}/{created}")["data"] == before


def test_priorities_are_floats_in_text(desk: Polarion) -> None:
    """Trap: the server answers another text than it was sent; that is no edit by a person."""
    assert desk.attributes(desk.create(priority="70"))["priority"] == "70.0"


def test_a_patch_without_any_field_is_refused(desk: Polarion) -> None:
    created = desk.create()
    assert desk.patch(created).status == 400
    assert desk.patch(created, {}, workflowAction="start_progress").status == 400


def test_the_id_in_the_body_must_be_that_of_the_url(desk: Polarion) -> None:
    created = desk.create()
    body = {"data": {"type": "workitems", "id": "DESK/DESK-77", "attributes": {"title": "x"}}}
    refused = desk.call("PATCH", f"{ITEMS}/{created}", body)
    assert refused.status == 409
    assert error(refused)["source"] == {"pointer": "$.data.id"}


def test_multi_valued_relationships_are_replaced_not_merged(desk: Polarion) -> None:
    created = desk.create()

    def assign(*people: str) -> Response:
        targets = {"data": [{"type": "users", "id": person} for person in people]}
        data = {"type": "workitems", "id": f"DESK/{created}", "relationships": {"assignee": targets}}
        return desk.call("PATCH", f"{ITEMS}/{created}", {"data": data})

    assert assign("jweber", "mrossi").status == 204
    assert assign("atanaka").status == 204
    assert desk.get(f"{ITEMS}/{created}", fields__workitems="assignee")["data"]["relationships"]["assignee"] == {
        "data": [{"type": "users", "id": "atanaka"}]
    }
    assert error(assign("nobody"))["detail"] == "User with id 'nobody' does not exist."
    assert assign().status == 204
    assert "assignee" not in desk.get(f"{ITEMS}/{created}")["data"]["relationships"]


def test_relationships_without_data_here_are_refused_by_name(desk: Polarion) -> None:
    data = {**item(type="task"), "relationships": {"module": {"data": {"type": "documents", "id": "DESK/s/d"}}}}
    assert "'module' is not supported" in error(post(desk, data))["detail"]


def test_a_list_patch_changes_all_or_nothing(desk: Polarion) -> None:
    one, two = desk.create(), desk.create()
    rows = [{"type": "workitems", "id": f"DESK/{key}", "attributes": {"title": "both"}} for key in (one, two)]
    assert desk.call("PATCH", ITEMS, {"data": rows}).status == 204
    assert desk.attributes(two)["title"] == "both"
    rows = [{**rows[0], "attributes": {"title": "half"}}, {**rows[1], "id": "DESK/DESK-9"}]
    assert desk.call("PATCH", ITEMS, {"data": rows}).status == 404
    assert desk.attributes(one)["title"] == "both"


def test_the_assignees_are_also_a_relationship_endpoint(desk: Polarion) -> None:
    created = desk.create()
    path = f"{ITEMS}/{created}/relationships/assignee"
    people = {"data": [{"type": "users", "id": "jweber"}]}
    assert desk.call("POST", path, people).status == 204
    assert [row["id"] for row in desk.get(path)["data"]] == ["jweber"]
    assert desk.call("DELETE", path, people).status == 204
    assert desk.get(path)["data"] == []
    assert desk.call("PATCH", f"{ITEMS}/{created}/relationships/author", people).status == 400
    assert desk.call("GET", f"{ITEMS}/{created}/relationships/nonsense").status == 404


# --- workflow


def test_the_workflow_needs_every_hop_and_its_required_fields(desk: Polarion) -> None:
    created = desk.create()
    refused = desk.patch(created, {"title": "x"}, workflowAction="mark_done")
    assert refused.status == 400
    assert "not available" in error(refused)["detail"]
    assert desk.patch(created, {"title": "x"}, workflowAction="start_progress").status == 204
    refused = desk.patch(created, {"title": "y"}, workflowAction="mark_done")
    assert refused.status == 400
    assert error(refused)["detail"] == (
        f"'Mark Done' failed for Work Item '{created}': "
        f"The required field 'resolution' of Work Item '{created}' is empty"
    )
    assert desk.attributes(created)["title"] == "x"
    assert desk.patch(created, {"resolution": "fixed"}, workflowAction="mark_done").status == 204
    assert desk.attributes(created)["resolvedOn"] == "2025-03-10T09:00:00.000Z"
    assert desk.patch(created, {"title": "x"}, workflowAction="verify").status == 204
    assert desk.attributes(created)["status"] == "verified"


def test_reopening_clears_the_resolution(desk: Polarion) -> None:
    created = desk.create(status="done", resolution="done")
    (verify, reopen) = desk.get(f"{ITEMS}/{created}/actions/getWorkflowActions")["data"]
    assert (verify["targetStatus"], reopen["clearedFields"]) == ("verified", ["resolution"])
    assert desk.patch(created, {"title": "x"}, workflowAction=reopen["nativeActionId"]).status == 204
    reopened = desk.attributes(created)
    assert reopened["status"] == "open"
    assert not {"resolution", "resolvedOn"} & set(reopened)


def test_the_actions_name_what_a_client_needs(desk: Polarion) -> None:
    created = desk.create(status="in_progress")
    answer = desk.get(f"{ITEMS}/{created}/actions/getWorkflowActions")
    assert answer["data"][1] == {
        "id": "3",
        "nativeActionId": "mark_done",
        "name": "Mark Done",
        "targetStatus": "done",
        "requiredFields": ["resolution"],
        "clearedFields": [],
        "available": True,
        "isSignatureRequired": False,
    }


def test_a_raw_status_write_bypasses_every_rule(desk: Polarion) -> None:
    """Trap: real Polarion takes it without the required fields; clients must use workflowAction."""
    created = desk.create()
    assert desk.patch(created, {"status": "verified"}).status == 204
    assert desk.attributes(created)["status"] == "verified"
    assert "resolution" not in desk.attributes(created)


def test_a_type_change_starts_the_workflow_again(desk: Polarion) -> None:
    created = desk.create(status="in_progress")
    assert desk.patch(created, {}, changeTypeTo="defect").status == 204
    changed = desk.attributes(created)
    assert (changed["type"], changed["status"], changed["severity"]) == ("defect", "open", "normal")
    assert desk.patch(created, {}, changeTypeTo="nonsense").status == 400
    assert desk.patch(created, {"type": "task"}).status == 400


def test_options_depend_on_the_type(desk: Polarion) -> None:
    created = desk.create(type="defect")
    of_item = desk.get(f"{ITEMS}/{created}/fields/severity/actions/getAvailableOptions")["data"]
    of_type = desk.get(f"{ITEMS}/fields/severity/actions/getAvailableOptions", type="task")["data"]
    assert of_item[0]["id"] == "blocker"
    assert [row["id"] for row in of_type if row["default"]] == ["should_have"]
    assert desk.call("GET", f"{ITEMS}/fields/title/actions/getAvailableOptions").status == 404
    assert desk.call("GET", "/projects/NONE/workitems/fields/status/actions/getAvailableOptions").status == 404


# --- deleting


def test_deleting_is_a_list_request_and_final(desk: Polarion) -> None:
    created = desk.create()
    desk.comment(created, "gone too")
    desk.attach(created, ("a.txt", b"gone"))
    assert desk.call("DELETE", f"{ITEMS}/{created}").status == 405
    body = {"data": [{"type": "workitems", "id": f"DESK/{created}"}]}
    assert desk.call("DELETE", ITEMS, body).status == 204
    assert desk.call("GET", f"{ITEMS}/{created}").status == 404
    assert desk.call("DELETE", ITEMS, body).status == 404
    assert len(desk.state.blobs) == 0
    assert desk.create() == "DESK-2"


# --- revisions, lag, hook


def test_every_change_has_a_revision_and_the_past_can_be_read(desk: Polarion) -> None:
    created = desk.create(title="first")
    first = desk.get(f"{ITEMS}/{created}")["data"]["revision"]
    desk.patch(created, {"title": "second"})
    second = desk.get(f"{ITEMS}/{created}")["data"]["revision"]
    assert int(second) > int(first)
    past = desk.get(f"{ITEMS}/{created}", revision=first)["data"]
    assert past["attributes"]["title"] == "first"
    newest = desk.get("/revisions")["data"][0]
    assert newest["id"] == f"default/{second}"
    assert desk.get(f"/revisions/default/{second}")["data"]["attributes"]["message"] == f"Updated {created}"
    assert desk.call("GET", f"{ITEMS}/{created}", revision="0").status == 404
    assert desk.call("GET", f"{ITEMS}/{created}", revision="abc").status == 400
    assert desk.call("GET", "/revisions/default/999").status == 404


def test_the_index_lags_behind_while_a_get_is_fresh(desk: Polarion) -> None:
    """Trap: after a lost answer, a query by deskRef finds the item only once it is indexed."""
    desk.state.set("lag", 30.0)
    created = desk.create(deskRef="T-7")
    assert desk.attributes(created)["deskRef"] == "T-7"
    assert desk.find('deskRef:"T-7"') == []
    desk.clock.advance(31)
    assert desk.find('deskRef:"T-7"') == [created]
    desk.patch(created, {"deskRef": "T-8"})
    assert desk.find('deskRef:"T-7"') == [created]
    desk.clock.advance(31)
    assert desk.find('deskRef:"T-8"') == [created]


def test_the_hook_is_off_until_it_has_an_address_and_signs_with_its_secret(desk: Polarion) -> None:
    desk.create()
    assert desk.simulator.due() == []
    desk.state.set("webhooks", {"url": "http://127.0.0.1:1/hook", "secret": "s3cret"})
    created = desk.create()
    (delivery,) = desk.simulator.due()
    assert (delivery.event, delivery.url) == ("workitem.created", "http://127.0.0.1:1/hook")
    headers = dict(delivery.headers)
    assert headers["X-Polarion-Hook-Signature"] == f"sha256={sign('s3cret', delivery.body)}"
    assert f'"workItemId": "{created}"'.encode() in delivery.body
    desk.state.set("webhooks", {"url": "http://127.0.0.1:1/hook", "enabled": False})
    desk.patch(created, {"title": "quiet"})
    assert len(desk.simulator.due()) == 1


def test_a_refused_change_tells_the_hook_nothing(desk: Polarion) -> None:
    desk.state.set("webhooks", {"url": "http://127.0.0.1:1/hook"})
    post(desk, item(type="task"), item(type=5))
    assert desk.simulator.due() == []


def test_a_hook_delivery_is_tried_once(desk: Polarion) -> None:
    desk.state.set("webhooks", {"url": "http://127.0.0.1:1/hook"})
    desk.create()
    (delivery,) = desk.simulator.due()
    desk.simulator.settle(delivery, None)
    desk.clock.advance(86400)
    assert desk.simulator.due() == []
