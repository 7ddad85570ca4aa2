"""Issues: fields, workflow, comments, files, work, properties; each refusal in Jira's words."""

import pytest
from tests.simulators.jira_kit import Site, document, errors, paragraph

from deskbridge.simulators.jira import attachments

BOUNDARY = {"Content-Type": "multipart/form-data; boundary=+++", "X-Atlassian-Token": "no-check"}


@pytest.fixture
def site() -> Site:
    return Site()


def _upload(content: bytes, name: str = "a.bin") -> bytes:
    head = f'--+++\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return head + content + b"\r\n--+++--\r\n"


def test_a_new_issue_is_answered_with_its_absolute_address(site: Site) -> None:
    body = {"fields": {"project": {"id": "10000"}, "issuetype": {"id": "10001"}, "summary": " Trimmed "}}
    response = site.call("POST", "/issue", body)
    assert response.status == 201
    assert response.json() == {"id": "10000", "key": "DESK-1", "self": "http://jira.test/rest/api/2/issue/10000"}
    assert site.fields("10000")["summary"] == "Trimmed"


def test_every_missing_field_is_named_at_once(site: Site) -> None:
    assert set(errors(site.call("POST", "/issue", {"fields": {}}))) == {"project", "issuetype", "summary"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("summary", "x" * 256, "Summary must be less than 255 characters."),
        ("summary", "a\nb", "newline characters"),
        ("summary", 7, "You must specify a summary"),
        ("priority", {"name": "Urgent"}, "Priority 'Urgent' is not valid"),
        ("priority", "High", "Could not find valid 'id' or 'name'"),
        ("issuetype", {"name": "Epic"}, "Specify a valid issue type"),
        ("project", {"key": "OTHER"}, "Specify a valid project ID or key"),
        ("labels", ["a b"], "The label 'a b' contains spaces which is invalid."),
        ("labels", "a", "array of strings"),
        ("duedate", "tomorrow", "Error parsing date string: tomorrow"),
        ("assignee", {"accountId": "nobody"}, "User 'nobody' does not exist."),
        ("components", [{"name": "Cellar"}], "'Cellar' is not valid"),
        ("description", "x" * 32768, "exceeds the allowed limit of 32,767 characters"),
        ("description", {"type": "doc"}, "Operation value must be a string"),
        ("timetracking", {"originalEstimate": "soon"}, "not a valid duration"),
        ("status", {"name": "Done"}, "Field 'status' cannot be set."),
        ("resolution", {"name": "Done"}, "Field 'resolution' cannot be set."),
        ("colour", "red", "Field 'colour' cannot be set. It is not on the appropriate screen, or unknown."),
        ("customfield_10051", "many", "must be a number"),
        ("customfield_10051", 10**400, "The number must be less than"),
        ("customfield_10052", {"value": "Huge"}, "Impact 'Huge' is not valid"),
    ],
)
def test_a_bad_field_is_refused_by_name(site: Site, field: str, value: object, said: str) -> None:
    base = {"project": {"key": "DESK"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    found = errors(site.call("POST", "/issue", {"fields": {**base, field: value}}))
    assert said in found[field]
    assert site.search("project = DESK") == []


def test_values_of_each_kind_come_back(site: Site) -> None:
    key = site.create(
        duedate="2026-04-01",
        fixVersions=[{"name": "1.1"}],
        components=[{"id": "10001"}],
        timetracking={"originalEstimate": "1d 2h"},
        customfield_10052={"value": "Low"},
        environment="Windows",
    )
    fields = site.fields(key)
    assert (fields["duedate"], fields["environment"]) == ("2026-04-01", "Windows")
    assert [fields["fixVersions"][0]["name"], fields["components"][0]["name"]] == ["1.1", "API"]
    assert fields["timetracking"]["remainingEstimateSeconds"] == 10 * 3600
    assert fields["customfield_10052"]["value"] == "Low"
    assert fields["resolution"] is None


def test_an_update_changes_what_it_names_and_writes_history(site: Site) -> None:
    key = site.create(labels=["a"])
    site.clock.advance(5)
    body = {"fields": {"summary": "New"}, "update": {"labels": [{"add": "b"}, {"remove": "a"}]}}
    assert site.call("PUT", f"/issue/{key}", body).status == 204
    fields = site.fields(key)
    assert (fields["summary"], fields["labels"]) == ("New", ["b"])
    assert fields["updated"] > fields["created"]
    items = site.get(f"/issue/{key}/changelog")["values"][0]["items"]
    assert [(item["field"], item["fromString"], item["toString"]) for item in items] == [
        ("summary", "Printer on fire", "New"),
        ("labels", "a", "b"),
    ]


def test_an_update_that_changes_nothing_leaves_no_trace(site: Site) -> None:
    key = site.create()
    site.clock.advance(5)
    site.call("PUT", f"/issue/{key}", {"fields": {"summary": "Printer on fire"}})
    assert site.get(f"/issue/{key}/changelog")["values"] == []
    assert site.fields(key)["updated"] == site.fields(key)["created"]


def test_a_refused_update_changes_nothing_at_all(site: Site) -> None:
    key = site.create()
    body = {"fields": {"summary": "New", "priority": {"name": "None"}}, "update": {"comment": [{"add": {"body": "x"}}]}}
    assert set(errors(site.call("PUT", f"/issue/{key}", body))) == {"priority"}
    too_long = {"fields": {"summary": "New"}, "update": {"comment": [{"add": {"body": "x" * 40000}}]}}
    assert "32,767" in errors(site.call("PUT", f"/issue/{key}", too_long))["comment"]
    assert site.fields(key)["summary"] == "Printer on fire"
    assert site.get(f"/issue/{key}/comment")["total"] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "one of 'fields' or 'update' required"),
        ({"fields": {"labels": []}, "update": {"labels": [{"add": "x"}]}}, "cannot appear in both"),
        ({"update": {"labels": [{"set": ["x"], "add": "y"}]}}, "one verb"),
        ({"update": {"summary": [{"add": "x"}]}}, "does not support operation 'add'"),
        ({"update": {"status": [{"set": "x"}]}}, "cannot be set"),
        ({"fields": {"project": {"key": "DESK"}}}, "cannot be set"),
    ],
)
def test_bad_updates_are_refused(site: Site, body: object, said: str) -> None:
    response = site.call("PUT", f"/issue/{site.create()}", body)
    assert response.status == 400
    assert said in str(response.json())


def test_entity_properties_come_with_the_issue_atomically(site: Site) -> None:
    base = {"project": {"key": "DESK"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    site.call("POST", "/issue", {"fields": base, "properties": [{"key": "desk", "value": {"id": 7}}]})
    assert site.get("/issue/DESK-1/properties/desk") == {"key": "desk", "value": {"id": 7}}
    assert site.get("/issue/DESK-1", properties="*all")["properties"] == {"desk": {"id": 7}}
    assert site.call("PUT", "/issue/DESK-1/properties/desk", 8).status == 200
    assert site.call("PUT", "/issue/DESK-1/properties/more", None).status == 201
    assert [row["key"] for row in site.get("/issue/DESK-1/properties")["keys"]] == ["desk", "more"]
    assert site.call("DELETE", "/issue/DESK-1/properties/desk").status == 204
    assert site.call("GET", "/issue/DESK-1/properties/desk").status == 404


def test_the_workflow_has_several_hops_and_a_required_field(site: Site) -> None:
    key = site.create()
    assert [one["name"] for one in site.get(f"/issue/{key}/transitions")["transitions"]] == ["Start Progress"]
    refused = site.transition(key, "31")
    assert refused.json()["errorMessages"] == ["Transition id '31' is not valid for this issue."]
    site.transition(key, 11)
    site.transition(key, "21")
    listed = site.get(f"/issue/{key}/transitions", expand="transitions.fields")["transitions"]
    assert listed[0]["fields"]["resolution"]["required"]
    assert listed[0]["fields"]["resolution"]["allowedValues"][0]["name"] == "Done"
    assert errors(site.transition(key, "31")) == {"resolution": "Resolution is required."}
    wrong = site.transition(key, "31", fields={"resolution": {"name": "Done"}, "summary": "sneaky"})
    assert "cannot be set" in errors(wrong)["summary"]
    assert site.transition(key, "31", fields={"resolution": {"name": "Done"}}).status == 204
    fields = site.fields(key)
    assert (fields["status"]["name"], fields["resolution"]["name"]) == ("Done", "Done")
    assert fields["resolutiondate"] == fields["updated"]


def test_reopening_clears_the_resolution(site: Site) -> None:
    key = site.create()
    site.finish(key)
    site.transition(key, "61")
    fields = site.fields(key)
    assert (fields["status"]["name"], fields["resolution"], fields["resolutiondate"]) == ("To Do", None, None)


def test_a_transition_needs_an_id(site: Site) -> None:
    key = site.create()
    response = site.call("POST", f"/issue/{key}/transitions", {"transition": {"name": "Start Progress"}})
    assert response.json()["errorMessages"] == ["Missing 'transition' identifier"]


def test_comments_touch_the_issue_and_page(site: Site) -> None:
    key = site.create()
    for number in range(3):
        site.clock.advance(1)
        site.call("POST", f"/issue/{key}/comment", {"body": f"Comment {number}"})
    page = site.get(f"/issue/{key}/comment", startAt=1, maxResults=1, orderBy="-created")
    assert (page["total"], [one["body"] for one in page["comments"]]) == (3, ["Comment 1"])
    assert site.fields(key)["updated"] == site.fields(key)["comment"]["comments"][-1]["created"]


def test_internal_comments_are_marked(site: Site) -> None:
    key = site.create()
    hidden = {"key": "sd.public.comment", "value": {"internal": True}}
    made = site.call("POST", f"/issue/{key}/comment", {"body": "x", "properties": [hidden]}).json()
    assert made["jsdPublic"] is False
    shown = site.get(f"/issue/{key}/comment", expand="properties")["comments"][0]
    assert shown["properties"] == [hidden]
    assert site.get(f"/comment/{made['id']}/properties/sd.public.comment")["value"] == {"internal": True}
    found = site.call("POST", "/comment/list", {"ids": [int(made["id"]), 99]}).json()["values"]
    assert [one["id"] for one in found] == [made["id"]]


def test_visibility_is_for_known_roles_and_groups(site: Site) -> None:
    key = site.create()
    seen = {"type": "role", "value": "Administrators"}
    assert site.call("POST", f"/issue/{key}/comment", {"body": "x", "visibility": seen}).json()["visibility"]["value"]
    unknown = {"body": "x", "visibility": {"type": "role", "value": "Kings"}}
    assert "Kings" in errors(site.call("POST", f"/issue/{key}/comment", unknown))["commentLevel"]


@pytest.mark.parametrize("text", ["🔥" * 10, "\u200fשלום עולם", "a" * 32767, "--+++", "  lead", "\\*not bold\\*"])
def test_comments_keep_their_text(site: Site, text: str) -> None:
    key = site.create()
    made = site.call("POST", f"/issue/{key}/comment", {"body": text})
    assert made.status == 201
    assert site.get(f"/issue/{key}/comment/{made.json()['id']}")["body"] == text


@pytest.mark.parametrize(
    ("body", "said"), [("", "can not be empty"), (" \n", "can not be empty"), ("x" * 40000, "too long")]
)
def test_bad_comments_are_refused(site: Site, body: str, said: str) -> None:
    assert said in errors(site.call("POST", f"/issue/{site.create()}/comment", {"body": body}))["comment"]


def test_edited_and_deleted_comments(site: Site) -> None:
    key, other = site.create(), site.create()
    comment = site.call("POST", f"/issue/{key}/comment", {"body": "one"}).json()["id"]
    assert site.call("PUT", f"/issue/{key}/comment/{comment}", {"body": "two"}).json()["body"] == "two"
    assert site.call("PUT", f"/issue/{other}/comment/{comment}", {"body": "x"}).status == 404
    assert site.call("DELETE", f"/issue/{key}/comment/{comment}").status == 204
    assert site.call("DELETE", f"/issue/{key}/comment/{comment}").status == 404


def test_files_need_the_token_header(site: Site) -> None:
    key = site.create()
    refused = site.call(
        "POST", f"/issue/{key}/attachments", _upload(b"x"), headers={"Content-Type": "multipart/form-data"}
    )
    assert (refused.status, refused.body) == (403, b"XSRF check failed")


@pytest.mark.parametrize("content", [b"", b"\0", b"plain --+++ inside", bytes(range(256))])
def test_files_come_back_byte_for_byte(site: Site, content: bytes) -> None:
    key = site.create()
    made = site.call("POST", f"/issue/{key}/attachments", _upload(content), headers=BOUNDARY)
    assert made.status == 200
    shown = made.json()[0]
    assert (shown["size"], shown["filename"]) == (len(content), "a.bin")
    path = shown["content"].removeprefix("http://jira.test")
    assert site.call("GET", path).body == content
    part = site.call("GET", path, headers={"Range": "bytes=0-0"})
    assert (part.status, part.body) == ((206, content[:1]) if content else (416, part.body))


def test_a_file_that_contains_its_boundary_is_refused(site: Site) -> None:
    made = site.call("POST", f"/issue/{site.create()}/attachments", _upload(b"a\r\n--+++ oops"), headers=BOUNDARY)
    assert made.status == 400
    assert "multipart" in made.json()["errorMessages"][0]


def test_file_names_are_made_safe(site: Site) -> None:
    made = site.call("POST", f"/issue/{site.create()}/attachments", _upload(b"x", "../../etc/passwd"), headers=BOUNDARY)
    assert made.json()[0]["filename"] == ".._.._etc_passwd"


def test_a_files_type_is_taken_only_when_it_is_one(site: Site) -> None:
    head = b'--+++\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    head += b"Content-Type: \xe2\x98\x83/x\r\n\r\n"
    made = site.call("POST", f"/issue/{site.create()}/attachments", head + b"x\r\n--+++--\r\n", headers=BOUNDARY)
    assert made.json()[0]["mimeType"] == "text/plain"


def test_half_a_surrogate_pair_does_not_break_the_answers(site: Site) -> None:
    key = site.create("half \ud83d")
    assert site.fields(key)["summary"] == "half ?"


def test_a_file_beyond_the_limit_is_413(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "UPLOAD_LIMIT", 10)
    made = site.call("POST", f"/issue/{site.create()}/attachments", _upload(b"x" * 11), headers=BOUNDARY)
    assert made.status == 413


def test_work_eats_the_estimate(site: Site) -> None:
    key = site.create(timetracking={"originalEstimate": "2h"})
    path = f"/issue/{key}/worklog"
    made = site.call("POST", path, {"timeSpent": "45m", "comment": "x"}).json()
    assert (made["timeSpentSeconds"], site.fields(key)["timeestimate"]) == (2700, 75 * 60)
    site.call("PUT", f"{path}/{made['id']}", {"timeSpentSeconds": 3600})
    assert site.fields(key)["timetracking"]["remainingEstimate"] == "1h"
    site.call("POST", path, {"timeSpentSeconds": 600}, query={"adjustEstimate": "new", "newEstimate": "3h"})
    assert site.fields(key)["timespent"] == 4200
    assert site.fields(key)["timeestimate"] == 3 * 3600
    site.call("DELETE", f"{path}/{made['id']}", query={"adjustEstimate": "leave"})
    assert (site.fields(key)["timespent"], site.fields(key)["timeestimate"]) == (600, 3 * 3600)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timeSpent": "1h", "properties": "none"},
        {"timeSpent": "long"},
        {"timeSpentSeconds": 5},
        {"timeSpentSeconds": "60"},
        {"timeSpentSeconds": 10**12},
        {"timeSpent": "9" * 400 + "h"},
        {"timeSpent": "1h", "started": "0001-01-01T00:00:00.000+0000"},
        {"timeSpent": "1h", "started": "2026-01-02"},
        {"timeSpent": "1h", "started": "2026-01-02T03:04:05Z"},
    ],
)
def test_bad_work_is_refused(site: Site, body: object) -> None:
    key = site.create()
    assert site.call("POST", f"/issue/{key}/worklog", body).status == 400
    assert site.get(f"/issue/{key}/worklog")["total"] == 0


def test_work_keeps_its_properties_and_shows_them_when_asked(site: Site) -> None:
    path = f"/issue/{site.create()}/worklog"
    mark = {"key": "mark", "value": {"a": 1}}
    made = site.call("POST", path, {"timeSpent": "1h", "properties": [mark]}).json()
    site.call("PUT", f"{path}/{made['id']}", {"timeSpent": "2h"})
    assert "properties" not in site.get(path)["worklogs"][0]
    assert site.get(path, expand="properties")["worklogs"][0]["properties"] == [mark]
    assert site.get(f"{path}/{made['id']}", expand="properties")["properties"] == [mark]


def test_deleting_takes_everything_along(site: Site) -> None:
    key = site.create()
    site.call("POST", f"/issue/{key}/comment", {"body": "x"})
    made = site.call("POST", f"/issue/{key}/attachments", _upload(b"x"), headers=BOUNDARY).json()[0]
    assert site.call("DELETE", f"/issue/{key}", query={"deleteSubtasks": "False"}).status == 204
    assert site.call("GET", f"/issue/{key}").status == 404
    assert site.call("GET", f"/attachment/{made['id']}").status == 404
    assert len(site.simulator.state.blobs) == 0
    assert site.create() == "DESK-2"


def test_versions_2_and_3_show_the_same_text_in_their_own_form(site: Site) -> None:
    key = site.create(description="h1. Title\n\nA *bold* word")
    assert site.fields(key, "3")["description"]["content"][0]["type"] == "heading"
    body = {"fields": {"description": document(paragraph("strong", "strong"))}}
    assert site.call("PUT", f"/issue/{key}", body, version="3").status == 204
    assert site.fields(key, "latest")["description"] == "*strong*"


@pytest.mark.parametrize(
    "value",
    [
        "plain text",
        {"type": "doc", "version": 1},
        document({"type": "text", "text": "loose"}),
        document({"type": "paragraph", "content": [{"type": "text", "text": ""}]}),
        document({"type": "marquee", "content": []}),
        document(paragraph("x", "blink")),
        document(paragraph("x", "code", "strong")),
        document({"type": "heading", "attrs": {"level": 9}, "content": []}),
    ],
)
def test_version_3_takes_valid_documents_only(site: Site, value: object) -> None:
    key = site.create()
    refused = errors(site.call("PUT", f"/issue/{key}", {"fields": {"description": value}}, version="3"))
    assert "must be an Atlassian Document" in refused["description"]
    assert (
        "Atlassian Document"
        in errors(site.call("POST", f"/issue/{key}/comment", {"body": value}, version="3"))["comment"]
    )


def test_expansions(site: Site) -> None:
    key = site.create(description="*b* <script>")
    shown = site.get(f"/issue/{key}", expand="names,schema,renderedFields,transitions,editmeta")
    assert shown["names"]["summary"] == "Summary"
    assert shown["schema"]["customfield_10050"]["customId"] == 10050
    assert shown["renderedFields"]["description"] == "<p><b>b</b> &lt;script&gt;</p>"
    assert shown["transitions"][0]["to"]["statusCategory"]["key"] == "indeterminate"
    assert shown["editmeta"]["fields"]["summary"]["required"]


def test_fields_are_chosen_by_name_group_and_exclusion(site: Site) -> None:
    key = site.create()

    def shown(fields: str) -> set[str]:
        return set(site.get(f"/issue/{key}", fields=fields)["fields"])

    everything = shown("*all")
    assert shown("-comment") == everything - {"comment"}
    assert shown("*navigable,comment") == everything - {"worklog", "attachment", "timetracking"}
    assert shown("*none") == set()
    assert shown("summary,nonsense") == {"summary"}


def test_bulk_reading_leaves_out_what_is_not_there(site: Site) -> None:
    key = site.create()
    body = {"issueIdsOrKeys": [key, "DESK-9"], "fields": ["summary"]}
    assert [one["key"] for one in site.call("POST", "/issue/bulkfetch", body).json()["issues"]] == [key]


def test_server_sites_know_users_by_name(site: Site) -> None:
    site.set("option.deployment", "Server")
    key = site.create(assignee={"name": "mrossi"})
    assert site.fields(key)["assignee"]["name"] == "mrossi"
    assert "accountId" not in site.fields(key)["assignee"]
    assert [row["name"] for row in site.get("/user/search", username="aiko")] == ["atanaka"]
