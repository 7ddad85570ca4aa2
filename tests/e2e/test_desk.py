"""An agent's journeys in a real browser, with script and without: the same forms, the same outcome."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.browser import violations
from tests.e2e.sample import PASSWORD

pytestmark = pytest.mark.browser

EITHER_WAY = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
MESSAGE = "Message"


def open_new(page, title, text="Something is wrong."):
    """File a ticket on behalf of a customer, and stay on its page."""
    page.goto("/desk/tickets/new")
    page.get_by_label("For whom?").fill("anna@example.org")
    page.get_by_label("Subject").fill(title)
    page.get_by_label("What happened?").fill(text)
    page.get_by_label("Category").select_option("BUG")
    page.get_by_role("button", name="Create the ticket").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return int(re.search(r"/desk/tickets/(\d+)", page.url)[1])


def history(page):
    return page.locator(".happened")


# Signing in


def test_signing_in_leads_back_to_where_one_was_going(desk, context_of):
    page = context_of(base_url=desk).new_page()
    page.goto("/desk/tickets/1001")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail, phone number or customer ID").fill("sara@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button").click()
    expect(page).to_have_url(re.compile("/desk/tickets/1001$"))


@EITHER_WAY
def test_a_wrong_password_keeps_the_name_and_says_so(desk, context_of, script):
    page = context_of(base_url=desk, java_script_enabled=script).new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail, phone number or customer ID").fill("max@example.org")
    page.get_by_label("Password").fill("not the password")
    page.locator("main").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("The sign-in name or the password is not right.")
    expect(page.get_by_label("E-mail, phone number or customer ID")).to_have_value("max@example.org")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page).to_have_title(re.compile("^Error: "))


def test_signing_out_ends_the_session_and_forgets_drafts(signed_in):
    page = signed_in("tom")
    page.goto("/desk/tickets/1001")
    page.get_by_label("Nachricht", exact=True).fill("nearly finished")
    page.get_by_text("Entwurf gespeichert").wait_for()
    page.get_by_role("button", name="Tom Berger").click()
    page.get_by_role("button", name="Abmelden").click()
    page.wait_for_url("**/portal")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:'))") == []
    page.goto("/desk/tickets")
    expect(page).to_have_url(re.compile("/sign-in"))


# The list


@EITHER_WAY
def test_the_list_pages_forward_and_back_to_the_first(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    page.goto("/desk/tickets?view=all&sort_by=number&order=asc")
    expect(page.locator("#rows tr")).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#rows tr").first).to_contain_text("#1051")
    assert page.get_by_role("link", name="Next page").count() == 0
    page.go_back()
    expect(page.locator("#rows tr").first).to_contain_text("#1001")
    page.go_forward()
    page.get_by_role("link", name="First page").click()
    expect(page.locator("#rows tr").first).to_contain_text("#1001")


def test_filters_narrow_the_list_in_place_and_the_address_says_so(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Escalated").check()
    expect(page.get_by_text("8 tickets")).to_be_visible()
    expect(page).to_have_url(re.compile("status=ESCALATED"))
    page.reload()
    expect(page.locator("#rows tr")).to_have_count(8)
    page.get_by_role("link", name="Status: Escalated").click()
    expect(page.locator("#rows tr")).to_have_count(50)


def test_filters_work_without_script(signed_in):
    page = signed_in("sara", java_script_enabled=False)
    page.goto("/desk/tickets?view=all")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Critical").check()
    page.get_by_label("Assignee").select_option(label="Me")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("#rows tr")
    assert 0 < rows.count() < 50
    assert set(page.locator("#rows td:nth-last-child(2)").all_inner_texts()) == {"Sara Vogel"}


@EITHER_WAY
def test_columns_sort_both_ways(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    page.goto("/desk/tickets?view=all")
    page.get_by_role("link", name="Priority").click()
    expect(page.locator("#rows tr").first.locator(".prio").first).to_have_attribute("data-level", "P1")
    page.get_by_role("link", name="Priority").click()
    expect(page.locator("#rows tr").first.locator(".prio").first).to_have_attribute("data-level", "P4")
    expect(page.get_by_role("columnheader", name="Priority")).to_have_attribute("aria-sort", "descending")


def test_a_number_leads_straight_to_its_ticket(signed_in):
    page = signed_in("sara")
    page.locator("body").press("/")
    page.keyboard.type("#1002")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/desk/tickets/1002$"))


def test_words_narrow_the_list_while_they_are_typed(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("licence")
    expect(page.get_by_text("8 tickets")).to_be_visible()
    expect(page).to_have_url(re.compile("q=licence"))
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type(" colleague")
    expect(page).to_have_url(re.compile("q=licence(%20|\\+)colleague"))
    expect(page.locator("#rows tr").first).to_contain_text("Request for a second user licence")


def test_nothing_found_says_why_and_what_to_do(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all&q=nowhereatall")
    expect(page.get_by_text("No ticket matches.")).to_be_visible()
    assert violations(page) == []
    page.locator(".empty").get_by_role("link", name="Clear filters").click()
    expect(page.locator("#rows tr")).to_have_count(50)


def test_a_place_in_a_list_that_is_gone_shows_the_list_from_its_beginning(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all&cursor=nonsense")
    expect(page.locator("#rows tr")).to_have_count(50)


def test_keys_walk_the_list_and_come_back(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all&sort_by=number&order=asc")
    for key in "jjk":
        page.keyboard.press(key)
    expect(page.locator("tr.cursor")).to_have_attribute("data-number", "1001")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/desk/tickets/1002$"))
    page.keyboard.press("]")
    page.wait_for_url(re.compile("/desk/tickets/1003$"))
    page.keyboard.press("[")
    page.wait_for_url(re.compile("/desk/tickets/1002$"))
    page.keyboard.press("u")
    page.wait_for_url(re.compile("sort_by=number"))


def test_selected_tickets_are_taken_and_the_others_counted(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=unassigned&sort_by=number&order=asc")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("group", name="With the selected tickets")).to_contain_text("2 selected")
    assert violations(page) == []
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("2 tickets are yours now.")).to_be_visible()


def test_without_script_selected_tickets_are_taken_too(signed_in):
    page = signed_in("sara", java_script_enabled=False)
    page.goto("/desk/tickets?view=all&sort_by=number&order=asc")
    page.get_by_label("Select #1001").check()
    page.get_by_label("Select #1004").check()  # Tom's, in a team that is not Sara's
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("1 is not yours to take.")).to_be_visible()


# The conversation


@EITHER_WAY
def test_a_reply_and_a_note(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    number = open_new(page, "Needs a reply")
    page.get_by_label(MESSAGE, exact=True).fill("We are **on it**.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator(".msg:not(.note)").last).to_contain_text("We are on it.")
    page.locator(".composer").get_by_text("Note", exact=True).click()
    page.get_by_label(MESSAGE, exact=True).fill("Ask Tom first.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".msg.note")).to_contain_text("Ask Tom first.")
    expect(page.locator(".msg.note")).to_contain_text("Internal note – only agents see this")
    expect(page.get_by_label(MESSAGE, exact=True)).to_have_value("")
    expect(page).to_have_url(re.compile(f"/desk/tickets/{number}$"))


@EITHER_WAY
def test_an_empty_reply_is_refused_at_its_field(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    page.goto("/desk/tickets/1001")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("link", name="Message: Enter some text.")).to_be_visible()
    expect(page.get_by_label(MESSAGE, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page).to_have_title(re.compile("^Error: "))


def test_ctrl_enter_sends_once(signed_in):
    page = signed_in("sara")
    open_new(page, "Sent by keyboard")
    page.get_by_label(MESSAGE, exact=True).fill("By keyboard")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg", has_text="By keyboard")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Sent")).to_be_visible()
    expect(page.get_by_label(MESSAGE, exact=True)).to_have_value("")


def test_a_draft_survives_a_change_of_status(signed_in):
    page = signed_in("sara")
    open_new(page, "Draft and status")
    page.get_by_label(MESSAGE, exact=True).fill("half a sentence")
    page.get_by_role("button", name="Assign to me").click()
    expect(history(page).last).to_contain_text("changed the status from New to Open")
    expect(page.get_by_label(MESSAGE, exact=True)).to_have_value("half a sentence")


def test_without_a_connection_nothing_typed_is_lost(signed_in):
    page = signed_in("sara")
    open_new(page, "Offline")
    page.context.set_offline(True)
    page.get_by_label(MESSAGE, exact=True).fill("still here")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("The desk cannot be reached.")).to_be_visible()
    expect(page.get_by_label(MESSAGE, exact=True)).to_have_value("still here")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator(".msg", has_text="still here")).to_have_count(1)


def test_when_the_session_ends_the_draft_waits_behind_the_sign_in(signed_in):
    page = signed_in("lea")
    page.goto("/desk/tickets/1001")
    page.get_by_label("Messaggio", exact=True).fill("da finire")
    page.get_by_text("Bozza salvata").wait_for()
    page.context.clear_cookies()
    page.get_by_role("button", name="Invia risposta").click()
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_label("E-mail, phone number or customer ID").fill("lea@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button").click()
    page.wait_for_url("**/desk/tickets/1001")
    expect(page.get_by_label("Messaggio", exact=True)).to_have_value("da finire")


# The workflow


@EITHER_WAY
def test_a_ticket_from_taken_to_solved(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    open_new(page, "From taken to solved")
    page.get_by_role("button", name="Assign to me").click()
    expect(history(page).last).to_contain_text("changed the status from New to Open")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("#status-menu").get_by_role("button", name="In progress").click()
    expect(history(page).last).to_contain_text("from Open to In progress")
    page.get_by_text("Resolve…").click()
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_role("link", name="How was it solved?: Enter some text.")).to_be_visible()
    page.get_by_label("How was it solved?").fill("Turned it off and on.")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(history(page).last).to_contain_text("resolved the ticket")
    expect(history(page).last).to_contain_text("Turned it off and on.")


@EITHER_WAY
def test_escalating_to_a_team_and_its_reason(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    open_new(page, "To be escalated")
    page.get_by_role("button", name="Assign to me").click()
    expect(history(page).last).to_contain_text("to Open")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("#status-menu").get_by_role("button", name="In progress").click()
    expect(history(page).last).to_contain_text("to In progress")
    page.get_by_text("Escalate…").click()
    page.get_by_label("Why?").first.fill("The line is dead.")
    page.get_by_label("To which team?").select_option(label="Network")
    page.get_by_role("button", name="Escalate", exact=True).click()
    expect(page.locator(".said")).to_contain_text("The line is dead.")
    expect(page.locator(".props dd").filter(has_text="Network")).to_be_visible()


@EITHER_WAY
def test_a_manager_assigns_with_a_note_and_changes_the_priority(signed_in, script):
    page = signed_in("max", java_script_enabled=script)
    open_new(page, "For Sara")
    page.get_by_text("Assign…").click()
    page.get_by_label("Assignee").select_option(label="Sara Vogel")
    page.get_by_label("Team").select_option(label="Support")
    page.get_by_label("Note for your colleagues").fill("She knows the customer.")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator(".msg.note")).to_contain_text("She knows the customer.")
    expect(page.locator(".props dd").filter(has_text="Sara Vogel")).to_be_visible()
    page.get_by_role("button", name="Medium").click()
    page.locator("#priority-menu").get_by_role("button", name="Critical").click()
    expect(history(page).last).to_contain_text("changed the priority from Medium to Critical")


def test_only_legal_steps_are_offered(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=finished&status=CLOSED")
    page.locator("#rows a").first.click()
    assert page.locator("#status-menu").count() == 0
    assert page.get_by_text("Reopen…").is_visible()
    assert page.get_by_text("Resolve…").count() == 0
    assert page.get_by_text("Escalate…").count() == 0


def test_a_step_that_somebody_else_took_first_is_explained(signed_in):
    one, other = signed_in("max"), signed_in("max")
    number = open_new(one, "Taken twice")
    other.goto(f"/desk/tickets/{number}")
    for page in (one, other):
        page.get_by_text("Close…").click()
        page.get_by_label("Why?").fill("A duplicate.")
    one.get_by_role("button", name="Close the ticket").click()
    expect(history(one).last).to_contain_text("closed the ticket")
    other.get_by_role("button", name="Close the ticket").click()
    expect(other.get_by_role("alert")).to_contain_text("This ticket is now “Closed”")


@EITHER_WAY
def test_two_people_editing_see_both_values(signed_in, script):
    one, other = signed_in("max"), signed_in("max", java_script_enabled=script)
    number = open_new(one, "Edited twice")
    for page in (one, other):
        page.goto(f"/desk/tickets/{number}/edit")
    one.get_by_label("Subject").fill("What one wrote")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("heading", level=1)).to_have_text("What one wrote")
    other.get_by_label("Subject").fill("What the other wrote")
    other.get_by_role("button", name="Save").click()
    expect(other.locator(".ours-theirs")).to_contain_text("What one wrote")
    expect(other.locator(".ours-theirs")).to_contain_text("What the other wrote")
    assert violations(other) == [] if script else True
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("What the other wrote")


@EITHER_WAY
def test_a_new_ticket_with_errors_keeps_what_was_typed(signed_in, script):
    page = signed_in("sara", java_script_enabled=script)
    page.goto("/desk/tickets/new")
    page.get_by_label("For whom?").fill("nobody@example.org")
    page.get_by_label("What happened?").fill("A long story.")
    page.get_by_role("button", name="Create the ticket").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("There is nobody with this address, number or ID.")
    expect(page.get_by_label("What happened?")).to_have_value("A long story.")
    page.get_by_label("For whom?").fill("C-000002")
    page.get_by_role("button", name="Create the ticket").click()
    expect(summary).to_contain_text("Subject: Enter at least 3 characters.")
    expect(summary).to_contain_text("Category: Choose from the list.")


def test_leaving_a_changed_form_asks_first(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets/new")
    page.get_by_label("Subject").fill("Nearly")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Assigned to me").click()
    page.wait_for_url("**view=mine")
    assert asked == ["beforeunload"]


def test_going_back_keeps_scroll_and_selection(browser, signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets?view=all")
    page.locator("#rows [type=checkbox]").nth(30).check()
    page.evaluate("scrollTo(0, 900)")
    page.locator("#rows a").nth(30).click()
    page.wait_for_url("**/desk/tickets/1*")
    page.go_back()
    expect(page.locator("#rows [type=checkbox]").nth(30)).to_be_visible()
    assert page.evaluate("scrollY") > 500
