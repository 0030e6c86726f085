"""`recall run`: serves the configured chat platforms until it is told to end."""

import asyncio
import signal
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog
from pydantic import SecretStr

from bots.conversation import Conversation
from bots.discord.adapter import DiscordPlatform, DiscordSettings
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


def run(settings: Settings, *, platform: str | None = None) -> None:
    """Serve one platform, or all that are configured, until SIGTERM or SIGINT.

    Args:
        settings: Read with `serving_needs`.
        platform: "slack" or "discord"; whatever is configured when None.

    Raises:
        ConfigError: Something that is configured cannot be used.
        RecallError: It cannot be opened.
    """
    asyncio.run(_run(settings, platform))


async def _run(settings: Settings, only: str | None) -> None:
    async with AsyncExitStack() as stack:
        _log.info("starting", note="the first start makes the model ready, which takes up to a minute")
        metrics = Metrics()
        await _check_access(settings.platforms)  # what takes long comes after what may be wrong
        # Loading holds the interpreter for so long that acknowledgements would be late.
        opening = open_memory(settings.memory, on_swept=partial(_count_swept, metrics), warm=True)
        recall = await stack.enter_async_context(opening)
        platforms = _platforms(settings.platforms, recall, metrics, only=only)
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


def _platforms(
    settings: PlatformSettings, recall: Recall, metrics: Metrics, *, only: str | None
) -> Mapping[str, Platform]:
    conversation = Conversation(service=recall.service, model=recall.model, system=assistant_prompt(), metrics=metrics)
    slack, discord = slack_settings(settings), discord_settings(settings)
    platforms: dict[str, Platform] = {}
    if slack is not None and only in {None, "slack"}:
        platforms["slack"] = SlackPlatform(
            settings=slack,
            service=recall.service,
            forgetting=recall.forgetting,
            personal=recall.personal,
            conversation=conversation,
            pace=recall.pace,
            metrics=metrics.platform("slack"),
            signals=recall.signals,
            clock=SystemClock(),
        )
    if discord is not None and only in {None, "discord"}:
        platforms["discord"] = DiscordPlatform(
            settings=discord,
            service=recall.service,
            forgetting=recall.forgetting,
            personal=recall.personal,
            places=recall.places,
            leases=recall.leases,
            holder=recall.holder,
            conversation=conversation,
            pace=recall.pace,
            metrics=metrics.platform("discord"),
            signals=recall.signals,
            clock=SystemClock(),
        )
    return platforms


def slack_settings(settings: PlatformSettings) -> SlackSettings | None:
    """Return what the Slack platform is told; None when it is not configured."""
    if settings.slack_bot_token is None or settings.slack_app_token is None:
        return None
    return SlackSettings(
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        api_url=_plain(settings.slack_api_url),
        follow_up=settings.slack_follow_up,
    )


def discord_settings(settings: PlatformSettings) -> DiscordSettings | None:
    """Return what the Discord platform is told; None when it is not configured."""
    if settings.discord_token is None:
        return None
    return DiscordSettings(
        token=settings.discord_token.get_secret_value(),
        api_url=_plain(settings.discord_api_url),
        gateway_url=_plain(settings.discord_gateway_url),
        follow_up=settings.discord_follow_up,
        auto_thread=settings.discord_auto_thread,
    )


def _plain(url: SecretStr | None) -> str | None:
    return url.get_secret_value() if url is not None else None


async def _look_at_record(recall: Recall) -> str | None:
    try:
        await recall.record_answers()
    except StoreError as error:
        return str(error)
    return None


def _stop(platforms: Iterable[Platform]) -> None:
    for platform in platforms:
        platform.stop()
