"""Two people at once: what one does, the other sees without doing anything."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def first_ticket(page):
    """Open the first ticket of the list and return its number."""
    row = page.locator("#rows > tr").first
    number = row.get_attribute("data-number")
    row.locator("a").first.click()
    page.wait_for_url(f"**/{number}")
    return number


def say(page, text, *, note=False):
    if note:
        page.locator(".composer").get_by_text("Note", exact=True).click()
    page.get_by_label("Message", exact=True).fill(text)
    page.locator("#composer button.btn-primary").click()


def test_a_message_appears_where_another_agent_reads(signed_in):
    sara, max_ = signed_in("sara"), signed_in("max")
    number = first_ticket(sara)
    max_.goto(f"/desk/tickets/{number}")
    max_.get_by_label("Message", exact=True).fill("I am writing something")
    say(sara, "Look at this, *please*", note=True)
    expect(max_.locator("#thread")).to_contain_text("Look at this, please")
    expect(max_.get_by_label("Message", exact=True)).to_have_value("I am writing something")


def test_a_row_becomes_unread_in_place(signed_in):
    sara, max_ = signed_in("sara"), signed_in("max")
    max_.goto("/desk/tickets?view=all&sort_by=number")
    number = max_.locator("#rows > tr").first.get_attribute("data-number")
    max_.goto(f"/desk/tickets/{number}")
    max_.goto("/desk/tickets?view=all&sort_by=number")
    row = max_.locator(f"#t-{number}")
    expect(row).not_to_have_class(re.compile("unread"))
    sara.goto(f"/desk/tickets/{number}")
    say(sara, "Something new")
    expect(row).to_have_class(re.compile("unread"))
    row.locator("a").first.click()
    max_.get_by_role("button", name="Mark as unread").click()
    max_.wait_for_url("**/desk/tickets")
    max_.goto("/desk/tickets?view=all&sort_by=number")
    expect(max_.locator(f"#t-{number}")).to_have_class(re.compile("unread"))


def test_what_happens_to_a_connection_shows_on_the_monitor_of_another(signed_in):
    max_, lea = signed_in("max"), signed_in("lea")
    lea.goto("/desk/sync")
    shown = lea.get_by_role("article", name="Service Centre", exact=True)
    expect(shown).not_to_contain_text("In pausa")
    max_.goto("/desk/sync")
    max_.get_by_role("button", name="Pause Service Centre").click()
    expect(max_.get_by_role("button", name="Resume Service Centre")).to_be_visible()
    expect(shown).to_contain_text("In pausa")
    max_.get_by_role("button", name="Resume Service Centre").click()
    expect(shown).not_to_contain_text("In pausa")


def test_a_link_that_is_let_go_of_shows_where_another_agent_reads(signed_in):
    max_, ada = signed_in("max"), signed_in("ada")
    ada.goto("/desk/tickets/1010")
    max_.goto("/desk/tickets/1010")
    max_.get_by_text("Unlink INC001001010…").click()
    max_.get_by_role("button", name="Unlink INC001001010", exact=True).click()
    expect(ada.locator("#props")).to_contain_text("Unlinked by Max Huber.")
    max_.get_by_role("button", name="Link INC001001010 again").click()
    expect(ada.locator("#props")).to_contain_text("Linked again by Max Huber.")


def test_a_customer_sees_the_answer_and_nothing_of_the_note(signed_in):
    sara, anna = signed_in("sara"), signed_in("anna")
    anna.goto("/portal/tickets/1001")
    sara.goto("/desk/tickets/1001")
    say(sara, "Between us", note=True)
    expect(sara.locator("#thread")).to_contain_text("Between us")
    sara.locator(".composer").get_by_text("Reply", exact=True).click()
    say(sara, "It is being repaired")
    expect(anna.locator("#thread")).to_contain_text("It is being repaired")
    expect(anna.locator("#thread")).not_to_contain_text("Between us")
