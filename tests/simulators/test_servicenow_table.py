"""The Table API: shapes, display values, paging, parameters, metadata, errors."""

import pytest
from tests.simulators.servicenow_kit import HOST, JSON, STAMP, TABLE, TOKEN, ServiceNow, error

from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.wire import request

NOT_FOUND = (404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


@pytest.mark.parametrize("mode", ["false", "true", "all"])
def test_every_column_comes_back_empty_or_not(now: ServiceNow, mode: str) -> None:
    """pysnc leaves a field that it was not shown out of its PATCH."""
    made = now.create()
    shown = now.get(made, display_value=mode)
    assert set(shown) == set(TABLES["incident"].by_name)
    assert len(shown) > 90
    empty = {"display_value": "", "value": ""} if mode == "all" else ""
    assert shown["close_code"] == shown["close_notes"] == shown["cmdb_ci"] == empty


def test_created_is_201_with_its_location(now: ServiceNow) -> None:
    response = now.call("POST", f"{TABLE}/incident", {"short_description": "x"})
    sys_id = response.json()["result"]["sys_id"]
    assert response.header("location") == f"http://127.0.0.1:8082/api/now/table/incident/{sys_id}"


def test_a_reference_in_each_mode(now: ServiceNow) -> None:
    grace = now.user("grace.okafor")
    made = now.create(caller_id=grace)
    link = f"http://127.0.0.1:8082/api/now/table/sys_user/{grace}"
    both = {"display_value": "Grace Okafor", "value": grace}
    expected: dict[tuple[str, str], object] = {
        ("false", "false"): {"link": link, "value": grace},
        ("false", "true"): grace,
        ("true", "false"): {"display_value": "Grace Okafor", "link": link},
        ("True", "true"): "Grace Okafor",
        ("all", "false"): {**both, "link": link},
        ("all", "true"): both,
    }
    for (mode, without_link), shown in expected.items():
        fields = {"fields": "caller_id", "display_value": mode, "exclude_reference_link": without_link}
        assert now.get(made, **fields) == {"caller_id": shown}


def test_display_values_are_labels_and_local_times(now: ServiceNow) -> None:
    now.state.set("time_zone", "America/Los_Angeles")
    made = now.create(impact=1, urgency=1, business_duration="1970-01-02 01:00:05")
    fields = "state,priority,opened_at,active,business_duration,sys_class_name,sys_created_on"
    assert now.get(made, fields=fields, display_value="true") == {
        "state": "New",
        "priority": "1 - Critical",
        "opened_at": "2025-03-10 02:00:00",
        "active": "true",
        "business_duration": "1 Day 1 Hour 5 Seconds",
        "sys_class_name": "Incident",
        "sys_created_on": "2025-03-10 02:00:00",
    }
    assert now.get(made, fields="opened_at")["opened_at"] == STAMP, "the stored value stays UTC"


def test_dot_walked_fields(now: ServiceNow) -> None:
    made = now.create(caller_id=now.user("grace.okafor"))
    fields = "number,caller_id.email,caller_id.manager.name,caller_id.bunk,bunk"
    assert now.get(made, fields=fields) == {
        "number": made["number"],
        "caller_id.email": "grace.okafor@example.org",
        "caller_id.manager.name": "",
    }


def test_paging_with_total_and_links(now: ServiceNow) -> None:
    for number in range(5):
        now.create(short_description=str(number))
    response = now.call("GET", f"{TABLE}/incident", None, limit="2", offset="2", fields="short_description")
    assert response.json()["result"] == [{"short_description": "2"}, {"short_description": "3"}]
    assert response.header("x-total-count") == "5"
    links = {part.partition(";rel=")[2].strip('"'): part for part in response.header("link").split(",<")}
    assert set(links) == {"first", "prev", "next", "last"}
    assert all("sysparm_offset=4" in links[name] for name in ("next", "last"))


def test_a_list_without_a_limit_ends_at_ten_thousand(now: ServiceNow) -> None:
    """The rest is only to be told from the total."""
    made = now.create()
    for number in range(10_000):
        sys_id = f"{number:032x}"
        now.state.table("incident").put(sys_id, {**now.state.table("incident")[made["sys_id"]], "sys_id": sys_id})
    response = now.call("GET", f"{TABLE}/incident", None, fields="sys_id")
    assert (len(response.json()["result"]), response.header("x-total-count")) == (10_000, "10001")


def test_total_is_there_even_without_links_but_not_without_count(now: ServiceNow) -> None:
    now.create()
    suppressed = now.call("GET", f"{TABLE}/incident", None, suppress_pagination_header="true")
    assert (suppressed.header("x-total-count"), suppressed.header("link")) == ("1", "")
    assert now.call("GET", f"{TABLE}/incident", None, no_count="true").header("x-total-count") == ""


def test_offset_paging_drifts_when_rows_change_between_pages(now: ServiceNow) -> None:
    """Why a connector pages by keyset: the second page misses a row that the first one never had."""
    made = [now.create(short_description=str(number)) for number in range(4)]
    order = "ORDERBYsys_updated_on^ORDERBYnumber"
    first = now.find(order, limit="2", offset="0", fields="short_description")
    now.clock.advance(1)
    now.update(made[0], impact=1)
    second = now.find(order, limit="2", offset="2", fields="short_description")
    seen = {row["short_description"] for row in first + second}
    assert seen == {"0", "1", "3"}


def test_250_rows_of_one_second_are_all_seen_once_by_keyset(now: ServiceNow) -> None:
    made = {now.create()["sys_id"] for _ in range(250)}
    seen: list[str] = []
    query = "ORDERBYsys_updated_on^ORDERBYsys_id"
    while rows := now.find(query, limit="100", fields="sys_id,sys_updated_on"):
        seen += [row["sys_id"] for row in rows]
        last, stamp = rows[-1]["sys_id"], rows[-1]["sys_updated_on"]
        query = f"sys_updated_on>{stamp}^NQsys_updated_on={stamp}^sys_id>{last}^ORDERBYsys_updated_on^ORDERBYsys_id"
    assert len(seen) == 250
    assert set(seen) == made


def test_parameters_named_like_columns_are_conditions(now: ServiceNow) -> None:
    now.create(short_description="a", impact=1)
    now.create(short_description="b", impact=2)
    response = now.call("GET", f"{TABLE}/incident?impact=2&leaked=1&sysparm_fields=short_description")
    assert response.json()["result"] == [{"short_description": "b"}]


@pytest.mark.parametrize(
    ("parameter", "value", "named"),
    [
        ("limit", "many", "sysparm_limit"),
        ("offset", "-1", "Negative offset"),
        ("display_value", "some", "sysparm_display_value"),
        ("exclude_reference_link", "maybe", "sysparm_exclude_reference_link"),
        ("view", "mobile", "sysparm_view"),
        ("suppress_auto_sys_field", "true", "sysparm_suppress_auto_sys_field"),
    ],
)
def test_parameters_that_mean_nothing_here_are_refused_by_name(
    now: ServiceNow, parameter: str, value: str, named: str
) -> None:
    status, _, detail = error(now.call("GET", f"{TABLE}/incident", None, **{parameter: value}))
    assert status == 400
    assert named in (detail or "")


def test_input_as_display_values(now: ServiceNow) -> None:
    now.state.set("time_zone", "Asia/Tokyo")
    body = {"caller_id": "Grace Okafor", "state": "In Progress", "due_date": "2025-03-11 09:00:00"}
    made = now.result(now.call("POST", f"{TABLE}/incident", body, input_display_value="true"), 201)
    assert (made["state"], made["caller_id"]["value"]) == ("2", now.user("grace.okafor"))
    assert made["due_date"] == "2025-03-11 00:00:00"
    by_mail = now.call(
        "POST", f"{TABLE}/incident", {"caller_id": "piotr.nowak@example.org"}, input_display_value="true"
    )
    assert now.result(by_mail, 201)["caller_id"]["value"] == now.user("piotr.nowak")


def test_a_chosen_sys_id_is_kept_and_unique(now: ServiceNow) -> None:
    chosen = "AAAABBBBCCCCDDDDEEEEFFFF00001111"
    assert now.create(sys_id=chosen)["sys_id"] == chosen
    status, message, detail = error(now.call("POST", f"{TABLE}/incident", {"sys_id": chosen}))
    assert (status, message) == (403, "Operation Failed")
    assert "Unique Key violation" in (detail or "")
    assert error(now.call("POST", f"{TABLE}/incident", {"sys_id": "short"}))[1] == "Invalid sys_id"
    made = now.create()
    assert now.update(made, sys_id=chosen.lower(), impact=1)["sys_id"] == made["sys_id"]


def test_unknown_and_read_only_columns_of_a_write_are_ignored(now: ServiceNow) -> None:
    made = now.create(bunk_field="x", sys_created_by="me", sys_created_on="2001-01-01 00:00:00", number="INC1")
    assert (made["sys_created_by"], made["sys_created_on"]) == ("desk@example.org", STAMP)
    assert made["number"] == "INC0010001"
    assert "bunk_field" not in made


def test_unknown_columns_can_be_refused_by_name(now: ServiceNow) -> None:
    now.state.set("option.unknown_columns", "refuse")
    refused = error(now.call("POST", f"{TABLE}/incident", {"bunk_field": "x"}))
    assert refused == (400, "Invalid field", "unknown field bunk_field in table incident")


def test_put_changes_only_what_it_names(now: ServiceNow) -> None:
    made = now.create(description="kept")
    answer = now.call("PUT", f"{TABLE}/incident/{made['sys_id']}", {"impact": "1"})
    assert now.result(answer, 200)["description"] == "kept"


def test_of_a_list_of_records_only_the_first_is_made(now: ServiceNow) -> None:
    made = now.call("POST", f"{TABLE}/incident", [{"short_description": "a"}, {"short_description": "b"}])
    assert now.result(made, 201)["short_description"] == "a"
    assert now.titles("") == ["a"]


def test_versioned_paths_are_the_same_resource(now: ServiceNow) -> None:
    made = now.create()
    for version in ("v1/", "v2/", ""):
        assert now.call("GET", f"/api/now/{version}table/incident/{made['sys_id']}").status == 200


def test_tasks_show_incidents_with_the_columns_of_a_task(now: ServiceNow) -> None:
    made = now.create()
    row = now.find(f"number={made['number']}", "task")[0]
    assert (row["sys_id"], row["sys_class_name"]) == (made["sys_id"], "incident")
    assert "caller_id" not in row
    assert now.call("GET", f"{TABLE}/task/{made['sys_id']}").status == 200


def test_metadata_tells_choices_and_columns(now: ServiceNow) -> None:
    choices = now.find("name=incident^element=close_code^ORDERBYsequence", "sys_choice")
    assert [row["value"] for row in choices][:2] == ["Duplicate", "Known error"]
    wireless = now.find("name=incident^element=subcategory^dependent_value=network^value=vpn", "sys_choice")
    assert [row["label"] for row in wireless] == ["VPN"]
    column = now.find("name=task^element=short_description", "sys_dictionary")[0]
    assert (column["internal_type"], column["max_length"]) == ("string", "160")
    caller = now.find("name=incident^element=caller_id", "sys_dictionary")[0]
    assert (caller["internal_type"], caller["reference"]) == ("reference", "sys_user")
    table = now.find("name=incident", "sys_db_object")[0]
    assert now.call("GET", f"{TABLE}/sys_db_object/{table['sys_id']}").status == 200
    assert (table["label"], table["super_class"]) == ("Incident", "task")


def test_people_come_with_the_instance_and_cannot_be_changed(now: ServiceNow) -> None:
    users = now.find("active=true^ORDERBYname", "sys_user")
    assert "Lucía Ortega" in [row["name"] for row in users]
    for method, path in (("POST", ""), ("PATCH", f"/{users[0]['sys_id']}"), ("DELETE", f"/{users[0]['sys_id']}")):
        assert now.call(method, f"{TABLE}/sys_user{path}", {"name": "x"}).status == 403


def test_missing_records(now: ServiceNow) -> None:
    path = f"{TABLE}/incident/{'0' * 32}"
    answers = [now.call("GET", path), now.call("PATCH", path, {"impact": 1}), now.call("DELETE", path)]
    assert [error(answer) for answer in answers] == [NOT_FOUND] * 3


def test_wrong_addresses(now: ServiceNow) -> None:
    assert error(now.call("GET", f"{TABLE}/bunk")) == (400, "Invalid table bunk", None)
    assert error(now.call("GET", "/api/now/bunk"))[:2] == (400, "Requested URI does not represent any resource")
    assert error(now.call("DELETE", f"{TABLE}/incident"))[:2] == (405, "Method not supported")


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"short_description": {"value": "x"}}', "application/json", 400),
        (b'{"impact": [1]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"order": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"<x/>", "application/xml", 415),
        (b"{}", "", 415),
        (b'{"description": "' + b"x" * 11_000_000 + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(now: ServiceNow, content: bytes, media: str, status: int) -> None:
    sent = request("POST", f"{TABLE}/incident", headers=[TOKEN, HOST, ("Content-Type", media)], body=content)
    assert error(now.send(sent))[0] == status
    assert now.find("") == []


def test_other_answer_formats_are_refused(now: ServiceNow) -> None:
    sent = request("GET", f"{TABLE}/incident", headers=[TOKEN, HOST, ("Accept", "application/xml")])
    assert error(now.send(sent))[0] == 406


def test_an_endless_address_is_answered_in_html(now: ServiceNow) -> None:
    """pysnc turns to the Batch API before it comes to that."""
    answer = now.call("GET", f"{TABLE}/incident", None, query="AAAA=BBBB^" * 2300)
    assert answer.status == 414
    assert answer.header("content-type").startswith("text/html")


def test_a_failed_write_leaves_nothing_behind(now: ServiceNow) -> None:
    headers = [TOKEN, HOST, JSON]
    sent = request("POST", f"{TABLE}/incident?sysparm_display_value=some", headers=headers, body=b'{"comments": "x"}')
    assert now.send(sent).status == 400
    assert now.find("") == now.find("", "sys_journal_field") == []
