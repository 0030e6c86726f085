"""`recall run`: serves the configured chat platforms until it is told to end."""

import asyncio
import signal
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog

from bots.conversation import Conversation
from bots.health import HealthServer, Readiness, all_hopeless
from bots.metrics import Metrics
from bots.platform import Platform
from bots.prompts import assistant_prompt
from bots.settings import PlatformSettings, Settings
from bots.slack.access import access_problems
from bots.slack.adapter import SlackPlatform, SlackSettings
from memory.bootstrap import Recall, open_memory
from memory.clock import SystemClock
from memory.errors import ConfigError, RecallError, StoreError, first_error
from memory.extraction import SweepReport

_log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve the chat platforms until SIGTERM or SIGINT.

    Args:
        settings: Read with `serving_needs`.

    Raises:
        ConfigError: Something that is configured cannot be used.
        RecallError: It cannot be opened.
    """
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        _log.info("starting", note="the first start makes the model ready, which takes up to a minute")
        metrics = Metrics()
        await _check_access(settings.platforms)  # what takes long comes after what may be wrong
        # Loading holds the interpreter for so long that acknowledgements would be late.
        opening = open_memory(settings.memory, on_swept=partial(_count_swept, metrics), warm=True)
        recall = await stack.enter_async_context(opening)
        platforms = _platforms(settings.platforms, recall, metrics)
        looks = {"record": partial(_look_at_record, recall)} | {name: each.look for name, each in platforms.items()}
        server = HealthServer(
            port=settings.platforms.http_port,
            readiness=Readiness(looks),
            metrics=metrics,
            hopeless=lambda: all_hopeless([platform.hopeless() for platform in platforms.values()]),
        )
        await stack.enter_async_context(server)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop, platforms.values())
        try:
            async with asyncio.TaskGroup() as group:
                for name, platform in platforms.items():
                    group.create_task(platform.run(), name=name)
        except* RecallError as failed:
            raise first_error(failed) from None


async def _check_access(settings: PlatformSettings) -> None:
    """Make sure that every configured platform lets Recall in.

    Raises:
        ConfigError: One line for each reason why it does not.
    """
    problems: list[str] = []
    if settings.slack_bot_token is not None and settings.slack_app_token is not None:
        problems += await access_problems(
            bot_token=settings.slack_bot_token.get_secret_value(),
            app_token=settings.slack_app_token.get_secret_value(),
            api_url=settings.slack_api_url.get_secret_value() if settings.slack_api_url else None,
        )
    if problems:
        raise ConfigError(problems)


def _count_swept(metrics: Metrics, report: SweepReport) -> None:
    metrics.facts_written("swept", report.added + report.updated)


def _platforms(settings: PlatformSettings, recall: Recall, metrics: Metrics) -> Mapping[str, Platform]:
    conversation = Conversation(service=recall.service, model=recall.model, system=assistant_prompt(), metrics=metrics)
    platforms: dict[str, Platform] = {}
    if settings.slack_bot_token is not None and settings.slack_app_token is not None:
        platforms["slack"] = SlackPlatform(
            settings=SlackSettings(
                bot_token=settings.slack_bot_token.get_secret_value(),
                app_token=settings.slack_app_token.get_secret_value(),
                api_url=settings.slack_api_url.get_secret_value() if settings.slack_api_url else None,
                follow_up=settings.slack_follow_up,
            ),
            service=recall.service,
            forgetting=recall.forgetting,
            personal=recall.personal,
            conversation=conversation,
            pace=recall.pace,
            metrics=metrics.platform("slack"),
            signals=recall.signals,
            clock=SystemClock(),
        )
    return platforms


async def _look_at_record(recall: Recall) -> str | None:
    try:
        await recall.record_answers()
    except StoreError as error:
        return str(error)
    return None


def _stop(platforms: Iterable[Platform]) -> None:
    for platform in platforms:
        platform.stop()
