"""Logging: one structured line per event, on standard error; JSON in production."""

import logging
import sys

import structlog

from deskbridge.settings import Settings

# Tracebacks say where something broke, never the values it held there: those may be passwords or people's words.
_PRETTY = (
    structlog.processors.StackInfoRenderer(),
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
)
_JSON = (
    structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    structlog.processors.JSONRenderer(),
)


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
            *(_PRETTY if pretty else _JSON),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
