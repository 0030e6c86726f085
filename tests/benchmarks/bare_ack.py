"""Slack's SDK alone: acknowledges what is delivered, at once, and does nothing else. Ended by a signal."""

import asyncio
import os

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient


async def acknowledge(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
    """Acknowledge one delivery."""
    await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


async def main() -> None:
    """Serve until the process is ended."""
    web = AsyncWebClient(base_url=os.environ["SLACK_API_URL"])
    client = SocketModeClient(os.environ["SLACK_APP_TOKEN"], web_client=web)
    client.socket_mode_request_listeners.append(acknowledge)
    await client.connect()  # type: ignore[no-untyped-call]  # the SDK's own gap
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
