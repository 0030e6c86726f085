"""Two processes on shared servers before a crowd, one of them perhaps killed: `python -m tests.benchmarks.replicas`."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.console import Console

from tests.fixtures.databases import PostgresServer, run_postgres
from tests.fixtures.discord_process import open_discord_bot
from tests.fixtures.models import export_default_model
from tests.fixtures.process import RecallBot
from tests.fixtures.replicas import on_servers, serve
from tests.fixtures.servers import free_port, run_chroma
from tests.fixtures.slack_process import open_slack_bot

_OPEN: Mapping[str, Callable[[Path, Path], AbstractAsyncContextManager[RecallBot]]] = {
    "slack": open_slack_bot,
    "discord": open_discord_bot,
}


async def measure(
    open_bot: Callable[[], AbstractAsyncContextManager[RecallBot]],
    postgres: PostgresServer,
    chroma_url: str,
    *,
    threads: int,
    messages: int,
    kill: bool,
) -> dict[str, float]:
    """Serve the crowd; return what came of it, by name."""
    async with open_bot() as bot:
        with on_servers(bot, postgres, chroma_url):
            began = time.perf_counter()
            crowd = await serve(bot, threads=threads, messages=messages, is_killed=kill, within_s=600)
            took_s = time.perf_counter() - began
            refused, acks_ms = bot.refusals, sorted(bot.acks_ms)
    pairs = list(zip(crowd.shown, crowd.wanted, strict=True))
    return {
        "messages": threads * messages,
        "answers": sum(len(shown) for shown, _ in pairs),
        "messages answered once": sum(shown.count(text) == 1 for shown, wanted in pairs for text in wanted),
        "threads in order": sum(shown == wanted for shown, wanted in pairs),
        "calls refused by the platform": refused,
        "seconds, start included": took_s,
    } | ({"ack p50 ms": acks_ms[len(acks_ms) // 2], "ack max ms": acks_ms[-1]} if acks_ms else {})


def main() -> None:
    """Measure and print one figure a line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.replicas", description=__doc__)
    parser.add_argument("--platform", choices=_OPEN, default="slack")
    parser.add_argument("--threads", type=int, default=200)
    parser.add_argument("--messages", type=int, default=5, help="in each thread")
    parser.add_argument("--kill", action="store_true", help="kill one process half-way")
    chosen = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="recall-bench-") as name, run_postgres() as postgres:
        folder = Path(name)
        for part in ("models", "chroma"):
            (folder / part).mkdir()
        export_default_model(folder / "models")
        with run_chroma(folder / "chroma", free_port()) as chroma_url:
            run = measure(
                lambda: _OPEN[chosen.platform](folder, folder / "models"),
                postgres,
                chroma_url,
                threads=chosen.threads,
                messages=chosen.messages,
                kill=chosen.kill,
            )
            found = asyncio.run(run)
    for name, value in found.items():
        Console(soft_wrap=True).print(f"{name} {value:,.0f}", highlight=False)


if __name__ == "__main__":
    main()
