"""Turns samples into tables and figures. Pure but for the console it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.population import FACTS_EACH

TURN, COLD_TURN, SHARED_TURN, USUAL = "turn", "turn, cold", "turn, shared", "usual way"
_AIM_RATIO, _AIM_GROWTH, _AIM_COLD_MS = 1.5, 1.2, 10.0
_STEPS = ("accept", "begin", "load", "recall", "of it embed", "settle", "append")
_USUAL_STEPS = ("embed", "redis", "query", "add")
_MEANING = {
    TURN: "the person's vectors are in the process, nobody else's memories are visible",
    COLD_TURN: "the person's vectors are fetched from the index first",
    SHARED_TURN: "colleagues share a quarter of their facts: the index is asked for them, unfiltered",
    USUAL: "torch, a Redis list with four commands, one Chroma collection with a filter, one add",
}


@dataclass(slots=True)
class Samples:
    """Milliseconds of every run, by size, what was run, and step; the step named like the run is all of it."""

    floor: list[float] = field(default_factory=list)
    usual_floor: list[float] = field(default_factory=list)
    runs: dict[int, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    found: dict[int, list[bool]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget what was a warm-up."""
        for each in (self.floor, self.usual_floor, self.runs, self.found):
            each.clear()

    def add(self, size: int, what: str, laps: dict[str, float]) -> None:
        """Add one run."""
        steps = self.runs.setdefault(size, {}).setdefault(what, {})
        for step, ms in laps.items():
            steps.setdefault(step, []).append(ms)

    def whole(self, size: int, what: str) -> list[float]:
        """Return the times of whole runs."""
        steps = self.runs[size][what]
        return steps["usual way" if what == USUAL else "turn"]

    def floor_of(self, what: str) -> list[float]:
        """Return the floor that was measured in turn with a kind of run."""
        return self.usual_floor if what == USUAL else self.floor


def _kinds(samples: Samples) -> list[str]:
    """Return what was run, in the order of the report."""
    return [what for what in _MEANING if what in samples.runs[min(samples.runs)]]


def p50(values: Sequence[float]) -> float:
    """Return the median."""
    return float(np.percentile(values, 50))


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return float(np.percentile(values, 95))


def figures(samples: Samples) -> dict[str, float]:
    """Return every figure by name, the aims among them."""
    found = {"floor p50 ms": p50(samples.floor), "floor p95 ms": p95(samples.floor)}
    sizes = sorted(samples.runs)
    for size in sizes:
        for what in _kinds(samples):
            whole = samples.whole(size, what)
            found[f"{what} p50 ms {size}"] = p50(whole)
            found[f"{what} p95 ms {size}"] = p95(whole)
            found[f"{what} p50 ratio {size}"] = p50(whole) / p50(samples.floor_of(what))
        found[f"cold p50 extra ms {size}"] = p50(samples.whole(size, COLD_TURN)) - p50(samples.whole(size, TURN))
        found[f"recalled share {size}"] = float(np.mean(samples.found[size]))
    first, last = sizes[0], sizes[-1]
    if first != last:
        for what in _kinds(samples):
            found[f"{what} p50 growth {last}"] = p50(samples.whole(last, what)) / p50(samples.whole(first, what))
    return found


def show(console: Console, samples: Samples) -> None:
    """Print the tables, and what is real in them."""
    console.print(_overview(samples))
    console.print(_breakdown(samples, TURN, _STEPS))
    if USUAL in _kinds(samples):
        console.print(_breakdown(samples, USUAL, _USUAL_STEPS))
    for what, meaning in _MEANING.items():
        console.print(f"{what}: {meaning}.", soft_wrap=True)
    console.print(
        f"The measured people's {FACTS_EACH} facts are real sentences, really embedded; everybody else's vectors are"
        " theirs plus noise. Facts of one person are spread over all files. A turn starts a new thread every tenth"
        " time, adds a message to the person's memories, and is not timed while the model answers (at once) and while"
        " the outbox is drained. The floor is one embedding, exact scores, and one round trip to Valkey, in turn with"
        " all others.",
        soft_wrap=True,
    )


def show_figures(console: Console, found: dict[str, float]) -> None:
    """Print what is aimed for, and then one figure a line, those with an aim last."""
    aims = {name: aim for name in found if (aim := _aim(name)) is not None}
    for name, aim in aims.items():
        verdict = "met" if found[name] <= aim else "missed"
        console.print(f"Aim for {name}: at most {aim:g}, {verdict} with {found[name]:.2f}.", soft_wrap=True)
    for name in sorted(found, key=lambda name: name in aims):
        console.print(f"{name} {found[name]:.2f}", soft_wrap=True, highlight=False)


def _aim(name: str) -> float | None:
    if name.startswith(f"{TURN} p50 ratio"):
        return _AIM_RATIO
    if name.startswith(f"{TURN} p50 growth"):
        return _AIM_GROWTH
    return _AIM_COLD_MS if name.startswith("cold p50 extra ms") else None


def _overview(samples: Samples) -> Table:
    table = Table(title="Memory work per turn")
    for column in ("", "facts", "runs", "p50 ms", "p95 ms", "x floor", "x smallest"):
        table.add_column(column, justify="left" if not column else "right")
    _add_row(table, "floor", "", samples.floor)
    first = min(samples.runs)
    for what in _kinds(samples):
        if what == USUAL:
            _add_row(table, "floor beside the usual way", "", samples.usual_floor)
        for size in sorted(samples.runs):
            whole = samples.whole(size, what)
            ratio = p50(whole) / p50(samples.floor_of(what))
            growth = p50(whole) / p50(samples.whole(first, what))
            _add_row(table, what, f"{size:,}", whole, f"{ratio:.2f}", f"{growth:.2f}")
    return table


def _add_row(table: Table, what: str, size: str, values: Sequence[float], *more: str) -> None:
    table.add_row(what, size, str(len(values)), f"{p50(values):.2f}", f"{p95(values):.2f}", *more)


def _breakdown(samples: Samples, what: str, steps: Sequence[str]) -> Table:
    table = Table(title=f"Of the {what}, p50 / p95 ms")
    table.add_column("")
    sizes = sorted(samples.runs)
    for size in sizes:
        table.add_column(f"{size:,} facts", justify="right")
    for step in steps:
        laps = [samples.runs[size][what][step] for size in sizes]
        table.add_row(step, *(f"{p50(each):.2f} / {p95(each):.2f}" for each in laps))
    return table
