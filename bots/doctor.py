"""`recall doctor`: shows the settings in force and looks at everything they name."""

from collections.abc import Callable, Sequence

from bots.discord.checks import check_discord
from bots.settings import PlatformSettings, Settings, effective
from bots.slack.checks import check_slack
from memory import bootstrap
from memory.clock import SystemClock
from memory.diagnosis import Check

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM ", "unknown": "unknown "}


async def examine(settings: Settings, *, say: Callable[[str], None]) -> bool:
    """Say what is in force and what was found; return whether nothing is broken."""
    for name, value in effective(settings):
        say(f"{name}={value}")
    say("")
    checks = [*await bootstrap.diagnose(settings.memory), *await _check_slack(settings.platforms)]
    checks += await _check_discord(settings.platforms)
    for check in checks:
        say(f"{_MARKS[check.verdict]}{check.name}: {check.detail}")
    return all(check.verdict != "problem" for check in checks)


async def _check_slack(settings: PlatformSettings) -> Sequence[Check]:
    bot, app, url = settings.slack_bot_token, settings.slack_app_token, settings.slack_api_url
    if bot is None and app is None:
        return ()
    return await check_slack(
        bot_token=bot.get_secret_value() if bot else None,
        app_token=app.get_secret_value() if app else None,
        api_url=url.get_secret_value() if url else None,
        clock=SystemClock(),
    )


async def _check_discord(settings: PlatformSettings) -> Sequence[Check]:
    token, url = settings.discord_token, settings.discord_api_url
    if token is None:
        return ()
    return await check_discord(
        token=token.get_secret_value(),
        api_url=url.get_secret_value() if url else None,
        follow_up=settings.discord_follow_up,
        clock=SystemClock(),
    )
