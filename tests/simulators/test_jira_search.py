"""Search: pages, tokens, the lagging index, both kinds of site."""

import pytest
from tests.simulators.jira_kit import Site


@pytest.fixture
def site() -> Site:
    return Site()


def test_pages_end_where_the_token_is_missing(site: Site) -> None:
    keys = [site.create(f"Issue {number}") for number in range(5)]
    seen, token = [], None
    for _ in range(3):
        query = {"nextPageToken": token} if token else {}
        page = site.get("/search/jql", jql="project = DESK order by key", fields="summary", maxResults=2, **query)
        seen += [issue["key"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        assert page["isLast"] == (token is None)
        assert "total" not in page
    assert seen == keys


def test_a_page_neither_skips_nor_repeats_while_issues_move(site: Site) -> None:
    for number in range(4):
        site.create(f"Issue {number}")
        site.clock.advance(1)
    jql = "project = DESK order by updated asc, key asc"
    first = site.get("/search/jql", jql=jql, fields="updated", maxResults=2)
    site.call("PUT", "/issue/DESK-1", {"fields": {"summary": "moved to the end"}})
    second = site.get("/search/jql", jql=jql, fields="updated", maxResults=9, nextPageToken=first["nextPageToken"])
    assert [issue["key"] for issue in second["issues"]] == ["DESK-3", "DESK-4", "DESK-1"]


def test_a_token_belongs_to_its_query(site: Site) -> None:
    for number in range(3):
        site.create(f"Issue {number}")
    token = site.get("/search/jql", jql="project = DESK", maxResults=1)["nextPageToken"]
    for query in ({"jql": "type = Bug", "nextPageToken": token}, {"jql": "project = DESK", "nextPageToken": "x"}):
        response = site.call("GET", "/search/jql", query=query)
        assert response.status == 400
        assert "token" in response.json()["errorMessages"][0]


def test_only_ids_unless_fields_are_asked_for(site: Site) -> None:
    site.create("One")
    assert site.get("/search/jql", jql="project = DESK")["issues"] == [{"id": "10000"}]


def test_pages_of_whole_issues_are_capped(site: Site) -> None:
    for number in range(101):
        site.create(f"Issue {number}")
    assert len(site.get("/search/jql", jql="project = DESK", fields="*all", maxResults=5000)["issues"]) == 100
    assert len(site.get("/search/jql", jql="project = DESK", maxResults=5000)["issues"]) == 101


def test_fields_repeat_or_come_with_commas(site: Site) -> None:
    site.create("One")
    repeated = site.get("/search/jql", jql="project = DESK", fields=["summary", "status"])
    with_commas = site.get("/search/jql", jql="project = DESK", fields="summary,status")
    assert repeated == with_commas
    assert set(repeated["issues"][0]["fields"]) == {"summary", "status"}


def test_search_by_post(site: Site) -> None:
    key = site.create("One")
    body = {"jql": "project = DESK", "fields": ["summary"], "maxResults": 10}
    found = site.call("POST", "/search/jql", body, version="3").json()
    assert [issue["key"] for issue in found["issues"]] == [key]
    assert site.call("POST", "/search/approximate-count", {"jql": "project = DESK"}).json() == {"count": 1}


def test_the_index_lags_behind_the_issues(site: Site) -> None:
    """Search believes the old state for a while; reading by key does not."""
    site.set("lag", 60)
    key = site.create("New")
    assert site.search("project = DESK") == []
    assert site.fields(key)["summary"] == "New"
    site.clock.advance(61)
    assert site.search("project = DESK") == [key]
    site.call("PUT", f"/issue/{key}", {"fields": {"summary": "Second"}})
    site.clock.advance(30)
    site.call("PUT", f"/issue/{key}", {"fields": {"summary": "Third"}})
    assert site.search("summary ~ New") == [key]
    site.clock.advance(31)
    assert site.search("summary ~ Second") == [key]
    site.clock.advance(30)
    assert site.search("summary ~ Third") == [key]


def test_a_deleted_issue_lingers_in_a_lagging_index(site: Site) -> None:
    key = site.create("Gone")
    site.set("lag", 60)
    site.call("DELETE", f"/issue/{key}")
    assert site.search("project = DESK") == [key]
    site.clock.advance(61)
    assert site.search("project = DESK") == []


def test_a_late_indexed_issue_appears_behind_the_watermark(site: Site) -> None:
    site.set("lag", 60)
    late = site.create("Late")
    site.set("lag", 0)
    site.clock.advance(5)
    site.create("Prompt")
    assert site.search("updated >= -1m") == ["DESK-2"]
    site.clock.advance(58)
    assert site.search("updated <= -1m") == [late]


def test_reconciled_issues_are_consistent(site: Site) -> None:
    site.set("lag", 60)
    key = site.create("Mine")
    assert site.search("project = DESK", reconcileIssues="10000") == [key]
    too_many = ",".join(str(number) for number in range(51))
    assert site.call("GET", "/search/jql", query={"jql": "key > DESK-0", "reconcileIssues": too_many}).status == 400


def test_a_server_pages_by_offset_and_has_no_token_search(site: Site) -> None:
    site.set("option.deployment", "Server")
    for number in range(3):
        site.create(f"Issue {number}")
    page = site.get("/search", jql="order by key", startAt=1, maxResults=1, validateQuery="True", fields="summary")
    assert (page["startAt"], page["maxResults"], page["total"]) == (1, 1, 3)
    assert [issue["key"] for issue in page["issues"]] == ["DESK-2"]
    assert site.call("GET", "/search/jql", query={"jql": "project = DESK"}).status == 404
    assert site.call("GET", "/myself", version="3").status == 404


def test_a_cloud_site_may_have_lost_the_old_search(site: Site) -> None:
    assert site.call("GET", "/search", query={"jql": ""}).status == 200
    site.set("option.legacy_search", "gone")
    response = site.call("GET", "/search", query={"jql": ""})
    assert response.status == 410
    assert "search/jql" in response.json()["errorMessages"][0]


@pytest.mark.parametrize(
    "query", [{"maxResults": "many"}, {"maxResults": 0}, {"startAt": -1}, {"maxResults": "9" * 5000}]
)
def test_bad_numbers_are_refused(site: Site, query: dict[str, object]) -> None:
    assert site.call("GET", "/search/jql", query={"jql": "project = DESK", **query}).status == 400
