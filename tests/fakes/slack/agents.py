"""The agent surface: `assistant.threads.*` and `agents.sessions.*`."""

from typing import Any

from tests.fakes.slack.calls import Call, Method
from tests.fakes.slack.model import ApiError, Session
from tests.fakes.slack.streams import STATUSES

Json = dict[str, Any]

_MAX_PROMPTS = 4
_TITLE_CHARS = 200


def _session(call: Call) -> Session:
    if not call.team.agent_view:
        raise ApiError("not_agent_app")
    channel = call.open_channel("channel_id")
    thread_ts = call.need("thread_ts")
    if thread_ts not in channel.messages:
        raise ApiError("invalid_thread_ts")
    return call.team.session(channel.channel_id, thread_ts)


async def set_status_text(call: Call) -> Json:
    """Show "is thinking ..." under a thread; an empty text takes it away."""
    if "status" not in call.args:
        raise ApiError("invalid_arguments", detail="missing required field: status")
    session = _session(call)
    session.status_text = str(call.args["status"])
    session.history.append(session.status_text)
    call.world.changes.mark()
    return {}


async def set_title(call: Call) -> Json:
    """Name a thread of the Messages tab."""
    _session(call).title = call.need("title")
    return {}


async def set_prompts(call: Call) -> Json:
    """Offer prompts, in a thread or (without `thread_ts`) in the Messages tab."""
    if not call.team.agent_view:
        raise ApiError("not_agent_app")
    channel = call.channel("channel_id")
    prompts = call.items("prompts")
    complete = all(isinstance(each, dict) and each.get("title") and each.get("message") for each in prompts)
    if not 1 <= len(prompts) <= _MAX_PROMPTS or not complete:
        raise ApiError("invalid_arguments", detail="prompts")
    call.team.prompts[channel.channel_id, str(call.args.get("thread_ts") or "")] = prompts
    call.world.changes.mark()
    return {}


async def set_status(call: Call) -> Json:
    """Set what a session does; the title counts only when the session is new."""
    status = call.need("status")
    if status not in STATUSES:
        raise ApiError("invalid_arguments", detail="status")
    if len(str(call.args.get("title") or "")) > _TITLE_CHARS:
        raise ApiError("invalid_arguments", detail="title")
    session = _session(call)
    if session.status is None and call.args.get("title"):
        session.title = str(call.args["title"])
    session.status = status
    session.history.append(status)
    call.world.changes.mark()
    answer: Json = {"status": status, "agent_status": status, "title": session.title or ""}
    if not call.world.subscribed(call.team, "agent_session_stopped"):
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


async def rename(call: Call) -> Json:
    """Change a session's title."""
    title = call.need("title")
    session = _session(call)
    if session.status is None:
        raise ApiError("session_not_found")
    session.title = title
    return {"title": title}


METHODS = {
    "assistant.threads.setStatus": Method(run=set_status_text, scopes=("assistant:write", "chat:write")),
    "assistant.threads.setTitle": Method(run=set_title, scopes=("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(run=set_prompts, scopes=("assistant:write",)),
    "agents.sessions.setStatus": Method(run=set_status, scopes=("chat:write",)),
    "agents.sessions.rename": Method(run=rename, scopes=("chat:write",)),
}
