"""What operators can measure: counters, gauges and histograms with bounded labels, and the page that shows them.

Whoever does something tells a recorder; nothing here asks anyone, and no name of a person, place or thread gets in.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from memory.errors import MalformedReplyError, ProviderError, ProviderRefusedError, Refusal
from memory.model import About, Everything, ForgetTarget, Last, Numbered, ThisMessage, ThisThread
from memory.model.ids import KeyKind

PlatformName = Literal["slack", "discord", "console"]
Outcome = Literal["answered", "failed", "stopped", "lost", "handed_over"]
"""How a turn ended; a lost or handed over one ends in another process."""
Origin = Literal["swept", "remembered"]
"""A fact comes from the sweep over quiet threads, or somebody asked for it to be remembered."""
Verdict = Literal["good", "bad"]
"""What a reader says of an answer."""
ModelFault = Literal["unavailable", "malformed", Refusal]

_TARGETS: dict[type[ForgetTarget], str] = {
    Numbered: "number",
    Last: "last",
    ThisThread: "thread",
    ThisMessage: "message",
    About: "about",
    Everything: "everything",
}
_TURN_S = (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300)
_FIRST_TOKEN_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)


class Metrics:
    """All that is measured in a process.

    Args:
        registry: Where the metrics are; one of its own when None. Never the library's global one.
    """

    CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._registry = CollectorRegistry() if registry is None else registry
        ProcessCollector(registry=self._registry)
        self._model_errors = _counter(
            self._registry, "recall_model_errors", "Calls of the language model that failed.", kind=_texts(ModelFault)
        )
        self._recalled = _counter(
            self._registry, "recall_memories_recalled", "Memories that answers were given.", kind=_texts(KeyKind)
        )
        self._facts = _counter(self._registry, "recall_facts_written", "Facts that were stored.", origin=_texts(Origin))
        self._forgets = _counter(
            self._registry, "recall_forgets", "Requests to forget that were carried out.", target=_TARGETS.values()
        )
        self._platforms = _PlatformFamilies(self._registry)

    def platform(self, name: PlatformName) -> "PlatformMetrics":
        """Return the recorder of one platform."""
        return PlatformMetrics(self, self._platforms, name)

    def model_failed(self, error: ProviderError) -> None:
        """Count a failed call of the model."""
        self._model_errors.labels(_fault(error)).inc()

    def recalled(self, kind: KeyKind, count: int) -> None:
        """Count memories that an answer was given."""
        self._recalled.labels(kind).inc(count)

    def facts_written(self, origin: Origin, count: int) -> None:
        """Count facts that were stored."""
        self._facts.labels(origin).inc(count)

    def forgot(self, target: ForgetTarget) -> None:
        """Count a request to forget that was carried out."""
        self._forgets.labels(_TARGETS[type(target)]).inc()

    def page(self) -> bytes:
        """Return everything as Prometheus reads it; any thread may ask."""
        return generate_latest(self._registry)


class PlatformMetrics:
    """What one platform's delivery and sockets tell; they need not know which platform that is.

    Attributes:
        overall: What is measured for all platforms together.
    """

    def __init__(self, overall: Metrics, families: "_PlatformFamilies", name: PlatformName) -> None:
        self.overall = overall
        self._feedback = families.feedback
        self._turns = families.turns
        self._name = name
        self._turn_s = families.turn_s.labels(name)
        self._first_token_s = families.first_token_s.labels(name)
        self._queue = families.queue.labels(name)
        self._rate_limited = families.rate_limited.labels(name)
        self._connected = families.connected
        self._heard_at = families.heard_at
        for outcome in _texts(Outcome):
            self._turns.labels(name, outcome)  # is 0 from the start: a rate of what appears out of nothing is nothing
        for verdict in _texts(Verdict):
            self._feedback.labels(name, verdict)

    def turn_ended(self, outcome: Outcome, *, seconds: float) -> None:
        """Count a turn that ended, and the seconds since its message was accepted."""
        self._turns.labels(self._name, outcome).inc()
        self._turn_s.observe(seconds)

    def first_token(self, *, seconds: float) -> None:
        """Note how long a message waited for the first words of its answer."""
        self._first_token_s.observe(seconds)

    def feedback(self, verdict: Verdict) -> None:
        """Count what a reader said of an answer."""
        self._feedback.labels(self._name, verdict).inc()

    def queued(self, length: int) -> None:
        """Note how many accepted messages wait for their turn in this process."""
        self._queue.set(length)

    def rate_limited(self) -> None:
        """Count a call that the platform told to come back later (429)."""
        self._rate_limited.inc()

    def socket(self, number: int, *, connected: bool, heard_at: datetime | None = None) -> None:
        """Note the state of a socket or shard.

        Args:
            number: Which one, from 0; a new connection takes the number of the one it replaces.
            connected: Whether it is up.
            heard_at: When anything last came through it; unchanged if None.
        """
        self._connected.labels(self._name, str(number)).set(connected)
        if heard_at is not None:
            self._heard_at.labels(self._name, str(number)).set(heard_at.timestamp())


class _PlatformFamilies:
    """The metrics that have one set of values for each platform."""

    def __init__(self, registry: CollectorRegistry) -> None:
        label = ("platform",)
        self.turns = Counter("recall_turns", "Turns that ended.", (*label, "outcome"), registry=registry)
        self.turn_s = Histogram(
            "recall_turn_seconds",
            "From the acceptance of a message to the end of its turn.",
            label,
            buckets=_TURN_S,
            registry=registry,
        )
        self.first_token_s = Histogram(
            "recall_first_token_seconds",
            "From the acceptance of a message to the first words of its answer.",
            label,
            buckets=_FIRST_TOKEN_S,
            registry=registry,
        )
        self.feedback = Counter(
            "recall_feedback", "What readers said of answers.", (*label, "verdict"), registry=registry
        )
        self.queue = Gauge(
            "recall_queue_length", "Accepted messages that wait for their turn here.", label, registry=registry
        )
        self.rate_limited = Counter(
            "recall_platform_rate_limited", "Calls that the platform answered with 429.", label, registry=registry
        )
        socket = (*label, "socket")
        self.connected = Gauge(
            "recall_platform_socket_connected", "1 while a socket or shard is up.", socket, registry=registry
        )
        self.heard_at = Gauge(
            "recall_platform_socket_heard_timestamp_seconds",
            "When anything last came through a socket or shard; its age is time() minus this.",
            socket,
            registry=registry,
        )


def _counter(registry: CollectorRegistry, name: str, meaning: str, **labels: Iterable[str]) -> Counter:
    """Make a counter with one label, which is 0 for each of its values from the start."""
    ((label, values),) = labels.items()
    counter = Counter(name, meaning, (label,), registry=registry)
    for value in values:
        counter.labels(value)
    return counter


def _texts(literal: object) -> Sequence[str]:
    """Return the values of a Literal."""
    return get_args(literal)


def _fault(error: ProviderError) -> ModelFault:
    match error:
        case ProviderRefusedError():
            return error.reason
        case MalformedReplyError():
            return "malformed"
        case _:
            return "unavailable"
