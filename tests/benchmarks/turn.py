"""What memory costs a turn, beside the floor and beside the usual way: `python -m tests.benchmarks.turn`."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import numpy as np
import redis.asyncio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from memory.ports import Embedder
from memory.providers.sentence_transformers import open_embedder
from memory.stores.embedded import lock_data_folder, open_valkey
from tests.benchmarks.contenders import Floor, RecallTurn, UsualWay, load_encoder, open_collection
from tests.benchmarks.population import (
    COLD,
    FACTS_EACH,
    LEAST,
    SHARED,
    WARM,
    Population,
    measured_sentences,
    question,
)
from tests.benchmarks.report import COLD_TURN, SHARED_TURN, TURN, USUAL, Samples, figures, show, show_figures
from tests.benchmarks.stores import fill, open_stores

_WARM_UP = 5
_PAUSE_S = 0.01
_TORCH_CALMS_DOWN_S = 0.3
"""Its threads spin on for 0.2 s, which is nobody's fault but theirs."""
_USUAL_SHARE = 4
"""The usual way needs fewer runs: its figures are far from any limit."""

Run = Callable[[], Awaitable[None]]


async def measure(folder: Path, sizes: Sequence[int], turns: int, progress: Progress) -> Samples:
    """Fill stores of every size under `folder`, and measure everything, `turns` times each."""
    samples = Samples()
    async with (
        open_embedder(folder / "models", timeout_s=300) as embedder,
        AsyncExitStack() as stack,
    ):
        url = await stack.enter_async_context(open_valkey(stack.enter_context(lock_data_folder(folder))))
        client = await stack.enter_async_context(redis.asyncio.Redis.from_url(url, protocol=2))
        await _note(progress, "embedding the measured sentences", embedder.embed_query("warm up"))
        matrix = np.stack(await embedder.embed_documents(measured_sentences()))
        floor = Floor(embedder, matrix, client)
        populations = {size: Population(size) for size in sizes}
        async with AsyncExitStack() as opened:
            recalls = {}
            for size, population in populations.items():
                data = folder / str(size)
                await asyncio.to_thread(data.mkdir)
                stores = await opened.enter_async_context(open_stores(data, url, embedder))
                rows = progress.add_task(f"filling {size:,} facts", total=2 * population.people * FACTS_EACH)
                await fill(stores, population, matrix, partial(progress.advance, rows))
                recalls[size] = RecallTurn(stores, population, folder)
            await _measure_recall(samples, floor, recalls, turns, progress)
        usual = await _open_usual(folder, populations, embedder, client)
        await _measure_usual(samples, floor, usual, max(_WARM_UP, turns // _USUAL_SHARE), progress)
    return samples


async def _measure_recall(
    samples: Samples, floor: Floor, recalls: Mapping[int, RecallTurn], turns: int, progress: Progress
) -> None:
    """Run the floor and every kind of turn at every size in a new order each round."""
    rounds = progress.add_task("measuring turns and the floor", total=turns + _WARM_UP)
    order = random.Random(0)  # noqa: S311 (an order, no secret)
    for number in range(turns + _WARM_UP):
        if number == _WARM_UP:
            samples.clear()
        runs = _round(samples, floor, recalls, number)
        order.shuffle(runs)
        for run in runs:
            await asyncio.sleep(_PAUSE_S)
            await run()
        progress.advance(rounds)


def _round(samples: Samples, floor: Floor, recalls: Mapping[int, RecallTurn], number: int) -> list[Run]:
    """Return the floor twice and every kind of turn at every size, all with the same question."""

    async def one_floor() -> None:
        samples.floor.append(await floor.run(question(number % FACTS_EACH)))

    async def one_turn(size: int, what: str, owner: int) -> None:
        laps, found = await recalls[size].run(owner, number, cold=what == COLD_TURN)
        samples.add(size, what, laps)
        samples.found.setdefault(size, []).append(found)

    kinds = [(TURN, WARM), (COLD_TURN, COLD), (SHARED_TURN, SHARED)]
    return [one_floor, one_floor, *(partial(one_turn, size, *kind) for size in recalls for kind in kinds)]


async def _open_usual(
    folder: Path, populations: Mapping[int, Population], embedder: Embedder, client: "redis.asyncio.Redis"
) -> dict[int, UsualWay]:
    encoder = load_encoder()
    return {
        size: UsualWay(encoder, open_collection(folder / str(size), embedder), client, population.person(WARM).user_id)
        for size, population in populations.items()
    }


async def _measure_usual(
    samples: Samples, floor: Floor, usual: Mapping[int, UsualWay], turns: int, progress: Progress
) -> None:
    rounds = progress.add_task("measuring the usual way", total=turns + 1)
    for number in range(turns + 1):
        asked = question(number % FACTS_EACH)
        await asyncio.sleep(_TORCH_CALMS_DOWN_S)
        floor_ms = await floor.run(asked)
        laps = {size: await way.run(asked, number) for size, way in usual.items()}
        if number:  # the first one warms up
            samples.usual_floor.append(floor_ms)
            for size, each in laps.items():
                samples.add(size, USUAL, each)
        progress.advance(rounds)


async def _note(progress: Progress, text: str, work: Awaitable[object]) -> None:
    task = progress.add_task(text, total=1)
    await work
    progress.advance(task)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.turn", description=__doc__)
    parser.add_argument("--sizes", type=_size, nargs="+", default=[10_000, 100_000], help="facts of all people")
    parser.add_argument("--turns", type=int, default=100, help="runs of each kind")
    parser.add_argument("--json", type=Path, help="write all figures and samples here")
    return parser.parse_args(words)


def _size(word: str) -> int:
    size = int(word)
    if size < LEAST or size % FACTS_EACH:
        raise argparse.ArgumentTypeError(f"a multiple of {FACTS_EACH}, at least {LEAST}")
    return size


def main() -> None:
    """Measure, print, and write the file that was asked for."""
    chosen = _arguments(sys.argv[1:])
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="recall-bench-") as folder,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        samples = asyncio.run(measure(Path(folder), sorted(set(chosen.sizes)), chosen.turns, progress))
    found = figures(samples)
    if chosen.json:
        everything = {"figures": found, "floor": samples.floor, "runs": samples.runs}
        chosen.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    show(console, samples)
    show_figures(console, found)


if __name__ == "__main__":
    main()
