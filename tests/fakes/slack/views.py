"""`views.*`: the Home tab and modals."""

from typing import Any

from tests.fakes.slack.blocks import elements, initial, named
from tests.fakes.slack.calls import Call, Method
from tests.fakes.slack.limits import check_view
from tests.fakes.slack.model import ApiError, View
from tests.fakes.slack.wire import view_json
from tests.fakes.slack.world import TRIGGER_LIVES_S, Interaction, TeamState, World

Json = dict[str, Any]

_MOST_STACKED = 3


def checked(world: World, body: Any, *, kind: str) -> Json:
    """Return a view's body with its ids filled in.

    Raises:
        ApiError: It breaks a limit.
    """
    if not isinstance(body, dict):
        raise ApiError("invalid_arguments", detail="view")
    problems = check_view(body)
    if not problems and body["type"] != kind:
        problems = [f"[ERROR] must be a {kind} view [json-pointer:/view/type]"]
    if problems:
        raise ApiError("invalid_arguments", response_metadata={"messages": problems})
    return body | {"blocks": named(body.get("blocks", []), world.names())}


def made(world: World, team: TeamState, user_id: str, body: Json) -> View:
    """Return a new view, with the state its inputs begin with."""
    view = View(
        view_id=world.counter.name("V"),
        team_id=team.team_id,
        user_id=user_id,
        body=body,
        view_hash=world.counter.ts(),
        app_id=world.app_id,
        bot_id=team.bot.bot_id or "",
    )
    view.values = _begun(view)
    team.views[view.view_id] = view
    return view


def replaced(world: World, view: View, body: Json) -> None:
    """Give a view another body; what was filled in stays where the same input is still there."""
    kept = {action_id: state for states in view.values.values() for action_id, state in states.items()}
    view.body, view.view_hash = body, world.counter.ts()
    view.values = _begun(view)
    for states in view.values.values():
        states.update({action_id: kept[action_id] for action_id in states if action_id in kept})
    world.changes.mark()


def _begun(view: View) -> dict[str, dict[str, Json]]:
    values: dict[str, dict[str, Json]] = {}
    for element in elements(view.blocks):
        state = initial(element)
        if state is not None:
            values.setdefault(element["block_id"], {})[element["action_id"]] = state
    return values


def exchange(world: World, trigger_id: str) -> Interaction:
    """Take a trigger, once and while it is fresh."""
    interaction = world.interactions.get(trigger_id.partition(".")[0])
    if interaction is None or interaction.trigger_id != trigger_id:
        raise ApiError("invalid_trigger_id")
    if interaction.exchanged:
        raise ApiError("exchanged_trigger_id")
    if world.now_s() - interaction.at_s > TRIGGER_LIVES_S:
        raise ApiError("expired_trigger_id")
    interaction.exchanged = True
    return interaction


async def publish(call: Call) -> Json:
    """Replace a person's Home tab."""
    if not call.world.home_tab:
        raise ApiError("not_enabled")
    user = call.user("user_id")
    body = checked(call.world, call.args.get("view"), kind="home")
    home = call.team.homes.get(user.user_id)
    if call.args.get("hash") and home is not None and call.args["hash"] != home.view_hash:
        raise ApiError("hash_conflict")
    if home is None:
        home = made(call.world, call.team, user.user_id, body)
        call.team.homes[user.user_id] = home
    replaced(call.world, home, body)
    return {"view": view_json(home)}


async def open_modal(call: Call) -> Json:
    """Open a modal for whoever began the interaction."""
    body = checked(call.world, call.args.get("view"), kind="modal")
    interaction = exchange(call.world, call.need("trigger_id"))
    view = made(call.world, call.team, interaction.user.user_id, body)
    view.trigger_id = interaction.trigger_id
    call.world.changes.mark()
    return {"view": view_json(view)}


async def push(call: Call) -> Json:
    """Put a modal upon the one that is open."""
    body = checked(call.world, call.args.get("view"), kind="modal")
    interaction = exchange(call.world, call.need("trigger_id"))
    view = pushed(call.world, call.team, interaction.user.user_id, body)
    view.trigger_id = interaction.trigger_id
    return {"view": view_json(view)}


def pushed(world: World, team: TeamState, user_id: str, body: Json) -> View:
    """Return a new modal upon the stack."""
    stack = modals(team, user_id)
    if not stack:
        raise ApiError("not_found")
    if len(stack) >= _MOST_STACKED:
        raise ApiError("push_limit_reached")
    view = made(world, team, user_id, body)
    view.previous_view_id, view.root_view_id = stack[-1].view_id, stack[0].view_id
    world.changes.mark()
    return view


def modals(team: TeamState, user_id: str) -> list[View]:
    """Return the modals a person has open, the topmost last."""
    mine = [view for view in team.views.values() if view.user_id == user_id and not view.closed]
    return [view for view in mine if view.body["type"] == "modal"]


async def update(call: Call) -> Json:
    """Replace a view's body."""
    wanted = call.args.get("view_id"), call.args.get("external_id")
    views = [
        view
        for view in call.team.views.values()
        if not view.closed and (view.view_id == wanted[0] or (wanted[1] and view.body.get("external_id") == wanted[1]))
    ]
    if not views:
        raise ApiError("not_found")
    if call.args.get("hash") and call.args["hash"] != views[0].view_hash:
        raise ApiError("hash_conflict")
    replaced(call.world, views[0], checked(call.world, call.args.get("view"), kind=views[0].body["type"]))
    return {"view": view_json(views[0])}


METHODS = {
    "views.publish": Method(run=publish, tier=4),
    "views.open": Method(run=open_modal, tier=4),
    "views.push": Method(run=push, tier=4),
    "views.update": Method(run=update, tier=4),
}
