"""What the app sends as a message: checked, with its files, and with whom it may ping."""

import mimetypes
from typing import Any

from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.limits import FILE_BYTES, FILES, check_message, trimmed
from tests.fakes.discord.mentions import allowed
from tests.fakes.discord.model import COMPONENTS_V2, EPHEMERAL, File, Mentions, Message
from tests.fakes.discord.places import Channel
from tests.fakes.discord.posting import mentions_in
from tests.fakes.discord.rest.calls import Call
from tests.fakes.discord.world import World

Json = dict[str, Any]

_KEPT_FLAGS = (1 << 2) | EPHEMERAL | (1 << 12) | COMPONENTS_V2
_USERS_ONLY: Json = {"parse": ["users"]}


def made_file(
    world: World, channel_id: str, *, name: str, content: bytes, description: str | None = None, ephemeral: bool = False
) -> File:
    """Return a new file of a channel."""
    guessed = mimetypes.guess_type(name)[0]
    text = guessed is not None and guessed.startswith("text/")
    file = File(
        file_id=world.counter.snowflake(),
        name=name,
        content=content,
        channel_id=channel_id,
        content_type=f"{guessed}; charset=utf-8" if text else guessed,
        description=description,
        ephemeral=ephemeral,
    )
    world.files[file.file_id] = file
    return file


def new_message(
    call: Call, channel: Channel, body: Json, *, message_id: str | None = None, by_interaction: bool = False
) -> Message:
    """Return a message of the app from a body, checked and not posted yet.

    Args:
        call: The call that brought it.
        channel: Where it is to stand.
        body: What it is made of.
        message_id: Its id, a new one unless given.
        by_interaction: It answers an interaction, so that by default it pings only users.
    """
    flags = int(body.get("flags") or 0) & _KEPT_FLAGS
    check_message(body, flags=flags)
    content = trimmed(body.get("content"))
    full = content or body.get("embeds") or body.get("components") or call.uploads or body.get("sticker_ids")
    if not full and not body.get("poll"):
        raise ApiError(50006)
    reference = _reference(call, channel, body)
    replied_to = _replied_to(channel, reference)
    rules = body.get("allowed_mentions", _USERS_ONLY if by_interaction else None)
    mentions = mentions_in(channel, call.bot, content, replied_to=replied_to)
    message = Message(
        message_id=message_id or call.world.counter.snowflake(),
        channel_id=channel.channel_id,
        author=call.bot,
        content=content,
        embeds=_rich(body.get("embeds") or []),
        components=_numbered(body.get("components") or []),
        kind=0 if reference is None else 19,
        flags=flags,
        nonce=body.get("nonce"),
        mentions=allowed(mentions, rules, replied_to=replied_to),
        reference=reference,
    )
    message.files = _uploaded(call, channel, body, ephemeral=bool(flags & EPHEMERAL))
    return message


def _reference(call: Call, channel: Channel, body: Json) -> Json | None:
    wanted = body.get("message_reference")
    if not wanted or int(wanted.get("type") or 0) != 0:
        return None
    message_id = str(wanted.get("message_id"))
    if not channel.allows(call.bot.user_id, "read_message_history"):
        raise ApiError(160002)
    if channel.find(message_id) is None:
        if wanted.get("fail_if_not_exists", True):
            raise invalid(("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message"))
        return None
    reference = {"type": 0, "message_id": message_id, "channel_id": channel.channel_id}
    return reference | ({"guild_id": channel.guild.guild_id} if channel.guild is not None else {})


def _replied_to(channel: Channel, reference: Json | None) -> str | None:
    message = channel.find(reference["message_id"]) if reference is not None else None
    return message.author.user_id if message is not None else None


def _rich(embeds: list[Json]) -> list[Json]:
    return [{"type": "rich", **embed} for embed in embeds]


def _numbered(components: list[Json]) -> list[Json]:
    """Return components with the ids that Discord gives those that have none."""
    count = 0

    def numbered(value: Any) -> Any:
        nonlocal count
        if isinstance(value, list):
            return [numbered(each) for each in value]
        if not isinstance(value, dict) or "type" not in value:
            return value
        count += 1
        own = {"id": count}
        nested = {name: numbered(value[name]) for name in ("components", "accessory") if name in value}
        return own | value | nested

    return [numbered(each) for each in components]


def _uploaded(call: Call, channel: Channel, body: Json, *, ephemeral: bool) -> list[File]:
    if len(call.uploads) > FILES:
        raise invalid(("files", "BASE_TYPE_BAD_LENGTH", f"Must be {FILES} or fewer in length."))
    if any(len(upload.content) > FILE_BYTES for upload in call.uploads):
        raise ApiError(40005)
    described = {str(each.get("id")): each for each in body.get("attachments") or []}
    return [
        made_file(
            call.world,
            channel.channel_id,
            name=str(described.get(upload.key, {}).get("filename") or upload.name),
            content=upload.content,
            description=described.get(upload.key, {}).get("description"),
            ephemeral=ephemeral,
        )
        for upload in call.uploads
    ]


def edited_message(call: Call, channel: Channel, message: Message, *, by_interaction: bool = False) -> bool:
    """Change a message as a body says, and return whether that counts as an edit; checked before anything changes."""
    body = call.json
    flags = message.flags | (int(body.get("flags") or 0) & COMPONENTS_V2)
    check_message(body, flags=flags)
    content = trimmed(body["content"]) if "content" in body else message.content
    embeds = _rich(body["embeds"] or []) if "embeds" in body else message.embeds
    components = _numbered(body["components"] or []) if "components" in body else message.components
    kept = message.files
    if "attachments" in body:
        wanted = {str(each.get("id")) for each in body["attachments"] or []}
        kept = [file for file in message.files if file.file_id in wanted]
    if not (content or embeds or components or kept or call.uploads):
        raise ApiError(50006)
    before = message.shown
    message.mentions = _mentions_of_edit(call, channel, message, content, by_interaction=by_interaction)
    message.files = [*kept, *_uploaded(call, channel, body, ephemeral=message.ephemeral_to is not None)]
    message.content, message.embeds, message.components, message.flags = content, embeds, components, flags
    message.versions.append(before)
    return bool({"content", "embeds", "components", "attachments"} & body.keys())


def _mentions_of_edit(
    call: Call, channel: Channel, message: Message, content: str, *, by_interaction: bool
) -> Mentions:
    replied_to = _replied_to(channel, message.reference)
    rules = call.json.get("allowed_mentions", _USERS_ONLY if by_interaction else None)
    return allowed(mentions_in(channel, call.bot, content, replied_to=replied_to), rules, replied_to=replied_to)
