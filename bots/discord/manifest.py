"""What Recall asks of Discord, and how it gets it: permissions, scopes, intents and the link that installs it. Pure."""

from collections.abc import Mapping, Sequence

import discord
from discord.utils import oauth_url

from bots.discord.client import intents

BROKEN_WITHOUT: Mapping[str, str] = {
    "view_channel": "channels are not seen, so nobody is answered there",
    "send_messages": "nothing is answered in a channel itself, where no thread can be opened",
    "send_messages_in_threads": "nothing is answered in threads",
    "create_public_threads": "a mention opens no thread, and is answered by a reply in the channel",
    "embed_links": "lists of memories, and what became of a command, are not shown",
    "attach_files": "`/memory export` fails",
    "read_message_history": "no thread is opened, and what came while Recall was down is not answered",
}
"""Every permission that Recall asks for, by the library's name, and what breaks without it."""

SHOWN = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
_SHOWN_INTENTS = {
    "guilds": "servers with their channels",
    "guild_messages": "messages in servers",
    "dm_messages": "direct messages",
    "message_content": "Message Content",
}
_PRIVILEGED = ("members", "presences", "message_content")
SCOPES = ("bot", "applications.commands")
PORTAL = "https://discord.com/developers/applications"
NO_ID = "CLIENT_ID"

_TEXT = """\
# Recall in Discord

Made by `recall manifest discord`{whose}.

## Install

1. Create an application at <{portal}>. On its Bot page press "Reset Token",
   and put the token into `.env` as `DISCORD_TOKEN`.{placeholder}
2. Leave "Interactions Endpoint URL" (General Information) empty: commands and buttons come over the gateway.
3. Open this link as somebody who may manage the server, choose the server, and authorize:

   <{link}>

## Scopes

{scopes}

## Permissions

Discord's number for them is {number}; nothing else is needed.

{permissions}

## Intents

Recall listens to {plain}, which every bot may: there is
nothing to switch on.

With `DISCORD_FOLLOW_UP=true` it also needs {privileged}. Switch that on first (Bot, Privileged Gateway
Intents); a bot in many servers has to have it approved by Discord.
"""
_NO_ID_YET = f"""
   `{NO_ID}` below is the application's id (General Information); once the token is set, `recall manifest discord`
   puts it in."""


def permissions() -> discord.Permissions:
    """Return what Recall asks for in every server."""
    return discord.Permissions(**dict.fromkeys(BROKEN_WITHOUT, True))


def privileged_intents(*, follow_up: bool) -> Sequence[str]:
    """Return which intents are to be switched on in the developer portal, by the library's names."""
    return [name for name in _PRIVILEGED if getattr(intents(follow_up=follow_up), name)]


def install_link(bot: str) -> str:
    """Return the link that brings a bot into a server.

    Args:
        bot: Its id, which is its application's too.
    """
    return oauth_url(bot, permissions=permissions(), scopes=SCOPES)


def install_page(bot: str | None) -> str:
    """Return how to install Recall, as Markdown; `NO_ID` stands for the application where `bot` is None."""
    why = {"bot": "Recall is a member of the server", "applications.commands": "its slash commands are offered"}
    return _TEXT.format(
        whose="" if bot is None else f" for the application {bot}",
        portal=PORTAL,
        placeholder="" if bot is not None else _NO_ID_YET,
        link=install_link(bot or NO_ID),
        scopes=_listed({f"`{scope}`": why[scope] for scope in SCOPES}),
        number=permissions().value,
        permissions=_listed({SHOWN[name]: f"without it, {broken}" for name, broken in BROKEN_WITHOUT.items()}),
        plain=_joined([_SHOWN_INTENTS[name] for name, is_on in intents(follow_up=False) if is_on]),
        privileged=_joined([f"the {_SHOWN_INTENTS[name]} intent" for name in privileged_intents(follow_up=True)]),
    )


def _listed(lines: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {meaning}" for name, meaning in lines.items())


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
