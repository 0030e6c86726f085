"""What people want done with their memories in Slack, and what they see of it. Knows no payload and answers nobody.

Everything is for one person: whoever asks acts on their own memories, and is shown what they may see where they ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.commands import Commands
from bots.metrics import Metrics
from bots.slack import ids, views
from bots.slack.asked import Asked
from bots.slack.channels import Channels
from bots.slack.edits import moment
from bots.slack.exports import Exports
from bots.slack.ids import SlackThread
from bots.slack.mrkdwn import decode_text
from bots.slack.overview import Overview
from bots.slack.pause_desk import HOW_TO_PAUSE, PauseDesk
from bots.slack.posts import EVENT_TYPE
from bots.slack.press import Press
from bots.slack.views import View
from bots.text import clean_input
from memory.errors import InputError
from memory.model import Message, Numbered, Place
from memory.personal import PersonalMemory
from memory.service import MemoryService

DISCLOSURE = (
    "I remember what people tell me, and how problems were solved. /memories shows what I know of you, /memory pause "
    "stops it, /forget erases it. The Home tab has all of it."
)
NO_PLACE = "I cannot tell who reads this channel, so I keep nothing that is said here. Tell me in our direct messages."
NOT_HERE = "I cannot tell who reads this channel, so I show no memories of answers here."
NO_THREAD = "A slash command does not know its thread. Write it in the thread: @Recall forget this thread"
FORGET_USAGE = "Say what to forget, such as /forget #7, last, about <words>, or everything."
MEMORY_USAGE = (
    "/memory pause stops keeping what you say, /memory resume goes on with it, /memory settings shows what is paused, "
    "/memory export sends you all that is kept of you, /memory widen #7 (or all) lets a memory be used anywhere in "
    "this workspace, /memory narrow #7 (or all) takes that back. /memories lists your memories, /remember stores one, "
    "/forget forgets."
)
SEEN_BY_NOBODY = "Nobody else saw you type it, so I use it in our direct messages only."
NOT_SAID_BY_YOU = "Only what you said yourself can be remembered as yours."
FORGET_NOT_YOURS = "You can forget only what you said yourself."
FORGET_MINE = (
    'That is my own message. To forget what it repeats, choose "Why did you say that?", and forget what I was given.'
)
WHY_MINE_ONLY = "I can tell why only of my own answers."
NO_ANSWER = "I know no answer of mine there."
NO_MEMORY = "That answer was given no memory that you may see here, or it is forgotten by now."
PLATFORM_COPY = "The messages themselves stay in Slack; delete them there."
GONE = "There is nothing left of that to forget."
EXPORTED = "I have sent it to you in our direct messages."


def slack_commands(personal: PersonalMemory, metrics: Metrics | None = None) -> Commands:
    """Return the memory commands with Slack's words."""
    return Commands(personal, platform_copy=PLATFORM_COPY, how_to_agree="", how_to_pause=HOW_TO_PAUSE, metrics=metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDesk:
    """The memory commands of one workspace.

    Attributes:
        commands: What they do.
        pausing: The commands that pause.
        service: Knows what answers were given.
        channels: Who can read a channel.
        exports: Sends people what is kept of them.
        bot_user: Recall's user.
        url: The workspace's, for links.
    """

    commands: Commands
    pausing: PauseDesk
    service: MemoryService
    channels: Channels
    exports: Exports
    bot_user: str
    url: str

    @property
    def overview(self) -> Overview:
        """All they can see and set at once."""
        return Overview(commands=self.commands, pausing=self.pausing)

    async def memories(self, who: Asked, words: str) -> View:
        """List their memories; with words, those that have all of them."""
        return await self._list(who, Press(user=who.user, words=_clean(words), page=0))

    async def remember(self, who: Asked, text: str) -> View:
        """Store one sentence; once, however often the message is delivered that says so."""
        return await self._remember(who, _clean(text))

    async def forget(self, who: Asked, argument: str) -> View:
        """Forget one memory, or ask first: about what may be another one when the message is delivered again, too."""
        words = _clean(argument)
        if not words:
            raise InputError(FORGET_USAGE)
        if words.casefold() in {"this thread", "thread"} and not who.thread_ts:
            raise InputError(NO_THREAD)
        press = Press(user=who.user, what=words, thread=who.thread_ts)
        names_one = isinstance(press.target(team=who.team, channel=who.channel), Numbered)
        return await self._ask(who, press, always_ask=bool(who.said_ts) and not names_one)

    async def memory(self, who: Asked, argument: str) -> View:
        """Do what else there is."""
        verb, _, rest = _clean(argument).casefold().partition(" ")
        match verb:
            case "export":
                return await self.export(who)
            case "widen":
                return await self.press_widen(who, Press(user=who.user, what=rest))
            case "narrow":
                return await self.press_narrow(who, Press(user=who.user, what=rest))
            case "settings":
                return await self.overview.settings(who)
            case "pause" | "resume":
                return await self.pausing.typed(who, verb, rest)
            case _:
                return views.words(MEMORY_USAGE)

    async def export(self, who: Asked) -> View:
        """Send them all that is kept of them."""
        result = await self.commands.export(who.user_id)
        await self.exports.send(who.user, result.text)
        return views.words(EXPORTED)

    async def remember_message(self, who: Asked, message: Mapping[str, Any]) -> View:
        """Store what they said in a message."""
        if message.get("user") != who.user:
            raise InputError(NOT_SAID_BY_YOU)
        text = _clean(decode_text(str(message.get("text") or ""), own=self.bot_user))
        return await self._remember(who, text, message=str(message["ts"]))

    async def forget_message(self, who: Asked, message: Mapping[str, Any]) -> View:
        """Forget what they said in a message."""
        if message.get("user") == self.bot_user:
            raise InputError(FORGET_MINE)
        if message.get("user") != who.user:
            raise InputError(FORGET_NOT_YOURS)
        press = Press(user=who.user, message=str(message["ts"]), thread=who.thread_ts)
        return await self._ask(who, press, always_ask=True)

    async def why_message(self, who: Asked, message: Mapping[str, Any]) -> View:
        """Show what an answer was given."""
        if message.get("user") != self.bot_user:
            raise InputError(WHY_MINE_ONLY)
        return await self.why(who, _answered(message) or str(message["ts"]))

    async def why_last(self, who: Asked) -> View:
        """Show what the last answer in their thread was given."""
        return await self._reasons(who, await self.service.newest_reply(ids.session_id(who.thread)), "")

    async def why(self, who: Asked, name: str) -> View:
        """Show what an answer was given; `name` is its post, or the message it answers."""
        reply = await self.service.reply_at(ids.session_id(who.thread), name)
        return await self._reasons(who, reply, name)

    async def press_forget(self, who: Asked, press: Press) -> View:
        """Forget a line of a list, or ask first; then show the list again."""
        try:
            result = await self.commands.forget_target(who.user_id, press.target(team=who.team, channel=who.channel))
        except InputError as error:  # gone already
            return await self._again(who, press, note=str(error))
        if result.question is not None:
            return views.question(result, press)
        return await self._again(who, press, note=result.text)

    async def press_agree(self, who: Asked, press: Press) -> View:
        """Carry out what they were asked; when it has changed meanwhile, ask again."""
        target = press.target(team=who.team, channel=who.channel)
        try:
            result = await self.commands.forget_target(who.user_id, target, agreed=press.digest)
        except InputError:  # the button was pressed twice
            return await self._again(who, press, note=GONE)
        if result.question is not None:
            return views.question(result, press)
        return await self._again(who, press, note=result.text)

    async def press_widen(self, who: Asked, press: Press) -> View:
        """Let a memory, or after a question all of their direct messages', be used anywhere in the workspace."""
        try:
            result = await self.commands.widen(who.user_id, press.what, agreed=press.digest or None)
        except InputError as error:  # gone, or done already
            return await self._again(who, press, note=str(error))
        if result.question is not None:
            return views.question(result, press)
        return await self._again(who, press, note=result.text)

    async def press_narrow(self, who: Asked, press: Press) -> View:
        """Take that back."""
        try:
            result = await self.commands.narrow(who.user_id, press.what)
        except InputError as error:  # gone meanwhile
            return await self._again(who, press, note=str(error))
        return await self._again(who, press, note=result.text)

    async def press_keep(self, who: Asked, press: Press) -> View:
        """Leave all as it is."""
        return await self._again(who, press, note=views.NOTHING_CHANGED)

    async def press_export(self, who: Asked, press: Press) -> View:
        """Send them all that is kept of them."""
        await self.export(who)
        return await self._again(who, press, note=EXPORTED)

    async def press_page(self, who: Asked, press: Press) -> View:
        """Show another page."""
        return await (self.overview.home(who, press) if press.home else self._list(who, press))

    async def search(self, who: Asked, words: str) -> View:
        """Show those of their memories in the Home tab that have all of the words."""
        return await self.overview.home(who, Press(user=who.user, words=_clean(words)))

    async def _list(self, who: Asked, press: Press, *, note: str = "") -> View:
        result = await self.commands.show(who.user_id, press.words)
        if not result.memories:
            return views.words(f"{note}\n{result.text}".strip())
        return views.memory_list(result.memories, press, note=note)

    async def _ask(self, who: Asked, press: Press, *, always_ask: bool) -> View:
        target = press.target(team=who.team, channel=who.channel)
        result = await self.commands.forget_target(who.user_id, target, always_ask=always_ask)
        return views.question(result, press)

    async def _again(self, who: Asked, press: Press, *, note: str) -> View:
        """Show what the button stood in once more, with what came of pressing it."""
        here = replace(press, what="", digest="")
        if press.home:
            return await self.overview.home(who, here, note=note)
        if press.why:
            thread = SlackThread(who.team, who.channel, press.thread)
            reply = await self.service.reply_at(ids.session_id(thread), press.why)
            return await self._reasons(replace(who, thread_ts=press.thread), reply, press.why, note=note)
        return views.words(note) if press.page is None else await self._list(who, here, note=note)

    async def _remember(self, who: Asked, text: str, *, message: str | None = None) -> View:
        named = message or who.said_ts
        place = await self.channels.place_for(who.thread, who.user) if named else await self._own_place(who)
        if place is None:
            raise InputError(NO_PLACE)
        person = await self.channels.person(who.team, who.user)
        link = ids.permalink(self.url, who.thread, named) if named else None
        said_at = moment(who.said_ts) if who.said_ts else None
        result = await self.commands.remember(place, person, text, message=message, link=link, said_at=said_at)
        return views.remembered(result, who.user, note="" if named else SEEN_BY_NOBODY)

    async def _reasons(self, who: Asked, reply: Message | None, name: str, *, note: str = "") -> View:
        if reply is None:
            raise InputError(NO_ANSWER)
        place = await self.channels.place_for(who.thread, who.user)
        if place is None:
            raise InputError(NOT_HERE)
        member_of = () if place.shared else await self.channels.joined_by(who.user_id)
        result = await self.commands.why(place, who.user_id, reply.used, member_of=member_of)
        if not result.recalled:
            return views.words(f"{note}\n{NO_MEMORY}".strip())
        return views.reasons(result.recalled, Press(user=who.user, why=name, thread=who.thread_ts), note=note)

    async def _own_place(self, who: Asked) -> Place | None:
        """Return the place of what only they see; None for who is no full member."""
        return None if await self.channels.is_outsider(who.team, who.user) else ids.own_place(who.team, who.user)


def _clean(text: str) -> str:
    """Return what somebody typed after a command, safe to store and show; nothing is fine."""
    return clean_input(text) if text.strip() else ""


def _answered(message: Mapping[str, Any]) -> str:
    """Return which message a post of Recall answers, as its metadata says; every part of an answer has it."""
    mark = message.get("metadata")
    if not isinstance(mark, Mapping) or mark.get("event_type") != EVENT_TYPE:
        return ""
    payload = mark.get("event_payload")
    return str(payload.get("message_id") or "") if isinstance(payload, Mapping) else ""
