"""Bolt's app as Recall uses it: nothing is called by it, and what it acknowledges is committed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from slack_bolt.async_app import AsyncApp
from slack_bolt.logger import get_bolt_logger
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.workspace import Workspace


def bolt_app(workspace: Workspace, *, api_url: str) -> AsyncApp:
    """Return an app without listeners.

    Args:
        workspace: Says who the app is there.
        api_url: Of the Web API.
    """
    with _environment_is_no_news():
        return AsyncApp(
            client=AsyncWebClient(base_url=api_url),  # it calls nothing
            authorize=workspace.authorizer(),
            process_before_response=True,  # acknowledged means committed
            request_verification_enabled=False,  # a socket needs no signature
            ignoring_self_events_enabled=False,  # an answer that somebody deletes is one; `inbound` knows the others
            attaching_conversation_kwargs_enabled=False,
        )


@contextmanager
def _environment_is_no_news() -> Iterator[None]:
    """Keep Bolt from warning that it found SLACK_BOT_TOKEN in the environment and has no use for it."""
    log = get_bolt_logger(AsyncApp)
    log.addFilter(_is_an_error)  # a level would be set anew by Bolt itself
    try:
        yield
    finally:
        log.removeFilter(_is_an_error)


def _is_an_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
