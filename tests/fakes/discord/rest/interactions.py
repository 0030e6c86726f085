"""The calls that answer an interaction: the one answer to it, and what follows within its fifteen minutes."""

from typing import Any

from tests.fakes.discord import message_wire, posting, wire
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.limits import check_choices, check_modal
from tests.fakes.discord.model import EPHEMERAL, LOADING, Message
from tests.fakes.discord.rest.bodies import edited_message, new_message
from tests.fakes.discord.rest.calls import Call, Route
from tests.fakes.discord.world import RESPONSE_WITHIN_S, TOKEN_LIVES_S, Interaction

Json = dict[str, Any]

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _OPEN_MODAL = 4, 5, 6, 7, 8, 9


async def respond(call: Call) -> Json | None:
    """Give an interaction its one answer."""
    interaction = call.world.interactions.get(call.params["token"])
    if interaction is None or interaction.interaction_id != call.params["interaction_id"]:
        raise ApiError(10062)
    if interaction.response is not None:
        raise ApiError(40060)
    if interaction.late or call.world.now_s() - interaction.created_at_s > RESPONSE_WITHIN_S:
        raise ApiError(10062)
    kind, data = int(call.json.get("type") or 0), call.json.get("data") or {}
    if kind not in _allowed(interaction):
        raise invalid(("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(_allowed(interaction))}."))
    _answer(call, interaction, kind, data)
    interaction.response = kind
    call.world.changes.mark()
    return _told(call, interaction) if call.query.get("with_response") in {"1", "true"} else None


def _allowed(interaction: Interaction) -> set[int]:
    if interaction.kind == AUTOCOMPLETE:
        return {_CHOICES}
    allowed = {_MESSAGE, _DEFERRED}
    if interaction.message is not None:
        allowed |= {_DEFERRED_UPDATE, _UPDATE}
    return allowed | ({_OPEN_MODAL} if interaction.kind != MODAL else set())


def _answer(call: Call, interaction: Interaction, kind: int, data: Json) -> None:
    if kind == _MESSAGE:
        interaction.original = _post(call, interaction, data)
    elif kind == _DEFERRED:
        interaction.original = _think(call, interaction, ephemeral=bool(int(data.get("flags") or 0) & EPHEMERAL))
    elif kind == _DEFERRED_UPDATE:
        interaction.original = interaction.message
    elif kind == _UPDATE and interaction.message is not None:
        interaction.original = interaction.message
        _change(call, interaction, interaction.message, data)
    elif kind == _CHOICES:
        check_choices(data.get("choices") or [])
        interaction.choices = list(data.get("choices") or [])
    else:
        check_modal(data)
        interaction.modal = data


def _told(call: Call, interaction: Interaction) -> Json:
    told: Json = {"id": interaction.interaction_id, "type": interaction.kind}
    result: Json = {"interaction": told}
    original = interaction.original
    if original is not None:
        told |= {"response_message_id": original.message_id, "response_message_loading": original.loading}
        told["response_message_ephemeral"] = bool(original.flags & EPHEMERAL)
        result["resource"] = {"type": interaction.response, "message": message_wire.message_json(call.world, original)}
    return result


def _metadata(interaction: Interaction) -> Json:
    metadata: Json = {
        "id": interaction.interaction_id,
        "type": interaction.kind,
        "user": wire.user_json(interaction.user),
        "authorizing_integration_owners": wire.owners_json(interaction.channel),
    }
    if interaction.kind == COMPONENT and interaction.message is not None:
        metadata["interacted_message_id"] = interaction.message.message_id
    return metadata


def _belonging(call: Call, interaction: Interaction, message: Message) -> Message:
    """Mark a message as one that an interaction brought about."""
    message.webhook_id = message.application_id = call.world.app.app_id
    message.metadata = _metadata(interaction)
    if interaction.kind == COMMAND:
        message.kind = 20 if int(interaction.data.get("type") or 1) == 1 else 23
    if message.flags & EPHEMERAL:
        message.ephemeral_to = interaction.user.user_id
    interaction.posts.append(message)
    return message


def _post(call: Call, interaction: Interaction, data: Json) -> Message:
    message = new_message(call, interaction.channel, data, by_interaction=True)
    return posting.post(call.world, interaction.channel, _belonging(call, interaction, message))


def _think(call: Call, interaction: Interaction, *, ephemeral: bool) -> Message:
    message = Message(
        message_id=call.world.counter.snowflake(),
        channel_id=interaction.channel.channel_id,
        author=call.bot,
        flags=LOADING | (EPHEMERAL if ephemeral else 0),
    )
    return posting.post(call.world, interaction.channel, _belonging(call, interaction, message))


def _change(call: Call, interaction: Interaction, message: Message, data: Json) -> None:
    part = Call(world=call.world, params=call.params, query=call.query, body=data, uploads=call.uploads)
    loading = message.loading
    edited = edited_message(part, interaction.channel, message, by_interaction=True)
    message.flags &= ~LOADING
    posting.changed(call.world, interaction.channel, message, edited=edited and not loading)


def _followed(call: Call) -> Interaction:
    """Return the interaction whose token a call carries, which must have been answered and not have run out."""
    if call.params["application_id"] != call.world.app.app_id:
        raise ApiError(10015)
    interaction = call.world.interactions.get(call.params["token"])
    if interaction is None or call.world.now_s() - interaction.created_at_s > TOKEN_LIVES_S:
        raise ApiError(50027)
    if interaction.response is None:
        raise ApiError(10015)
    return interaction


async def follow_up(call: Call) -> Json:
    """Post another answer; the first one after a "thinking" takes its place, and its visibility."""
    interaction = _followed(call)
    original = interaction.original
    if interaction.deferred and original is not None:
        _change(call, interaction, original, call.json)
        return message_wire.message_json(call.world, original)
    return message_wire.message_json(call.world, _post(call, interaction, call.json))


def _message(call: Call, interaction: Interaction) -> Message:
    wanted = call.params["message_id"]
    known = [*interaction.posts, *([interaction.original] if interaction.original is not None else [])]
    found = interaction.original if wanted == "@original" else None
    found = found or next((each for each in known if each.message_id == wanted), None)
    if found is None or found.deleted:
        raise ApiError(10008)
    return found


async def edit(call: Call) -> Json:
    """Change an answer."""
    interaction = _followed(call)
    message = _message(call, interaction)
    _change(call, interaction, message, call.json)
    return message_wire.message_json(call.world, message)


async def read(call: Call) -> Json:
    """Return an answer."""
    return message_wire.message_json(call.world, _message(call, _followed(call)))


async def delete(call: Call) -> None:
    """Take an answer away."""
    interaction = _followed(call)
    posting.delete(call.world, interaction.channel, _message(call, interaction))


_WEBHOOK = "/webhooks/{application_id}/{token}"
_ONE = f"{_WEBHOOK}/messages/{{message_id}}"

ROUTES = {
    "POST /interactions/{interaction_id}/{token}/callback": Route(run=respond, bucket="callback", needs_token=False),
    f"POST {_WEBHOOK}": Route(run=follow_up, bucket="webhook", limit=5, needs_token=False),
    f"GET {_ONE}": Route(run=read, bucket="webhook", limit=5, needs_token=False),
    f"PATCH {_ONE}": Route(run=edit, bucket="webhook", limit=5, needs_token=False),
    f"DELETE {_ONE}": Route(run=delete, bucket="webhook", limit=5, needs_token=False),
}
