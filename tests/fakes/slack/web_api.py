"""The HTTP side of the Web API: who calls, whether they may, what goes wrong on the way, and what it answers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Any

from aiohttp import web

from tests.fakes.slack import agents, chat, conversations, files, streams, views
from tests.fakes.slack.calls import Call, Method, read_args
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.faults import Fault, Faults
from tests.fakes.slack.model import ApiError, User
from tests.fakes.slack.world import Received, TeamState, World

Json = dict[str, Any]

METHODS: dict[str, Method] = {
    **agents.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **streams.METHODS,
    **views.METHODS,
}
_OPEN = "apps.connections.open"


class WebApi:
    """Serves `/api/<method>`."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        *,
        channels: Callable[[TeamState], Mapping[str, Channel]],
        open_dm: Callable[[TeamState, Sequence[User]], Channel],
    ) -> None:
        self._world = world
        self._faults = faults
        self._channels = channels
        self._open_dm = open_dm
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let every held call go on, and hold again from now on."""
        self._released.set()
        self._released = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one call."""
        method = request.match_info["method"]
        try:
            args = await read_args(request)
        except (ApiError, ValueError):
            return web.json_response({"ok": False, "error": "invalid_json"})
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(args.pop("token", ""))
        team = next((each for each in self._world.states.values() if each.bot_token == token), None)
        self._received(request, method, args, team)
        fault = self._faults.take(method, args)
        if fault is not None and not fault.after_effect:
            response = await self.strike(request, fault)
            if response is not None:
                return response
        response = self._too_many(team, method, args) or await self._answer(method, args, token, team)
        if fault is not None and fault.after_effect:
            return await self.strike(request, fault) or response
        return response

    def _received(self, request: web.Request, method: str, args: Json, team: TeamState | None) -> None:
        received = Received(
            method=method,
            args=args,
            team_id=team.team_id if team is not None else None,
            at_s=self._world.now_s(),
            content_type=request.content_type,
        )
        self._world.calls.append(received)
        self._world.changes.mark()

    async def strike(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        """Do what a fault does; return its answer, None if the call goes on."""
        match fault.kind:
            case "ratelimited":
                return _rate_limited(fault.retry_after_s)
            case "status":
                return web.Response(status=fault.status, text="something went wrong")
            case "error":
                return web.json_response({"ok": False, "error": fault.error})
            case "drop":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case "hold":
                await self._released.wait()
        return None

    def _too_many(self, team: TeamState | None, method: str, args: Json) -> web.Response | None:
        known = METHODS.get(method)
        if team is None or known is None:
            return None
        channel = str(args.get("channel", ""))
        wait = self._faults.retry_after_s(team_id=team.team_id, method=method, tier=known.tier, channel=channel)
        return None if wait is None else _rate_limited(wait)

    async def _answer(self, method: str, args: Json, token: str, team: TeamState | None) -> web.Response:
        headers = {"Date": formatdate(self._world.counter.now_s(), usegmt=True)}
        if team is not None:
            headers["x-oauth-scopes"] = ",".join(sorted(team.scopes))
        try:
            result = await self._run(method, args, token, team)
        except ApiError as exc:
            self._world.refuse(method, exc.error, args=args, detail=exc.extra)
            return web.json_response({"ok": False, "error": exc.error, **exc.extra}, headers=headers)
        self._world.changes.mark()
        return web.json_response({"ok": True, **result}, headers=headers)

    async def _run(self, method: str, args: Json, token: str, team: TeamState | None) -> Json:
        if method == _OPEN:
            return self._open(token, team)
        known = METHODS.get(method)
        if known is None:
            raise ApiError("unknown_method", req_method=method)
        if team is None:
            self._refuse_token(token)
            raise ApiError("invalid_auth")
        if team.installed != "installed":
            raise ApiError("account_inactive" if team.installed == "uninstalled" else "token_revoked")
        call = Call(
            world=self._world,
            team=team,
            channels=self._channels(team),
            open_dm=lambda users: self._open_dm(team, users),
            method=method,
            args=args,
        )
        call.needs_scope(*known.scopes)
        return await known.run(call)

    def _refuse_token(self, token: str) -> None:
        if not token:
            raise ApiError("not_authed")
        if token == self._world.app_token:
            raise ApiError("not_allowed_token_type")

    def _open(self, token: str, team: TeamState | None) -> Json:
        if team is not None:
            raise ApiError("not_allowed_token_type")
        if not token:
            raise ApiError("not_authed")
        if token != self._world.app_token:
            raise ApiError("invalid_auth")
        if "connections:write" not in self._world.app_scopes:
            raise ApiError("missing_scope", needed="connections:write", provided=",".join(self._world.app_scopes))
        base = self._world.base_url.replace("http", "ws", 1)
        return {"url": f"{base}/link/?ticket={self._world.socket.ticket()}&app_id={self._world.app_id}"}


def _rate_limited(retry_after_s: int) -> web.Response:
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(retry_after_s)})
