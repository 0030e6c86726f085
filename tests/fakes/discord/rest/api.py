"""The HTTP side of the REST API: who calls, what goes wrong on the way, how often, and what it answers."""

import asyncio
import hashlib
import json
from functools import partial
from typing import Any

from aiohttp import web

from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.rest import commands, guilds, interactions, messages, threads
from tests.fakes.discord.rest.calls import Call, Route, Upload, read_body
from tests.fakes.discord.rest.faults import Fault, Faults, Scope, Window
from tests.fakes.discord.world import Received, Refusal, World

Json = dict[str, Any]

PREFIX = "/api/v10"
ROUTES: dict[str, Route] = {
    **guilds.ROUTES,
    **commands.ROUTES,
    **interactions.ROUTES,
    **messages.ROUTES,
    **threads.ROUTES,
}
_MAJOR = ("channel_id", "guild_id", "token")


class RestApi:
    """Serves every route of the REST API."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._released = asyncio.Event()
        self.invalid = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve the routes, the fixed ones before those with parameters, and refuse all others."""
        for name in sorted(ROUTES, key=lambda name: (name.count("{"), name)):
            method, _, path = name.partition(" ")
            router.add_route(method, PREFIX + path, partial(self._handle, name))
        router.add_route("*", "/api/{tail:.*}", self._unknown)

    def release(self) -> None:
        """Let every held call go on, and hold again from now on."""
        self._released.set()
        self._released = asyncio.Event()

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        name = f"{request.method} {request.path.removeprefix(PREFIX)}"
        self._received(name, request, None, [])
        self._refused(name, request, 404, 0, {"message": "404: Not Found", "code": 0})
        return _response(404, {"message": "404: Not Found", "code": 0})

    async def _handle(self, name: str, request: web.Request) -> web.StreamResponse:
        try:
            body, uploads = await read_body(request)
        except ApiError as exc:
            self._received(name, request, None, [])
            return self._refusal(name, request, exc)
        self._received(name, request, body, uploads)
        fault = self._faults.take(name, request.path.removeprefix(PREFIX), body)
        if fault is not None and not fault.after_effect:
            response = await self.strike(request, fault)
            if response is not None:
                return response
        response = await self._limited(name, request, body, uploads)
        if fault is not None and fault.after_effect:
            return await self.strike(request, fault) or response
        return response

    async def strike(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        """Do what a fault does; return its answer, None if the call goes on."""
        match fault.kind:
            case "ratelimited":
                self.invalid += fault.scope != "shared"
                return _too_many(fault.retry_after_s, fault.scope, {})
            case "status":
                return web.Response(status=fault.status, text="something went wrong")
            case "error":
                refused = ApiError(fault.code)
                return _response(refused.status, refused.body)
            case "drop":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case "hold":
                await self._released.wait()
        return None

    async def _limited(self, name: str, request: web.Request, body: Any, uploads: list[Upload]) -> web.StreamResponse:
        route, params = ROUTES[name], dict(request.match_info)
        major = "+".join(params[each] for each in _MAJOR if each in params)
        window = self._faults.window(f"{route.bucket}:{major}", route.limit, counts_globally=route.needs_token)
        headers = _headers(route, window, self._world.now_s())
        if window.wait_s is not None:
            self.invalid += 1
            return _too_many(window.wait_s, window.scope, headers)
        try:
            if route.needs_token:
                self._authorize(request)
            call = Call(world=self._world, params=params, query=dict(request.query), body=body, uploads=uploads)
            result = await route.run(call)
        except ApiError as exc:
            return self._refusal(name, request, exc, headers)
        self._world.changes.mark()
        return _response(204 if result is None else 200, result, headers)

    def _authorize(self, request: web.Request) -> None:
        app = self._world.app
        if not app.token_valid or request.headers.get("authorization") != f"Bot {app.token}":
            raise ApiError(0)

    def _refusal(
        self, name: str, request: web.Request, error: ApiError, headers: dict[str, str] | None = None
    ) -> web.Response:
        self.invalid += error.status in {401, 403, 429}
        self._refused(name, request, error.status, error.code, error.body)
        return _response(error.status, error.body, headers)

    def _received(self, name: str, request: web.Request, body: Any, uploads: list[Upload]) -> None:
        received = Received(
            route=name,
            path=request.path.removeprefix(PREFIX),
            query=dict(request.query),
            body=body,
            files=tuple(upload.name for upload in uploads),
            at_s=self._world.now_s(),
        )
        self._world.calls.append(received)
        self._world.changes.mark()

    def _refused(self, name: str, request: web.Request, status: int, code: int, body: Json) -> None:
        path = request.path.removeprefix(PREFIX)
        self._world.refusals.append(Refusal(route=name, path=path, status=status, code=code, body=body))
        self._world.changes.mark()


def _headers(route: Route, window: Window, now_s: float) -> dict[str, str]:
    digest = hashlib.sha256(route.bucket.encode()).hexdigest()[:32]
    return {
        "X-RateLimit-Limit": str(window.limit),
        "X-RateLimit-Remaining": str(window.remaining),
        "X-RateLimit-Reset": f"{now_s + window.reset_after_s:.3f}",
        "X-RateLimit-Reset-After": f"{window.reset_after_s:.3f}",
        "X-RateLimit-Bucket": digest,
    }


def _too_many(retry_after_s: float, scope: Scope, headers: dict[str, str]) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": scope == "global"}
    extra = {"Retry-After": str(max(1, round(retry_after_s))), "X-RateLimit-Scope": scope}
    extra |= {"X-RateLimit-Global": "true"} if scope == "global" else {}
    return _response(429, body, headers | extra)


def _response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Return a response in Discord's manner: JSON without a character set, and a trace of the proxy before it."""
    every = {"Via": "1.1 google"} | (headers or {})
    if status == 204:
        return web.Response(status=204, headers=every)
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json", headers=every)
