"""Pins: literals found by code and carried past every summary."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.model import Message, MessageId, Person, Pin, Role, SessionId, UserId
from memory.pins import literals, merge_pins
from memory.tokens import count_tokens

_ANA = Person(user_id=UserId("ana"), name="Ana")


def _said(number: int, text: str, *, assistant: bool = False) -> Message:
    return Message(
        message_id=MessageId(number),
        session_id=SessionId("s"),
        role=Role.ASSISTANT if assistant else Role.USER,
        author=None if assistant else _ANA,
        text=text,
        sent_at=datetime(2026, 11, 2, tzinfo=UTC),
    )


def _pin(text: str, number: int = 1, *, said_by: Role = Role.USER) -> Pin:
    return Pin(text=text, kind="id", said_by=said_by, message_id=MessageId(number))


@pytest.mark.parametrize(
    ("text", "literal", "kind"),
    [
        ("edit /etc/nginx/nginx.conf now", "/etc/nginx/nginx.conf", "path"),
        ("in ~/charts/api/", "~/charts/api/", "path"),
        ("see values.yaml.", "values.yaml", "path"),
        ("run `kubectl get pods -n prod` first", "kubectl get pods -n prod", "command"),
        ("do this:\n$ terraform apply -auto-approve", "terraform apply -auto-approve", "command"),
        ("helm rollback api 3", "helm rollback api 3", "command"),
        ("now at v1.31.2, fine", "v1.31.2", "version"),
        ("Python 3.11 only", "3.11", "version"),
        ("ticket PROD-1234.", "PROD-1234", "id"),
        ("got ERR_CONN_42 again", "ERR_CONN_42", "id"),
        ("pod checkout-api-7f9c died", "checkout-api-7f9c", "id"),
        ("commit 9fcfe6a broke it", "9fcfe6a", "id"),
        ("trace 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000", "id"),
        ("merged PR 260", "PR 260", "id"),
        ("at 10.0.0.5:8080 since", "10.0.0.5:8080", "host"),
        ("use db.prod.internal here", "db.prod.internal", "host"),
        ("open https://grafana.example.com/d/abc?x=1, please", "https://grafana.example.com/d/abc?x=1", "url"),
        ("limit is 512 MiB", "512 MiB", "number"),
        ("at 90% cpu", "90%", "number"),
        ("port 6443 is closed", "6443", "number"),
        ("asked Grace Hopper about it", "Grace Hopper", "name"),
        ('called the "billing freeze" by all', "billing freeze", "name"),
    ],
)
def test_literals_finds_what_must_not_be_reworded(text: str, literal: str, kind: str) -> None:
    """Each kind of literal comes out verbatim, without the punctuation of its sentence."""
    assert (literal, kind) in literals(text)


def test_literals_are_in_order_and_once() -> None:
    """A literal comes once, where it was first said, and not in pieces as well."""
    assert [text for text, _ in literals("PROD-1 then 10.0.0.5:8080, then PROD-1")] == ["PROD-1", "10.0.0.5:8080"]


@given(st.text(alphabet="aB1-./:`$ \n#%vPR", max_size=300))
def test_literals_are_verbatim(text: str) -> None:
    """Whatever the text, every literal stands in it."""
    assert all(literal and literal in text for literal, _ in literals(text))


def test_literals_of_a_pasted_log_are_bounded() -> None:
    """A long log gives its first literals, not thousands."""
    assert 0 < len(literals("10.0.0.1 GET /a 200 5ms\n" * 10_000)) <= 60


def test_merge_keeps_old_pins_and_adds_new_ones_first() -> None:
    """New literals come before old ones, people's before the assistant's, each once."""
    old = (_pin("PROD-1"), _pin("PROD-2", said_by=Role.ASSISTANT))
    merged = merge_pins(old, [_said(5, "PROD-3 and PROD-1"), _said(6, "try PROD-4", assistant=True)], 500)

    assert [pin.text for pin in merged] == ["PROD-3", "PROD-1", "PROD-4", "PROD-2"]
    assert merged[0].message_id == 5
    assert merged[1].message_id == 1


def test_merge_gives_a_literal_to_the_person_who_repeats_it() -> None:
    """What only the assistant had said becomes a person's pin when a person says it."""
    (merged,) = merge_pins((_pin("PROD-2", said_by=Role.ASSISTANT),), [_said(9, "yes PROD-2")], 500)

    assert (merged.said_by, merged.message_id) == (Role.USER, 9)


def test_merge_drops_the_assistants_and_the_oldest_first() -> None:
    """Over the cap the assistant's literals go before any of a person's."""
    turns = [_said(1, "PROD-1"), _said(2, "PROD-2", assistant=True), _said(3, "PROD-3")]
    cap = sum(count_tokens(text) + 2 for text in ("PROD-3", "PROD-1"))

    assert [pin.text for pin in merge_pins((), turns, cap)] == ["PROD-3", "PROD-1"]


@given(
    st.lists(st.lists(st.integers(1, 40), max_size=5), max_size=8),
    st.integers(0, 200),
)
def test_pins_below_the_cap_survive_every_merge(turns: list[list[int]], cap: int) -> None:
    """As long as all literals fit, none is ever lost; never is the cap passed."""
    pins: tuple[Pin, ...] = ()
    said: set[str] = set()
    for number, tickets in enumerate(turns, start=1):
        words = [f"PROD-{ticket}" for ticket in tickets]
        said |= set(words)
        pins = merge_pins(pins, [_said(number, " then ".join(words))], cap)
        spent = sum(count_tokens(pin.text) + 2 for pin in pins)

        assert spent <= cap
        assert len({pin.text for pin in pins}) == len(pins)

    if sum(count_tokens(text) + 2 for text in said) <= cap:
        assert {pin.text for pin in pins} == said


def test_a_repeated_merge_changes_nothing() -> None:
    """Folding the same turns again gives the same pins."""
    turns = [_said(1, "PROD-1 at /etc/hosts"), _said(2, "v1.2.3", assistant=True)]
    once = merge_pins((), turns, 500)

    assert merge_pins(once, turns, 500) == once
