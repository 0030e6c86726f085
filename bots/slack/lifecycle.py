"""The end of a channel, and of Recall's installation: what was remembered there is forgotten before Slack hears a yes.

An archived channel can still be read, so nothing is forgotten for that. A user's revoked token is nothing to Recall,
which acts by the bot's alone.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bots.hearing import hearing
from bots.slack import ids
from bots.slack.channels import Channels
from memory.errors import ConfigError
from memory.forgetting import Forgetting
from memory.ports import Signals

_log = structlog.get_logger(__name__)

REMOVED_CHANNEL_EVENTS = frozenset({"channel_deleted", "group_deleted"})
END_EVENTS = frozenset({"app_uninstalled", "tokens_revoked"})
ENDED = (
    "Slack: Recall was uninstalled from the workspace, or its bot token revoked, and what was remembered there is "
    "forgotten. To serve the workspace again, install the app and set SLACK_BOT_TOKEN to its new token."
)

_ENDED = "slack: ended"
_SOMEBODY = "somebody"
"""Who deleted a channel or uninstalled Recall when Slack does not say, for the audit log."""


class Lifecycle:
    """Follows the end of things in one workspace.

    Args:
        forgetting: The memory core.
        channels: What Slack said of channels before.
        signals: Tells the other processes that the installation has ended.
        end: Ends the platform here.
    """

    def __init__(
        self, *, forgetting: Forgetting, channels: Channels, signals: Signals, end: Callable[[], None]
    ) -> None:
        self._forgetting = forgetting
        self._channels = channels
        self._signals = signals
        self._end = end
        self._has_ended = False

    def register(self, app: AsyncApp, *, team: str) -> None:
        """Listen for the end of channels and of the installation.

        Args:
            app: Of the workspace.
            team: The workspace.
        """

        async def on_removed(event: dict[str, Any], body: dict[str, Any]) -> None:
            await self._channel_removed(event, body.get("team_id") or team)

        async def on_end(event: dict[str, Any]) -> None:
            if _ends(event):
                await self._installation_ended(team)

        for kind in sorted(REMOVED_CHANNEL_EVENTS):
            app.event(kind)(on_removed)
        for kind in sorted(END_EVENTS):
            app.event(kind)(on_end)

    def followed(self, team: str) -> AbstractAsyncContextManager[None]:
        """End meanwhile with the installation also when another process was told of it."""
        tenant_id = ids.tenant_id(team)

        def ended(word: str) -> None:
            if word == tenant_id:
                self._end_here()

        return hearing(self._signals, _ENDED, ended)

    def check(self) -> None:
        """Return while the installation lasts.

        Raises:
            ConfigError: It has ended.
        """
        if self._has_ended:
            raise ConfigError([ENDED])

    async def _channel_removed(self, event: Mapping[str, Any], team: str) -> None:
        channel = event.get("channel")
        if not isinstance(channel, str):
            return
        self._channels.forget(channel)
        actor = ids.user_id(team, str(event.get("actor_id") or _SOMEBODY))
        receipt = await self._forgetting.channel_removed(ids.channel_id(team, channel), actor=actor)
        _log.info("channel_removed", channel=channel, messages=receipt.messages, facts=receipt.facts)

    async def _installation_ended(self, team: str) -> None:
        tenant_id = ids.tenant_id(team)
        receipt = await self._forgetting.tenant_removed(tenant_id, actor=ids.user_id(team, _SOMEBODY))
        _log.warning("installation_ended", team=team, messages=receipt.messages, facts=receipt.facts)
        await self._signals.send(_ENDED, tenant_id)
        self._end_here()

    def _end_here(self) -> None:
        self._has_ended = True
        self._end()


def _ends(event: Mapping[str, Any]) -> bool:
    """Whether an event of the installation ends it: it is gone, or the bot's own token is revoked."""
    if event.get("type") != "tokens_revoked":
        return True
    tokens = event.get("tokens")
    return isinstance(tokens, Mapping) and bool(tokens.get("bot"))
