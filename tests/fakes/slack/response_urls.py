"""The URLs an interaction is answered by: five posts within thirty minutes, to whoever began it."""

from typing import Any

from aiohttp import web

from tests.fakes.slack.blocks import named
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.limits import TEXT_KEPT, check_blocks
from tests.fakes.slack.model import Message
from tests.fakes.slack.world import RESPONSE_URL_LIVES_S, RESPONSE_URL_USES, Interaction, World

Json = dict[str, Any]


async def respond(world: World, channel: Channel | None, interaction: Interaction, body: Json) -> str | None:
    """Do what an answer to an interaction says, posted or in the acknowledgement; return what is wrong with it."""
    problems = check_blocks(body.get("blocks") or [], "message")
    if problems:
        return "invalid_blocks"
    if channel is None or channel.deleted:
        return "channel_not_found"
    if body.get("delete_original"):
        await _remove(channel, interaction)
        return None
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        return "no_text"
    if interaction.message is not None and "replace_original" not in body:
        return "say replace_original: without it, what a button's answer replaces is anyone's guess"
    if interaction.message is not None and body["replace_original"]:
        await _replace(world, channel, interaction, body)
        return None
    message = Message(
        ts=world.counter.ts(),
        channel_id=channel.channel_id,
        author=channel.team.bot,
        text=str(body.get("text") or "")[:TEXT_KEPT],
        blocks=named(body.get("blocks") or [], world.names()),
        attachments=body.get("attachments") or [],
        thread_ts=body.get("thread_ts"),
        ephemeral_to=None if body.get("response_type") == "in_channel" else interaction.user.user_id,
        response_key=interaction.key,
    )
    interaction.posts.append(message)
    await channel.post(message)
    return None


async def _remove(channel: Channel, interaction: Interaction) -> None:
    message = interaction.message
    if message is not None and message.ephemeral_to is not None:
        message.deleted = True
        channel.world.changes.mark()
    elif message is not None:
        await channel.remove(message)


async def _replace(world: World, channel: Channel, interaction: Interaction, body: Json) -> None:
    message = interaction.message
    if message is None:
        return

    def change(message: Message) -> None:
        message.text = str(body.get("text") or "")[:TEXT_KEPT]
        message.blocks = named(body.get("blocks") or [], world.names())
        message.attachments = body.get("attachments") or []

    interaction.posts.append(message)
    if message.ephemeral_to is not None:
        message.versions.append(message.shown)
        change(message)
        world.changes.mark()
    else:
        await channel.change(message, change, by=channel.team.bot)


async def receive(world: World, channel: Channel | None, request: web.Request) -> web.Response:
    """Take one post to a response URL."""
    interaction = world.interactions.get(request.match_info["key"])
    if interaction is None or request.match_info["team"] != interaction.team.team_id:
        return web.Response(status=404, text="no_such_url")
    if world.now_s() - interaction.at_s > RESPONSE_URL_LIVES_S:
        return web.Response(status=404, text="expired_url")
    if interaction.uses >= RESPONSE_URL_USES:
        return web.Response(status=404, text="used_url")
    interaction.uses += 1
    body = await request.json()
    problem = await respond(world, channel, interaction, body)
    if problem is None:
        return web.Response(text="ok")
    world.refuse("response_url", problem, args=body)
    return web.Response(status=400, text=problem)
