import pytest

from deskbridge.people.access import COOKIE
from deskbridge.people.front import VISITOR_COOKIE, local_path

FORM = {"username": "sara@example.org", "password": "correct horse battery"}


def test_the_session_cookie_is_out_of_reach_of_scripts(browser):
    answer = browser.sign_in("sara")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_each_sign_in_gets_a_session_of_its_own(browser):
    browser.cookies.set(COOKIE, "chosen by somebody else", domain="127.0.0.1")
    browser.sign_in("sara")
    assert browser.cookies[COOKIE] != "chosen by somebody else"


def test_a_form_without_its_token_is_refused(browser):
    browser.get("/sign-in")
    answer = browser.post("/sign-in", FORM)
    assert answer.status_code == 403
    assert COOKIE not in browser.cookies


def test_a_token_of_another_browser_is_refused(browser, app):
    browser.get("/sign-in")
    stolen = type(browser)(app).token("/sign-in")
    assert browser.post("/sign-in", {**FORM, "csrf_token": stolen}).status_code == 403


@pytest.mark.parametrize("change", [str.upper, lambda token: token + "0", lambda token: token[:-1], lambda token: ""])
def test_a_token_is_compared_exactly(browser, change):
    token = browser.token("/sign-in")
    changed = change(token)
    if changed != token:
        assert browser.post("/sign-in", {**FORM, "csrf_token": changed}).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_from_another_site_is_refused(browser, headers):
    answer = browser.post("/sign-in", FORM, headers, form="/sign-in")
    assert answer.status_code == 403
    assert COOKIE not in browser.cookies


def test_form_tokens_differ_from_page_to_page(browser):
    browser.get("/sign-in")
    assert browser.token("/sign-in") != browser.token("/sign-in")


def test_wrong_passwords_end_in_a_pause(browser, as_person):
    for _ in range(5):
        assert browser.sign_in("tom", "wrong password").status_code == 401
    answer = browser.sign_in("tom")
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    assert COOKIE not in browser.cookies


def test_unknown_and_known_names_get_the_same_answer(browser):
    known, unknown = browser.sign_in("ada", "wrong password"), browser.sign_in("nobody", "wrong password")
    assert known.status_code == unknown.status_code == 401
    scrubbed = [
        text.replace("ada@", "X@").replace("nobody@", "X@").split("csrf_token")[0]
        for text in (known.text, unknown.text)
    ]
    assert scrubbed[0] == scrubbed[1]


@pytest.mark.parametrize(
    "wish", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "", "evil"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(browser, wish):
    assert local_path(wish) == "/"
    answer = browser.post("/sign-in", {**FORM, "next": wish}, form="/sign-in")
    assert answer.headers["location"] == "/"


def test_signing_in_leads_to_where_one_was_going(browser):
    answer = browser.post("/sign-in", {**FORM, "next": "/desk/tickets?view=mine"}, form="/sign-in")
    assert answer.headers["location"] == "/desk/tickets?view=mine"


def test_a_page_for_people_signed_in_leads_to_the_sign_in_page(browser):
    answer = browser.get("/desk/tickets?view=mine")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fdesk%2Ftickets%3Fview%3Dmine"


def test_htmx_is_told_to_go_there_rather_than_given_the_page(browser):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:8002/desk/tickets/1001"}
    answer = browser.post("/desk/tickets/1001/messages", {"content": "x"}, headers)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=%2Fdesk%2Ftickets%2F1001"


def test_signing_out_needs_the_form_too(as_person):
    browser = as_person("max")
    assert browser.get("/sign-out").status_code in {404, 405}
    assert browser.post("/sign-out").status_code == 403
    assert browser.get("/profile").status_code == 200
    answer = browser.post("/sign-out", form="/profile")
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache"'
    assert browser.get("/profile").status_code == 303


def test_a_visitors_cookie_is_not_a_session(browser):
    browser.get("/sign-in")
    assert VISITOR_COOKIE in browser.cookies
    browser.cookies.set(COOKIE, browser.cookies[VISITOR_COOKIE], domain="127.0.0.1")
    assert browser.get("/desk/tickets").status_code == 303


@pytest.mark.parametrize(("name", "home"), [("sara", "/desk/tickets"), ("anna", "/portal/tickets")])
def test_the_start_page_leads_everyone_to_their_own(as_person, name, home):
    assert as_person(name).get("/").headers["location"] == home


def test_somebody_else_s_session_cannot_be_ended(as_person, sample):
    mine, theirs = as_person("max"), as_person("ada")
    session = sample.database.read(_one_session_of, sample.actors["ada"].id)
    assert mine.post(f"/sessions/{session}/end", form="/profile").status_code == 404
    assert theirs.get("/profile").status_code == 200


def _one_session_of(reader, user_id):
    from deskbridge.people.queries import sessions_of

    return sessions_of(reader, user_id, None)[0].id


@pytest.mark.parametrize(("field", "value"), [("locale", "tlh"), ("time_zone", "Mars/Olympus")])
def test_the_profile_refuses_what_there_is_not(as_person, field, value):
    browser = as_person("max")
    good = {"locale": "en", "time_zone": "Europe/Rome"}
    assert browser.post("/profile", {**good, field: value}, form="/profile").status_code == 422
    assert browser.post("/profile", good, form="/profile").status_code == 303


def test_registering_gives_no_role(browser):
    fields = {
        "name": "Eve", "email": "eve@example.org", "password": "a good long password", "role": "ADMIN",
        "active": "1", "customer_number": "1",
    }  # fmt: skip
    assert browser.post("/register", fields, form="/register").status_code == 303
    assert "Customer" in browser.get("/profile").text
    assert browser.get("/desk/tickets").headers["location"] == "/portal/tickets"
