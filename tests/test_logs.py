import io
import sys

import pytest
import structlog

from deskbridge.logs import set_up_logging
from deskbridge.settings import Settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def logging_set_back():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_tracebacks_say_where_and_not_what(logging_set_back, monkeypatch, stream):
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logging(Settings(_env_file=None))
    given = "correct horse" + " battery"

    def sign_in(password):
        raise RuntimeError("it broke")

    try:
        sign_in(given)
    except RuntimeError as error:
        structlog.get_logger().error("request.failed", exc_info=error)
    assert "it broke" in written.getvalue()
    assert "sign_in" in written.getvalue()
    assert given not in written.getvalue()
