"""A customer's journeys in a real browser, with script and without."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.sample import PASSWORD

pytestmark = pytest.mark.browser

EITHER_WAY = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


def send_request(page, subject="My screen stays black"):
    """Send a new request, and stay on its page; return its number."""
    page.goto("/portal/tickets/new")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("What happened?").fill("Since this morning.")
    page.get_by_label("Kind of request").select_option(label="Incident")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("We have your request. We answer here.")).to_be_visible()
    return int(re.search(r"/portal/tickets/(\d+)", page.url)[1])


@EITHER_WAY
def test_somebody_new_registers_and_sends_a_request(desk, context_of, script):
    page = context_of(base_url=desk, java_script_enabled=script).new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Register").click()
    page.get_by_label("Name").fill("Emma Fischer")
    page.get_by_label("E-mail address").fill(f"emma{script}@example.org")
    page.get_by_label("Password").fill("short")
    page.get_by_role("main").get_by_role("button", name="Register").click()
    expect(page.get_by_role("link", name="Password: Use 10 to 200 characters.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Emma Fischer")
    page.get_by_label("Password").fill("a good long password")
    page.get_by_role("main").get_by_role("button", name="Register").click()
    expect(page).to_have_url(re.compile("/portal/tickets/new$"))
    number = send_request(page)
    page.get_by_role("link", name="My requests").first.click()
    expect(page.locator(".requests")).to_contain_text(f"#{number}")
    expect(page.locator(".requests")).to_contain_text("Received")


def test_a_taken_address_is_said_without_losing_the_rest(desk, context_of):
    page = context_of(base_url=desk).new_page()
    page.goto("/register")
    page.get_by_label("Name").fill("Another Anna")
    page.get_by_label("E-mail address").fill("anna@example.org")
    page.get_by_label("Password").fill("a good long password")
    page.get_by_role("main").get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_have_text("There is already an account with this e-mail address.")
    expect(page.get_by_label("Name")).to_have_value("Another Anna")


def test_registering_takes_the_time_zone_of_the_browser(desk, context_of):
    page = context_of(base_url=desk).new_page()
    page.goto("/register")
    page.get_by_label("Name").fill("Paul Novak")
    page.get_by_label("Phone number").fill("+39 0471 123456")
    page.get_by_label("Password").fill("a good long password")
    page.get_by_role("main").get_by_role("button", name="Register").click()
    page.wait_for_url("**/portal/tickets/new")
    page.goto("/profile")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Rome")


@EITHER_WAY
def test_a_customer_sees_the_public_conversation_only(signed_in, script):
    page = signed_in("anna", java_script_enabled=script)
    page.goto("/portal/tickets/1001")
    expect(page.locator(".thread")).to_contain_text("Thank you, we are looking into it.")
    html = page.content()
    assert "Can somebody check the log?" not in html
    assert "priority" not in page.locator(".thread").inner_text().lower()
    assert "Support" in page.locator(".thread").inner_text()


def test_other_peoples_requests_are_not_there(signed_in):
    page = signed_in("anna")
    assert page.goto("/portal/tickets/1002").status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_the_desk_sends_customers_to_their_own_pages(signed_in):
    page = signed_in("anna")
    page.goto("/desk/tickets/1001")
    expect(page).to_have_url(re.compile("/portal/tickets/1001$"))


@EITHER_WAY
def test_answering_and_its_errors(signed_in, script):
    page = signed_in("anna", java_script_enabled=script)
    number = send_request(page, "With an answer")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("link", name="Message: Enter some text.")).to_be_visible()
    page.get_by_label("Your answer").fill("It works *again*.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".msg").last).to_contain_text("It works again.")
    expect(page.get_by_label("Your answer")).to_have_value("")
    assert f"/portal/tickets/{number}" in page.url


def test_an_answer_half_written_waits_and_goes_once_it_is_sent(signed_in):
    page = signed_in("luca")
    page.goto("/portal/tickets/1002")
    page.get_by_label("La Sua risposta").fill("Ancora non va")
    page.get_by_text("Bozza salvata").wait_for()
    page.reload()
    expect(page.get_by_label("La Sua risposta")).to_have_value("Ancora non va")
    page.get_by_role("button", name="Invia", exact=True).click()
    page.wait_for_url("**/portal/tickets/1002")  # without the mark that it was sent, which a reload would repeat
    page.reload()
    expect(page.get_by_label("La Sua risposta")).to_have_value("")


@EITHER_WAY
def test_a_solved_request_is_confirmed_and_opened_again(signed_in, script):
    agent = signed_in("max", java_script_enabled=script)
    customer = signed_in("anna", java_script_enabled=script)
    number = send_request(customer, "To be confirmed")
    agent.goto(f"/desk/tickets/{number}")
    agent.get_by_role("button", name="Assign to me").click()
    expect(agent.locator(".happened").last).to_contain_text("to Open")
    agent.get_by_text("Resolve…").click()
    agent.get_by_label("How was it solved?").fill("A new cable.")
    agent.get_by_role("button", name="Resolve", exact=True).click()
    expect(agent.locator(".happened").last).to_contain_text("resolved the ticket")

    customer.reload()
    expect(customer.get_by_text("Is your problem solved?")).to_be_visible()
    expect(customer.locator(".said")).to_have_text("A new cable.")
    customer.get_by_role("button", name="Yes, it is solved").click()
    expect(customer.locator("main > p .st")).to_have_text("Closed")
    customer.get_by_label("What is still wrong?").fill("Black again.")
    customer.get_by_role("button", name="Open it again").click()
    expect(customer.locator("main > p .st")).to_have_text("In progress")
    expect(customer.locator(".said").last).to_have_text("Black again.")


@EITHER_WAY
def test_thanks_leave_a_solved_request_solved(signed_in, script):
    page = signed_in("luca", java_script_enabled=script)
    page.goto("/portal/tickets/1005")
    expect(page.locator("main > p .st")).to_have_text("Risolta")
    page.get_by_label("La Sua risposta").fill(f"Grazie! {script}")
    page.get_by_label("Solo un grazie: resta risolta").check()
    page.get_by_role("button", name="Invia", exact=True).click()
    expect(page.locator(".msg").last).to_contain_text(f"Grazie! {script}")
    expect(page.locator("main > p .st")).to_have_text("Risolta")


@EITHER_WAY
def test_a_new_request_can_be_taken_back(signed_in, script):
    page = signed_in("anna", java_script_enabled=script)
    send_request(page, "Never mind")
    page.get_by_role("button", name="My problem is solved").click()
    expect(page.locator("main > p .st")).to_have_text("Closed")


@EITHER_WAY
def test_a_visitor_chooses_the_language(desk, context_of, script):
    page = context_of(base_url=desk, java_script_enabled=script, locale="de-AT").new_page()
    page.goto("/portal")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wie können wir helfen?")
    page.get_by_role("button", name="Italiano").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Come possiamo aiutare?")
    expect(page.locator("html")).to_have_attribute("lang", "it")
    page.goto("/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accedi")


@EITHER_WAY
def test_the_profile_keeps_language_and_time_zone(signed_in, script):
    page = signed_in("jonas", java_script_enabled=script)
    page.goto("/profile")
    page.get_by_label("Zeitzone").select_option("Asia/Tokyo")
    page.get_by_label("Sprache", exact=True).select_option("en")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/portal/tickets")
    assert re.search("GMT\\+9|JST", page.locator("time").first.get_attribute("title"))
    page.goto("/profile")
    page.get_by_label("Time zone").select_option("Europe/Rome")
    page.get_by_label("Language", exact=True).select_option("de")
    page.get_by_role("button", name="Save").click()


def test_another_browser_is_signed_out_from_the_profile(signed_in):
    here, there = signed_in("ada"), signed_in("ada", user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")
    here.goto("/profile")
    row = here.get_by_role("listitem").filter(has_text="Firefox, Linux")
    row.get_by_role("button", name="Sign out there").click()
    expect(here.get_by_text("Firefox, Linux")).to_have_count(0)
    there.goto("/desk/tickets")
    expect(there).to_have_url(re.compile("/sign-in"))
    expect(here.get_by_text("This browser")).to_be_visible()


def test_signing_in_by_customer_id(desk, context_of):
    page = context_of(base_url=desk).new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail, phone number or customer ID").fill("c-000001")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("heading", name="My requests")).to_be_visible()
