"""Where logs go: standard error, one line an event, JSON where a machine reads them. They never carry message text."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

_CHATTY = ("alembic", "apscheduler", "discord.client", "httpx", "httpx2")
"""They tell at INFO of every migration, of every run of a job, of every login, and of every request."""


def configure_logs(*, level: int = logging.WARNING, stream: TextIO | None = None) -> None:
    """Send our own and the libraries' logs of `level` and above to one stream.

    Args:
        level: What is too low is dropped early.
        stream: Standard error when None; lines are for people if it is a terminal, JSON otherwise.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: list[Processor] = (  # no traceback shows local variables: people's words are among them
        [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
