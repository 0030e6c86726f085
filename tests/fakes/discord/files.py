"""The content delivery network: files by signed links that run out."""

from aiohttp import web

from tests.fakes.discord.world import World

_PIECE_BYTES = 65_536


async def download(world: World, request: web.Request) -> web.StreamResponse:
    """Give a file's bytes to whoever has a link that was signed here and has not run out.

    A file goes out piece by piece, until it is whole or the app has closed the connection.
    """
    file = world.files.get(request.match_info["file"])
    expires, issued = request.query.get("ex", ""), request.query.get("is", "")
    if file is None or file.channel_id != request.match_info["channel"] or file.name != request.match_info["name"]:
        return web.Response(status=404)
    signed = request.query.get("hm") == world.signature(file.file_id, expires, issued)
    if not signed or int(expires, 16) < world.now_s():
        return web.Response(status=404, text="This content is no longer available.")
    response = web.StreamResponse(headers={"Content-Length": str(len(file.content))})
    response.content_type = (file.content_type or "application/octet-stream").partition(";")[0]
    await response.prepare(request)
    for start in range(0, len(file.content), _PIECE_BYTES):
        piece = file.content[start : start + _PIECE_BYTES]
        await response.write(piece)
        file.sent_bytes += len(piece)
    await response.write_eof()
    return response
