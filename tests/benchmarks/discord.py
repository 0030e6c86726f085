"""How soon fifty mentions at once are committed while the model takes 20 s: `python -m tests.benchmarks.discord`.

`recall run` as a process; beside it, in the same run, the library alone, which hears the same mentions.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.benchmarks.report import p50
from tests.fixtures.bare_discord import bare_app
from tests.fixtures.crowd import repeats_the_number
from tests.fixtures.discord_crowd import DiscordCrowd
from tests.fixtures.discord_process import DiscordBot, open_discord_bot
from tests.fixtures.models import export_default_model

_AIMS_MS = {"commit max ms": 1_000, "slash max ms": 3_000}
_ROUNDS = 5
_LOOK_S = 0.005
_PATIENCE_S = 60


async def measure(folder: Path, models: Path, *, threads: int, model_s: float) -> dict[str, float]:
    """Send the same burst to the library alone and to Recall; return what is reported, by name."""
    async with open_discord_bot(folder, models) as bot:
        bot.environ |= {"RECALL_USER_TURNS_PER_MIN": "100000", "RECALL_IDLE_AFTER_S": "900"}
        bot.model.answers_by(repeats_the_number)
        async with bare_app(bot.discord) as app:
            began = time.perf_counter()
            await DiscordCrowd(bot.guild, threads).says()
            await app.until_heard("message", threads)
            heard_ms = 1_000 * (time.perf_counter() - began)
        await bot.start()
        await bot.ready()
        bot.model.thinks_s = model_s
        crowd = DiscordCrowd(bot.guild, threads)
        began = time.perf_counter()
        await crowd.says()
        commits = await _commits(bot, threads, began)
        slashes = [await _slash(bot) for _ in range(_ROUNDS)]
        await crowd.until_answered(within_s=3 * model_s * (1 + threads // 32) + _PATIENCE_S)
    return {
        "commit p50 ms": p50(commits),
        "commit max ms": commits[-1],
        "commit max ratio to the library hearing all": commits[-1] / heard_ms,
        "library hears all ms": heard_ms,
        "slash p50 ms": p50(slashes),
        "slash max ms": max(slashes),
        "threads right share": sum(a == b for a, b in zip(crowd.shown, crowd.wanted, strict=True)) / threads,
    }


async def _commits(bot: DiscordBot, count: int, began: float) -> list[float]:
    """Return the milliseconds until each message was in the record, as another reader sees it."""
    found: list[float] = []
    path = Path(bot.environ["RECALL_DATA_DIR"]) / "recall.db"
    record = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while len(found) < count:
                ((there,),) = record.execute("SELECT count(*) FROM messages WHERE role = 'user'")
                found += [1_000 * (time.perf_counter() - began)] * (there - len(found))
                await asyncio.sleep(_LOOK_S)
    finally:
        record.close()
    return found


async def _slash(bot: DiscordBot) -> float:
    """Type a command while the crowd waits; return the milliseconds to the answer that a person sees."""
    bob, ops = bot.guild.user("bob"), bot.guild.channel("ops")
    began = time.perf_counter()
    seen = await bob.slash("/memories", ops)
    if seen.error is not None:
        raise AssertionError(seen.error)
    return 1_000 * (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.discord", description=__doc__)
    parser.add_argument("--threads", type=int, default=50, help="mentions at once")
    parser.add_argument("--model-s", type=float, default=20.0, help="how long the model takes, in seconds")
    chosen = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="recall-bench-") as name:
        folder = Path(name)
        models = folder / "models"
        models.mkdir()
        export_default_model(models)
        found = asyncio.run(measure(folder, models, threads=chosen.threads, model_s=chosen.model_s))
    console = Console(soft_wrap=True)
    for figure, value in found.items():
        console.print(f"{figure} {value:.2f}", highlight=False)
    for figure, aim in _AIMS_MS.items():
        verdict = "met" if found[figure] < aim else "missed"
        console.print(f"Aim for {figure}: under {aim:,}, {verdict} with {found[figure]:.0f}.", highlight=False)


if __name__ == "__main__":
    main()
