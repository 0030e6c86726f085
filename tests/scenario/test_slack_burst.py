"""Fifty messages at once while the model says nothing: taken in, commands answered, and then answered in order."""

import pytest

from tests.fixtures.slack import SlackMachine
from tests.fixtures.slack_crowd import SlackCrowd

pytestmark = pytest.mark.timeout(240)
_THREADS = 10
_MESSAGES = 5
_PATIENCE_S = 100


async def test_a_burst_waits_for_the_model_and_nothing_else_does(slack: SlackMachine) -> None:
    """Every event is acknowledged and every command answered before the model says a word; then all is, in order."""
    process = await slack.start()
    process.model.gate.clear()
    bob = slack.team.user("bob")
    crowd = SlackCrowd(slack.server, slack.team, _THREADS)
    for _ in range(_MESSAGES):
        await crowd.says()
    await crowd.until_taken(within_s=_PATIENCE_S)
    shown = [
        await bob.slash("/remember", "I deploy with ArgoCD.", bob.dm),
        await bob.slash("/memories", "argocd", bob.dm),
        await bob.slash("/forget", "last", bob.dm),
    ]
    answered_before = [thread for thread in crowd.threads if thread.finished]
    process.model.gate.set()
    await crowd.until_answered(within_s=_PATIENCE_S)

    assert answered_before == []
    assert [seen.error for seen in shown] == [None] * 3
    assert ["ArgoCD" in seen.text for seen in shown[:2]] == [True, True]
    assert "Forgotten: 1 fact" in shown[2].text
    asked = [request.message.text for request in process.model.asked]
    for number in range(_THREADS):
        expected = [f"message {count} of {number}" for count in range(1, _MESSAGES + 1)]
        assert [text for text in asked if text.endswith(f" of {number}")] == expected
    assert [len(answers) for answers in crowd.shown] == [_MESSAGES] * _THREADS
    assert all(answer.startswith("answer ") for answers in crowd.shown for answer in answers)
