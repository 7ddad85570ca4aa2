"""Logging: one structured line per event, on standard error; JSON in production."""

import logging
import sys

import structlog

from deskbridge.settings import Settings


def set_up_logging(settings: Settings) -> None:
    """Send structlog's lines and the libraries' warnings to standard error."""
    level = logging.DEBUG if settings.DEBUG else logging.getLevelName(settings.LOG_LEVEL.value)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    pretty = not settings.production and sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if not pretty else structlog.processors.StackInfoRenderer(),
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
