"""What `recall doctor` asks Slack: do both tokens work, for one and the same app, with every scope that Recall needs?

Slack shows an app neither its event subscriptions nor its commands, shortcuts and tabs; a last line says where to look.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bots.platform import PlatformError
from bots.skew import check_clock
from bots.slack.errors import SlackRefusedError
from bots.slack.web import SlackWeb
from memory.diagnosis import Check
from memory.ports import Clock

BROKEN_WITHOUT: Mapping[str, str] = {
    "app_mentions:read": "mentions are not heard in channels that Recall does not read",
    "assistant:write": "there is no status, no streaming and no Stop button",
    "channels:history": "public channels are not heard: no follow-ups, edits or deletions",
    "channels:read": "nobody is answered in public channels, since who can read them is unknown",
    "chat:write": "nothing is answered at all",
    "commands": "there are no slash commands and no shortcuts",
    "files:read": "files that come with messages cannot be read",
    "files:write": "`/memory export` fails",
    "groups:history": "private channels are not heard: no follow-ups, edits or deletions",
    "groups:read": "nobody is answered in private channels, since who can read them is unknown",
    "im:history": "direct messages are not heard",
    "im:write": "`/memory export` fails",
    "mpim:history": "group direct messages are not heard",
    "mpim:read": "nobody is answered in group direct messages, since who can read them is unknown",
    "users:read": "nobody is answered, since guests cannot be told from members",
}
"""Every scope that Recall asks for, and what breaks without it."""

_REFUSALS = {
    "account_inactive": "the app was uninstalled",
    "invalid_auth": "it is mistyped, or of another Slack than SLACK_API_URL",
    "missing_scope": "it lacks connections:write",
    "not_allowed_token_type": "it is a token of another kind",
    "token_expired": "it has expired; turn token rotation off",
    "token_revoked": "it was revoked; install the app again",
}
_WITHIN_S = 7.0
_APP_ID_AT = 2
"""Where an app-level token names its app: xapp-1-A0123-..."""
_ALL_APPS = "https://api.slack.com/apps"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What one token showed; `app_id` is None when it does not say whose it is."""

    checks: Sequence[Check]
    app_id: str | None = None


async def check_slack(
    *, bot_token: str | None, app_token: str | None, api_url: str | None, clock: Clock, within_s: float = _WITHIN_S
) -> Sequence[Check]:
    """Look at a workspace as far as its two tokens allow; nothing is posted, and no connection is kept.

    Args:
        bot_token: None when it is not set, which is a problem.
        app_token: The same.
        api_url: Slack's when None.
        clock: Compared with Slack's.
        within_s: For each call, in seconds.
    """
    async with asyncio.TaskGroup() as group:
        looking_at_bot = group.create_task(_check_bot(bot_token, api_url, clock, within_s))
        looking_at_app = group.create_task(_check_app(app_token, api_url, within_s))
    bot, app = looking_at_bot.result(), looking_at_app.result()
    checks = [*bot.checks, *app.checks]
    if bot.app_id and app.app_id and bot.app_id != app.app_id:
        detail = (
            f"SLACK_BOT_TOKEN is of {bot.app_id}, SLACK_APP_TOKEN of {app.app_id}: what one hears, the other misses"
        )
        checks.append(Check(name="Slack app", verdict="problem", detail=detail))
    return [*checks, _not_shown(bot.app_id or app.app_id)]


async def _check_bot(token: str | None, api_url: str | None, clock: Clock, within_s: float) -> _Found:
    if token is None:
        return _Found(checks=[_missing("Slack bot token", "SLACK_BOT_TOKEN")])
    async with AsyncExitStack() as stack:
        web = SlackWeb(token, api_url=api_url, timeout_s=within_s)
        stack.push_async_callback(web.close)
        asked_at = clock.now()
        try:
            answer = await web.ask("auth.test", within_s=0)
        except PlatformError as error:
            return _Found(checks=[_failed("Slack bot token", "SLACK_BOT_TOKEN", error)])
        answered_at = clock.now()
        who = f"{answer.data.get('user')} in {answer.data.get('team')}, {answer.data.get('url')}"
        checks = [
            Check(name="Slack bot token", verdict="ok", detail=who),
            *_scopes(answer.headers),
            *check_clock(answer.headers.get("date", ""), asked_at + (answered_at - asked_at) / 2, of="Slack"),
        ]
        return _Found(checks=checks, app_id=await _app_of(web, str(answer.data.get("bot_id"))))


async def _check_app(token: str | None, api_url: str | None, within_s: float) -> _Found:
    if token is None:
        return _Found(checks=[_missing("Slack app token", "SLACK_APP_TOKEN")])
    async with AsyncExitStack() as stack:
        web = SlackWeb(token, api_url=api_url, timeout_s=within_s)
        stack.push_async_callback(web.close)
        try:
            await web.call("apps.connections.open", within_s=0)
        except PlatformError as error:
            return _Found(checks=[_failed("Slack app token", "SLACK_APP_TOKEN", error)])
    parts = token.split("-")
    check = Check(name="Slack app token", verdict="ok", detail="Slack offers a Socket Mode connection")
    return _Found(checks=[check], app_id=parts[_APP_ID_AT] if len(parts) > _APP_ID_AT else None)


async def _app_of(web: SlackWeb, bot_id: str) -> str | None:
    """Return which app a bot belongs to, None if Slack does not say."""
    try:
        found = await web.call("bots.info", within_s=0, bot=bot_id)
    except PlatformError:
        return None
    app_id = found.get("bot", {}).get("app_id")
    return str(app_id) if app_id else None


def _missing(name: str, setting: str) -> Check:
    return Check(name=name, verdict="problem", detail=f"{setting} is not set; Recall needs both tokens")


def _failed(name: str, setting: str, error: PlatformError) -> Check:
    if not isinstance(error, SlackRefusedError):
        return Check(name=name, verdict="problem", detail=f"Slack cannot be reached: {error}")
    why = _REFUSALS.get(error.code)
    return Check(
        name=name, verdict="problem", detail=f"Slack refuses {setting} ({error.code})" + (f": {why}" if why else "")
    )


def _scopes(headers: Mapping[str, str]) -> Sequence[Check]:
    """Compare what was granted with what Recall needs."""
    if "x-oauth-scopes" not in headers:
        return [Check(name="Slack scopes", verdict="unknown", detail="Slack did not say which are granted")]
    granted = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")} - {""}
    missing = [scope for scope in BROKEN_WITHOUT if scope not in granted]
    spare = sorted(granted - BROKEN_WITHOUT.keys())
    hint = f"; not needed: {', '.join(spare)}" if spare else ""
    if not missing:
        return [Check(name="Slack scopes", verdict="ok", detail=f"all {len(BROKEN_WITHOUT)} are granted{hint}")]
    mend = "update the app from `recall manifest slack` and install it again"
    return [
        Check(name="Slack scopes", verdict="problem", detail=f"{scope} is missing: {BROKEN_WITHOUT[scope]}; {mend}")
        for scope in missing
    ]


def _not_shown(app_id: str | None) -> Check:
    where = f"{_ALL_APPS}/{app_id}" if app_id else _ALL_APPS
    return Check(
        name="Slack events",
        verdict="unknown",
        detail="Slack shows an app neither its event subscriptions nor its commands, shortcuts and tabs;"
        f" compare {where} (App Manifest) with `recall manifest slack`",
    )
