"""`chat.startStream`, `chat.appendStream`, `chat.stopStream`."""

from typing import Any

from tests.fakes.slack.blocks import named
from tests.fakes.slack.calls import Call, Method
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.chat import STREAMED_BLOCK_ID, ends_status
from tests.fakes.slack.limits import MARKDOWN_CHARS, check_blocks
from tests.fakes.slack.model import ApiError, Message, Stream
from tests.fakes.slack.wire import message_json

Json = dict[str, Any]

STATUSES = {"processing", "active", "suspended", "closed"}
_CHUNKS = {"markdown_text", "task_update", "plan_update", "blocks"}


async def start(call: Call) -> Json:
    """Begin a message that grows: always a reply, and in a channel with the person it is for."""
    channel = call.open_channel()
    call.need("thread_ts")
    thread_ts = call.thread_ts(channel)
    if channel.kind != "im":
        _check_recipient(call)
    text, blocks = _grown(call, Stream())
    message = Message(
        ts=call.world.counter.ts(),
        channel_id=channel.channel_id,
        author=call.team.bot,
        thread_ts=thread_ts,
        stream=Stream(),
    )
    _append(call, message, text, blocks)
    await channel.post(message)
    ends_status(call, channel, thread_ts)
    return {"channel": channel.channel_id, "ts": message.ts}


def _check_recipient(call: Call) -> None:
    for name in ("recipient_team_id", "recipient_user_id"):
        if not call.args.get(name):
            raise ApiError(f"missing_{name}")
    if call.args["recipient_user_id"] not in call.team.users:
        raise ApiError("user_not_found")


async def append(call: Call) -> Json:
    """Let the message grow."""
    channel, message, stream = _streaming(call)
    if stream.appends == call.world.stream_appends:
        stream.state = "expired"
        raise ApiError("message_not_in_streaming_state")
    text, blocks = _grown(call, stream)
    if not text and not blocks and not call.args.get("chunks"):
        raise ApiError("no_text")
    stream.appends += 1
    _append(call, message, text, blocks)
    call.world.watch_mentions(call.team, message)
    call.world.changes.mark()
    return {"channel": channel.channel_id, "ts": message.ts}


async def stop(call: Call) -> Json:
    """End the message; the blocks go below what was streamed."""
    channel, message, stream = _streaming(call)
    final = call.blocks()
    metadata = call.metadata()
    status = call.args.get("session_status")
    if status is not None and status not in STATUSES:
        raise ApiError("invalid_arguments", detail="session_status")
    text, blocks = _grown(call, stream)

    def change(message: Message) -> None:
        _append(call, message, text, blocks)
        message.blocks += named(final, call.world.names())
        message.metadata = metadata
        stream.state = "stopped"

    await channel.change(message, change, by=None)
    if status is not None:
        session = call.team.session(channel.channel_id, message.root_ts)
        session.status = str(status)
        session.history.append(str(status))
        call.world.changes.mark()
    return {"channel": channel.channel_id, "ts": message.ts, "message": message_json(message)}


def _streaming(call: Call) -> tuple[Channel, Message, Stream]:
    channel = call.open_channel()
    message = call.own_message(channel, refusal="message_not_owned_by_app")
    if message.stream is None or message.stream.state in {"stopped", "expired"}:
        raise ApiError("message_not_in_streaming_state")
    if message.stream.state == "stopped_by_user":
        raise ApiError("stopped_by_user")
    return channel, message, message.stream


def _grown(call: Call, stream: Stream) -> tuple[str, list[Json]]:
    """Return what a call adds, text and blocks, within the limits of one call and of the whole message."""
    chunks = call.items("chunks")
    text = str(call.args.get("markdown_text") or "")
    if text and chunks:
        raise ApiError("cannot_provide_both_markdown_text_and_chunks")
    unknown = [chunk.get("type") for chunk in chunks if chunk.get("type") not in _CHUNKS]
    if unknown:
        raise ApiError("invalid_chunks", detail=f"unsupported type: {unknown[0]}")
    text += "".join(str(chunk.get("text", "")) for chunk in chunks if chunk["type"] == "markdown_text")
    blocks = [block for chunk in chunks if chunk["type"] == "blocks" for block in chunk["blocks"]]
    problems = check_blocks([*stream.blocks, *blocks], "message")
    if problems:
        raise ApiError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
    if len(text) > MARKDOWN_CHARS or len((stream.text + text).encode()) > call.world.stream_bytes:
        raise ApiError("msg_too_long")
    return text, blocks


def _append(call: Call, message: Message, text: str, blocks: list[Json]) -> None:
    stream = message.stream or Stream()
    stream.text += text
    stream.blocks += named(blocks, call.world.names())
    shown = [{"type": "markdown", "block_id": STREAMED_BLOCK_ID, "text": stream.text}] if stream.text else []
    message.text, message.blocks = stream.text, [*shown, *stream.blocks]


METHODS = {
    "chat.startStream": Method(run=start, scopes=("chat:write",), tier=2),
    "chat.appendStream": Method(run=append, scopes=("chat:write",), tier=4),
    "chat.stopStream": Method(run=stop, scopes=("chat:write",), tier=2),
}
