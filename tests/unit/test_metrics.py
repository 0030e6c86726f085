"""What the metrics page says after what was recorded."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from bots.metrics import Metrics, Outcome
from memory.errors import MalformedReplyError, ProviderError, ProviderRefusedError, ProviderUnavailableError
from memory.model import About, Everything, ForgetTarget, Last, Numbered, SessionId, ThisMessage, ThisThread


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the page's values by name and values of labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
    }


def test_turns_are_counted_by_platform_and_outcome() -> None:
    """Each outcome is there from the start, so that its rate is known."""
    metrics = Metrics()
    slack = metrics.platform("slack")
    slack.turn_ended("answered", seconds=4.0)
    slack.turn_ended("answered", seconds=6.0)
    slack.turn_ended("failed", seconds=1.0)
    slack.first_token(seconds=0.25)

    shown = samples(metrics)
    counts = {outcome: shown["recall_turns_total", (outcome, "slack")] for outcome in get_args(Outcome)}
    assert counts == {"answered": 2, "failed": 1, "stopped": 0, "lost": 0, "handed_over": 0}
    assert shown["recall_turn_seconds_sum", ("slack",)] == 11.0
    assert shown["recall_first_token_seconds_count", ("slack",)] == 1


def test_a_platform_can_be_asked_for_twice() -> None:
    """Both recorders count into the same series, apart from other platforms."""
    metrics = Metrics()
    for name in ("slack", "discord", "slack"):
        recorder = metrics.platform(name)
        recorder.rate_limited()
        recorder.queued(3)

    shown = samples(metrics)
    assert shown["recall_platform_rate_limited_total", ("slack",)] == 2
    assert shown["recall_platform_rate_limited_total", ("discord",)] == 1
    assert shown["recall_queue_length", ("slack",)] == 3


def test_sockets_show_whether_and_when_they_live() -> None:
    """A socket that went down keeps the time at which it was last heard."""
    metrics = Metrics()
    discord = metrics.platform("discord")
    discord.socket(0, connected=True, heard_at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    discord.socket(1, connected=True, heard_at=datetime(2026, 11, 2, 9, 5, tzinfo=UTC))
    discord.socket(0, connected=False)

    shown = samples(metrics)
    assert shown["recall_platform_socket_connected", ("discord", "0")] == 0
    assert shown["recall_platform_socket_connected", ("discord", "1")] == 1
    nine = datetime(2026, 11, 2, 9, 0, tzinfo=UTC).timestamp()
    assert shown["recall_platform_socket_heard_timestamp_seconds", ("discord", "0")] == nine


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderUnavailableError("anthropic", "overloaded"), "unavailable"),
        (ProviderRefusedError("anthropic", "no credit", reason="quota"), "quota"),
        (ProviderRefusedError("anthropic", "bad key", reason="access"), "access"),
        (MalformedReplyError("anthropic", "no JSON"), "malformed"),
    ],
)
def test_model_errors_are_counted_by_kind(error: ProviderError, kind: str) -> None:
    """The text of an error never becomes a label."""
    metrics = Metrics()
    metrics.model_failed(error)

    counts = {
        labels: value for (name, labels), value in samples(metrics).items() if name == "recall_model_errors_total"
    }
    assert counts == {
        (each,): float(each == kind) for each in ("unavailable", "malformed", "access", "quota", "content")
    }


@pytest.mark.parametrize(
    ("target", "label"),
    [
        (Numbered(number=7), "number"),
        (Last(), "last"),
        (ThisThread(session_id=SessionId("slack:T1:C1:1")), "thread"),
        (About(words="the merger"), "about"),
        (ThisMessage(session_id=SessionId("slack:T1:C1:1"), platform_message_id="1.7"), "message"),
        (Everything(), "everything"),
    ],
)
def test_forgetting_is_counted_without_what_was_forgotten(target: ForgetTarget, label: str) -> None:
    """Only the kind of request is shown."""
    metrics = Metrics()
    metrics.forgot(target)

    assert samples(metrics)["recall_forgets_total", (label,)] == 1
    assert b"merger" not in metrics.page()
    assert b"T1" not in metrics.page()


def test_memories_and_facts_are_counted() -> None:
    """By kind of memory, and by where a fact came from."""
    metrics = Metrics()
    metrics.recalled("fact", 3)
    metrics.recalled("episode", 0)
    metrics.facts_written("swept", 2)

    shown = samples(metrics)
    assert shown["recall_memories_recalled_total", ("fact",)] == 3
    assert shown["recall_memories_recalled_total", ("episode",)] == 0
    assert shown["recall_facts_written_total", ("swept",)] == 2


def test_feedback_is_counted_by_platform_and_verdict() -> None:
    """Both verdicts are there from the start."""
    metrics = Metrics()
    metrics.platform("slack").feedback("bad")

    shown = samples(metrics)
    counts = {verdict: shown["recall_feedback_total", ("slack", verdict)] for verdict in ("good", "bad")}
    assert counts == {"good": 0, "bad": 1}


def test_the_registry_is_the_callers() -> None:
    """Two processes of a test do not share what they count, and a caller can add to the page."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.recalled("fact", 1)

    assert registry.get_sample_value("recall_memories_recalled_total", {"kind": "fact"}) == 1
    assert samples(Metrics())["recall_memories_recalled_total", ("fact",)] == 0
