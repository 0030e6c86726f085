"""How soon Slack hears back from fifty events at once while the model takes 20 s: `python -m tests.benchmarks.slack`.

`recall run` as a process; beside it, in the same run, the SDK alone, which acknowledges and does nothing else.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.benchmarks.report import p50
from tests.fakes.slack_server import Delivery
from tests.fixtures.crowd import Crowd, repeats_the_number
from tests.fixtures.models import export_default_model
from tests.fixtures.slack_process import SlackBot, open_slack_bot

_AIMS_MS = {"ack max ms": 1_000, "first ack max ms": 3_000, "slash max ms": 3_000}
_COMMANDS = (("/memories", ""), ("/remember", "I deploy with ArgoCD."), ("/memories", "argocd"), ("/forget", "last"))
_ROUNDS = 5
_MESSAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Milliseconds from what Slack sent to what it got back.

    Attributes:
        acks: Of events.
        first_acks: Of as many events that come as soon as the process is connected.
        bare_acks: Of the same events, by the SDK alone.
        slashes: To the answer that a person sees.
        bare_slashes: To the SDK's acknowledgement, which is no answer yet.
        in_order: The share of threads in which every message was answered once and in order.
    """

    acks: Sequence[float]
    first_acks: Sequence[float]
    bare_acks: Sequence[float]
    slashes: Sequence[float]
    bare_slashes: Sequence[float]
    in_order: float


async def measure(folder: Path, models: Path, *, threads: int, model_s: float) -> Measured:
    """Send the same burst to the SDK alone and to Recall."""
    async with open_slack_bot(folder, models) as bot:
        bot.environ["RECALL_USER_TURNS_PER_MIN"] = "100000"
        bot.model.answers_by(repeats_the_number)
        bare = await bot.start("tests.benchmarks.bare_ack")
        _, bare_acks = await _burst(bot, threads)
        bare_slashes = [await _slash(bot, *command, expect=0) for _ in range(_ROUNDS) for command in _COMMANDS]
        bare.kill()
        await bare.wait()
        await bot.slack.until(lambda: not bot.slack.socket.connections)
        await bot.start()
        first, first_acks = await _burst(bot, threads)
        await first.until_answered(within_s=120)
        bot.model.thinks_s = model_s
        crowd, acks = await _burst(bot, threads)
        slashes = [await _slash(bot, *command, expect=1) for _ in range(_ROUNDS) for command in _COMMANDS]
        await crowd.until_answered(within_s=3 * _MESSAGES * model_s + 60)
    right = [shown == wanted for each in (first, crowd) for shown, wanted in zip(each.shown, each.wanted, strict=True)]
    return Measured(
        acks=acks,
        first_acks=first_acks,
        bare_acks=bare_acks,
        slashes=slashes,
        bare_slashes=bare_slashes,
        in_order=sum(right) / len(right),
    )


async def _burst(bot: SlackBot, threads: int) -> tuple[Crowd, list[float]]:
    """Send five messages in each thread at once; return the crowd and the milliseconds to each acknowledgement."""
    before = len(bot.slack.socket.deliveries)
    crowd = bot.crowd(threads)
    for _ in range(_MESSAGES):
        await crowd.says()
    await bot.slack.socket.until_acked(within_s=120)
    return crowd, [_ack_ms(delivery) for delivery in bot.slack.socket.deliveries[before:] if delivery.event]


def _ack_ms(delivery: Delivery) -> float:
    return 1_000 * (delivery.ack_s or 0.0)


async def _slash(bot: SlackBot, command: str, text: str, *, expect: int) -> float:
    """Type a command, as somebody whose forgetting is no concern of the crowd's; return the ms to so many answers."""
    bob = bot.team.user("bob")
    began = time.perf_counter()
    seen = await bob.slash(command, text, bob.dm, expect=expect)
    if seen.error is not None:
        raise AssertionError(f"{command}: {seen.error}")
    return 1_000 * (time.perf_counter() - began)


def figures(measured: Measured) -> dict[str, float]:
    """Return what is reported, by name."""
    return {
        "ack p50 ms": p50(measured.acks),
        "ack max ms": max(measured.acks),
        "first ack p50 ms": p50(measured.first_acks),
        "first ack max ms": max(measured.first_acks),
        "ack p50 ratio to the SDK alone": p50(measured.acks) / p50(measured.bare_acks),
        "ack max ratio to the SDK alone": max(measured.acks) / max(measured.bare_acks),
        "bare ack p50 ms": p50(measured.bare_acks),
        "bare ack max ms": max(measured.bare_acks),
        "slash p50 ms": p50(measured.slashes),
        "slash max ms": max(measured.slashes),
        "slash p50 ratio to the SDK alone": p50(measured.slashes) / p50(measured.bare_slashes),
        "threads in order share": measured.in_order,
    }


def show(console: Console, measured: Measured) -> None:
    """Print one figure a line, and whether the aims are met."""
    found = figures(measured)
    console.print(f"{len(measured.acks)} events, {len(measured.slashes)} commands while the model was thinking.")
    for name, value in found.items():
        console.print(f"{name} {value:.2f}", highlight=False)
    for name, aim in _AIMS_MS.items():
        verdict = "met" if found[name] < aim else "missed"
        console.print(f"Aim for {name}: under {aim:,}, {verdict} with {found[name]:.0f}.", highlight=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.slack", description=__doc__)
    parser.add_argument("--threads", type=int, default=10, help=f"with {_MESSAGES} messages each")
    parser.add_argument("--model-s", type=float, default=20.0, help="how long the model takes, in seconds")
    chosen = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="recall-bench-") as name:
        folder = Path(name)
        models = folder / "models"
        models.mkdir()
        export_default_model(models)
        measured = asyncio.run(measure(folder, models, threads=chosen.threads, model_s=chosen.model_s))
    show(Console(soft_wrap=True), measured)


if __name__ == "__main__":
    main()
