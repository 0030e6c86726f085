"""Files: what the app reads, and what it uploads in three steps."""

import mimetypes
from typing import Any

from aiohttp import web

from tests.fakes.slack.calls import Call, Method
from tests.fakes.slack.model import ApiError, File, Message
from tests.fakes.slack.wire import file_json
from tests.fakes.slack.world import TeamState, World

Json = dict[str, Any]

_PIECE_BYTES = 65_536

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"


def made_file(world: World, team: TeamState, *, name: str, content: bytes, user_id: str) -> File:
    """Return a new file of a workspace."""
    mimetype = mimetypes.guess_type(name)[0] or "text/plain"
    file = File(
        file_id=world.counter.name("F"),
        name=name,
        content=content,
        user_id=user_id,
        team_id=team.team_id,
        mimetype=mimetype,
        filetype=name.rpartition(".")[2] if "." in name else "text",
        base_url=world.base_url,
    )
    team.files[file.file_id] = file
    return file


async def info(call: Call) -> Json:
    """Describe a file."""
    file = call.team.files.get(call.need("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": file_json(file), "comments": [], "response_metadata": {"next_cursor": ""}}


async def get_upload_url(call: Call) -> Json:
    """Return where to send a file's bytes."""
    name, length = call.need("filename"), call.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments", detail="length")
    file = made_file(call.world, call.team, name=name, content=b"", user_id=call.team.bot.user_id)
    del call.team.files[file.file_id]
    call.team.uploads[file.file_id] = file
    url = f"{call.world.base_url}/upload/v1/{call.team.team_id}/{file.file_id}/{length}"
    return {"upload_url": url, "file_id": file.file_id}


async def complete_upload(call: Call) -> Json:
    """Share uploaded files, in a message of the app if a channel is named."""
    wanted = call.items("files")
    done: list[File] = []
    for each in wanted:
        file = call.team.uploads.get(str(each.get("id")))
        if file is None or not file.content:
            raise ApiError("file_not_found")
        file.title = str(each.get("title") or file.name)
        done.append(file)
    channel = call.open_channel("channel_id") if call.args.get("channel_id") else None
    for file in done:
        call.team.files[file.file_id] = call.team.uploads.pop(file.file_id)
    if channel is not None:
        message = Message(
            ts=call.world.counter.ts(),
            channel_id=channel.channel_id,
            author=call.team.bot,
            text=str(call.args.get("initial_comment") or ""),
            thread_ts=call.thread_ts(channel),
            files=done,
        )
        await channel.post(message)
    return {"files": [file_json(file) for file in done]}


async def receive_upload(world: World, request: web.Request) -> web.Response:
    """Take the bytes of an upload."""
    team = world.states.get(request.match_info["team"])
    file = team.uploads.get(request.match_info["file"]) if team is not None else None
    if file is None:
        return web.Response(status=404, text="no such upload")
    content = await request.read()
    if len(content) != int(request.match_info["length"]):
        return web.Response(status=400, text="the length is not what was announced")
    file.content = content
    return web.Response(text=f"OK - {len(content)}")


async def download(world: World, request: web.Request) -> web.StreamResponse:
    """Give a file's bytes to the token of its workspace that may read files; to anyone else, the login page.

    A file goes out piece by piece, until it is whole or the app has closed the connection.
    """
    team_id, _, file_id = request.match_info["name"].partition("-")
    team = world.states.get(team_id)
    file = team.files.get(file_id) if team is not None else None
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if team is None or token != team.bot_token or "files:read" not in team.scopes:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")
    if file is None:
        return web.Response(status=404)
    response = web.StreamResponse(headers={"Content-Length": str(len(file.content))})
    response.content_type = file.mimetype
    await response.prepare(request)
    for start in range(0, len(file.content), _PIECE_BYTES):
        piece = file.content[start : start + _PIECE_BYTES]
        await response.write(piece)
        file.sent_bytes += len(piece)
    await response.write_eof()
    return response


METHODS = {
    "files.info": Method(run=info, scopes=("files:read",), tier=4),
    "files.getUploadURLExternal": Method(run=get_upload_url, scopes=("files:write",), tier=4),
    "files.completeUploadExternal": Method(run=complete_upload, scopes=("files:write",), tier=4),
}
