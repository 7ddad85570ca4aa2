"""The root's doors for machines."""

import httpx
import pytest

from deskbridge import __version__
from deskbridge.app import create_app
from deskbridge.kit.db import Database
from deskbridge.kit.schema import downgrade, upgrade
from tests.conftest import settings_of
from tests.support.databases import TestDatabases
from tests.support.http import Api, Loop


def test_health_is_exactly_what_is_promised(api: Api) -> None:
    answer = api.root.get("/health")
    assert answer.json() == {
        "status": "healthy",
        "service": "deskbridge",
        "version": __version__,
        "environment": "test",
    }


@pytest.mark.database
def test_ready_tells_the_truth_about_the_schema(databases: TestDatabases, engine_name: str, loop: Loop) -> None:
    database = Database(databases.blank(engine_name))
    api = Api(create_app(settings_of(databases.blank(engine_name)), database), loop).root
    try:
        assert refused(api.get("/ready")) == "The database is at revision none. Run `deskbridge db upgrade`."
        upgrade(database.engine)
        assert (api.get("/ready").status_code, api.get("/ready").json()) == (200, {"status": "ready"})
        downgrade(database.engine, "-1")
        assert "Run `deskbridge db upgrade`." in refused(api.get("/ready"))
        assert api.get("/health").status_code == 200
    finally:
        database.close()


def refused(answer: httpx.Response) -> str:
    body = answer.json()
    assert (answer.status_code, body["status"], body["error_code"]) == (503, "unavailable", "UNAVAILABLE")
    detail: str = body["detail"]
    return detail


def test_metrics_are_readable_by_prometheus(api: Api) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    answer = api.root.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert {family.name for family in text_string_to_metric_families(answer.text)} >= {"python_info"}
