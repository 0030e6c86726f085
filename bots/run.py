"""`recall run`: serves the configured chat platforms until it is told to end."""

import asyncio
import signal
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog
from pydantic import SecretStr

from bots.conversation import Conversation
from bots.discord import access as discord_access
from bots.discord.adapter import DiscordPlatform, DiscordSettings
from bots.health import HealthServer, Look, Readiness
from bots.metrics import Metrics
from bots.platform import Platform
from bots.prompts import assistant_prompt
from bots.serving import Serving
from bots.settings import PlatformSettings, Settings
from bots.slack import access as slack_access
from bots.slack.adapter import SlackPlatform, SlackSettings
from memory.bootstrap import Recall, open_memory
from memory.clock import SystemClock
from memory.errors import StoreError
from memory.extraction import SweepReport
from memory.reaching import all_reached

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
        await _check_access(settings.platforms, only=only)  # what takes long comes after what may be wrong
        # Loading holds the interpreter for so long that acknowledgements would be late.
        opening = open_memory(settings.memory, on_swept=partial(_count_swept, metrics), warm=True)
        recall = await stack.enter_async_context(opening)
        serving = Serving(_platforms(settings.platforms, recall, metrics, only=only))
        looks: dict[str, Look] = {"record": partial(_look_at_record, recall), **serving.looks()}
        server = HealthServer(
            port=settings.platforms.http_port,
            readiness=Readiness(looks),
            metrics=metrics,
            hopeless=serving.hopeless,
        )
        await stack.enter_async_context(server)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, serving.stop)
        await serving.run()


async def _check_access(settings: PlatformSettings, *, only: str | None) -> None:
    """Make sure that every platform that is to be served lets Recall in.

    Raises:
        ConfigError: One line for each reason why it does not.
        UnreachableError: The same, where nobody has to mend anything.
    """
    slack, discord = _chosen(settings, only)
    checks: list[Awaitable[None]] = []
    if slack is not None:
        checks.append(
            slack_access.check_access(bot_token=slack.bot_token, app_token=slack.app_token, api_url=slack.api_url)
        )
    if discord is not None:
        checks.append(
            discord_access.check_access(token=discord.token, api_url=discord.api_url, follow_up=discord.follow_up)
        )
    await all_reached(*checks)


def _count_swept(metrics: Metrics, report: SweepReport) -> None:
    metrics.facts_written("swept", report.added + report.updated)


def _platforms(
    settings: PlatformSettings, recall: Recall, metrics: Metrics, *, only: str | None
) -> Mapping[str, Platform]:
    conversation = Conversation(service=recall.service, model=recall.model, system=assistant_prompt(), metrics=metrics)
    slack, discord = _chosen(settings, only)
    platforms: dict[str, Platform] = {}
    if slack is not None:
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
    if discord is not None:
        platforms["discord"] = DiscordPlatform(
            settings=discord,
            service=recall.service,
            forgetting=recall.forgetting,
            personal=recall.personal,
            places=recall.places,
            values=recall.values,
            leases=recall.leases,
            holder=recall.holder,
            conversation=conversation,
            pace=recall.pace,
            metrics=metrics.platform("discord"),
            signals=recall.signals,
            clock=SystemClock(),
        )
    return platforms


def _chosen(settings: PlatformSettings, only: str | None) -> tuple[SlackSettings | None, DiscordSettings | None]:
    """Return what the platforms are told that are to be served."""
    return (
        slack_settings(settings) if only in {None, "slack"} else None,
        discord_settings(settings) if only in {None, "discord"} else None,
    )


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
