"""The pages: a person's way through a case, at Lightning's addresses."""

from urllib.parse import urlencode

import pytest
from tests.simulators.salesforce_kit import AGENT, CLOSED, START, Salesforce

from deskbridge.simulators.wire import Response, request

FORM = ("Content-Type", "application/x-www-form-urlencoded")
LIST = "/lightning/o/Case/list"
NEW = "/lightning/o/Case/new"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def org() -> Salesforce:
    return Salesforce()


def visit(org: Salesforce, path: str) -> Response:
    answer = org.simulator.page(request("GET", path))
    assert answer is not None
    return answer


def shown(org: Salesforce, path: str) -> str:
    answer = visit(org, path)
    assert answer.status == 200, answer.body
    return answer.body.decode()


def post(org: Salesforce, path: str, **fields: str) -> Response:
    answer = org.simulator.page(request("POST", path, headers=[FORM], body=urlencode(fields).encode()))
    assert answer is not None
    return answer


def view(case: str, page: str = "view") -> str:
    return f"/lightning/r/Case/{case}/{page}"


def test_the_front_door_leads_to_the_list(org: Salesforce) -> None:
    answer = visit(org, "/")
    assert (answer.status, answer.header("Location")) == (303, LIST)
    assert "No cases to display." in shown(org, LIST)


def test_a_person_creates_a_case_and_sees_it(org: Salesforce) -> None:
    assert "New Case" in shown(org, NEW)
    answer = post(org, NEW, Subject="Printer", Description="", Priority="High", Origin="", Desk_Minutes__c="15")
    assert answer.status == 303
    page = shown(org, answer.header("Location"))
    assert "Printer" in page
    assert "00001000" in page
    case = org.get(org.column("SELECT Id FROM Case", "Id")[0])
    assert (case["Priority"], case["Origin"], case["Desk_Minutes__c"], case["Description"]) == (
        "High",
        None,
        15.0,
        None,
    )


def test_a_refused_form_comes_back_with_the_reason_and_what_was_typed(org: Salesforce) -> None:
    answer = post(org, NEW, Subject="Keep me", Desk_Minutes__c="-5")
    assert answer.status == 400
    assert "Minutes worked cannot be negative." in answer.body.decode()
    assert "Keep me" in answer.body.decode()
    assert org.found("SELECT Id FROM Case") == []


def test_an_edit_changes_the_case(org: Salesforce) -> None:
    made = org.case(Desk_Minutes__c=5, Origin="Phone")
    assert "Printer on fire" in shown(org, view(made, "edit"))
    form = {"Subject": "Fire is out", "Origin": "Phone", "Priority": "Low", "Desk_Minutes__c": "5"}
    assert post(org, view(made, "edit"), **form).header("Location") == view(made)
    case = org.get(made)
    assert (case["Subject"], case["Priority"], case["Desk_Minutes__c"]) == ("Fire is out", "Low", 5.0)


def test_an_edit_leaves_alone_what_nobody_touched(org: Salesforce) -> None:
    """Browsers send the line ends of their own, and a value that the picklist does not know must stay selected."""
    made = org.case(Description="one\ntwo", Type="Riddle")
    assert '<option value="Riddle" selected>' in shown(org, view(made, "edit"))
    post(org, view(made, "edit"), Subject="new", Description="one\r\ntwo", Type="Riddle")
    case = org.get(made)
    assert (case["Subject"], case["Description"], case["Type"]) == ("new", "one\ntwo", "Riddle")


def test_an_edit_that_is_refused_changes_nothing(org: Salesforce) -> None:
    made = org.case()
    answer = post(org, view(made, "edit"), Subject="x" * 300)
    assert answer.status == 400
    assert "data value too large" in answer.body.decode()
    assert org.get(made)["Subject"] == "Printer on fire"


def test_statuses_are_marked_and_closing_asks_for_a_reason(org: Salesforce) -> None:
    made = org.case()
    assert post(org, view(made, "status/On%20Hold")).status == 303
    assert org.get(made)["Status"] == "On Hold"
    refused = post(org, view(made, "status/Closed"))
    assert refused.status == 400
    assert "Choose a case reason" in refused.body.decode()
    assert post(org, view(made, "status/Closed"), Reason="Solved").status == 303
    page = shown(org, view(made))
    assert "Changed Status from On Hold to Closed." in page
    assert "Mark Closed" not in page


def test_comments_and_posts_say_who_may_see_them(org: Salesforce) -> None:
    made = org.case()
    post(org, view(made, "comment"), CommentBody="for the customer", IsPublished="true")
    post(org, view(made, "comment"), CommentBody="among us")
    post(org, view(made, "post"), Body="psst", Visibility="InternalUsers")
    rows = org.found("SELECT CommentBody, IsPublished FROM CaseComment ORDER BY Id")
    assert [(row["CommentBody"], row["IsPublished"]) for row in rows] == [
        ("for the customer", True),
        ("among us", False),
    ]
    page = shown(org, view(made))
    assert page.count(">Internal<") == 2
    empty = post(org, view(made, "comment"), CommentBody="  ")
    assert (empty.status, "Required fields are missing" in empty.body.decode()) == (400, True)


def test_a_rich_post_shows_its_text(org: Salesforce) -> None:
    made = org.case()
    org.create("FeedItem", ParentId=made, Body="<p>one &lt;b&gt;</p><ul><li>two</li></ul>", IsRichText=True)
    assert "one &lt;b&gt;\ntwo" in shown(org, view(made))


def test_a_file_goes_up_and_comes_down(org: Salesforce) -> None:
    made = org.case()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="VersionData"; filename="\xc3\x9cbersicht.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n\x00bytes\xff\r\n--x--\r\n"
    )
    headers = [("Content-Type", "multipart/form-data; boundary=x")]
    answer = org.simulator.page(request("POST", view(made, "file"), headers=headers, body=body))
    assert answer is not None
    assert answer.status == 303
    assert "Übersicht.txt (7 B)" in shown(org, view(made))
    version = org.column("SELECT Id FROM ContentVersion", "Id")[0]
    file = visit(org, f"/sfc/servlet.shepherd/version/download/{version}")
    assert file.body == b"\x00bytes\xff"
    assert file.header("Content-Disposition") == "attachment; filename*=UTF-8''%C3%9Cbersicht.txt"
    without = org.simulator.page(request("POST", view(made, "file"), headers=headers, body=b"--x--\r\n"))
    assert without is not None
    assert without.status == 400


def test_older_attachments_are_listed_too(org: Salesforce) -> None:
    made = org.case()
    attachment = org.create("Attachment", ParentId=made, Name="old.txt", Body="aGk=")
    assert "old.txt (2 B)" in shown(org, view(made))
    assert visit(org, f"/servlet/servlet.FileDownload/{attachment}").body == b"hi"


def test_the_short_address_of_a_record_leads_to_it(org: Salesforce) -> None:
    made = org.case()
    for path in (f"/{made}", f"/{made[:15]}"):
        assert visit(org, path).header("Location") == view(made)


def test_the_list_is_searched(org: Salesforce) -> None:
    org.case(Subject="Printer", Desk_Ref__c="T-1")
    org.case(Subject="Scanner", **CLOSED)
    assert "Printer" not in shown(org, f"{LIST}?q=scan")
    assert "Printer" in shown(org, f"{LIST}?q=t-1")
    assert "All Cases (2)" in shown(org, LIST)


def test_text_of_any_kind_is_only_text(org: Salesforce) -> None:
    made = org.case(Subject=HOSTILE, Description="طابعة 🔥")
    org.create("CaseComment", ParentId=made, CommentBody=HOSTILE)
    for path in (LIST, view(made), view(made, "edit"), f"{LIST}?{urlencode({'q': HOSTILE})}"):
        assert "<script>" not in shown(org, path)
    assert "طابعة 🔥" in shown(org, view(made))


def test_what_is_not_there_is_a_page_too(org: Salesforce) -> None:
    gone = org.case()
    org.call("DELETE", f"/sobjects/Case/{gone}")
    for path in (view(gone), view("nonsense"), "/500", f"/sfc/servlet.shepherd/version/download/{AGENT}"):
        answer = org.simulator.page(request("GET", path))
        assert answer is None or answer.status == 404
    assert org.simulator.page(request("GET", "/services/data/")) is None


def test_a_change_on_a_page_is_like_any_other(org: Salesforce) -> None:
    org.state.set("webhooks", {"url": "http://127.0.0.1:9/hook", "secret": ""})
    made = org.case()
    org.clock.freeze(START.replace(minute=5))
    post(org, view(made, "status/Working"))
    assert org.get(made)["SystemModstamp"] == "2025-03-10T09:05:00.000+0000"
    assert len(org.simulator.due()) == 2
