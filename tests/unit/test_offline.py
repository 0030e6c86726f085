"""The model that is none: what it learns, what it leaves alone, and what it quotes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.consolidation import decide, label_messages
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    FactOperation,
    LabelledFact,
    Message,
    Recallable,
    Recalled,
    ReplyDone,
    ReplyRequest,
    SummaryRequest,
    TextDelta,
    ToolCall,
    fact_key,
)
from memory.model.work import ExtractionBatch, ExtractionClaim, Lease
from memory.providers.offline import OfflineModel
from memory.tokens import count_tokens
from tests.fakes.values import NOON, TENANT, dm, person, said


def batch_of(*messages: Message) -> ExtractionBatch:
    """Return new turns of a thread."""
    people = [message for message in messages if message.author is not None]
    return ExtractionBatch(
        messages=messages,
        versions={message.message_id: message.version for message in people},
        thread_epoch=0,
        author_epochs={message.author.user_id: 0 for message in people if message.author},
    )


def request_of(*messages: Message, known: Sequence[tuple[str, str]] = ()) -> ExtractionRequest:
    """Return a request to learn from messages; `known` are existing facts: subject and text."""
    facts = [
        LabelledFact(label=label, fact_id=label + 100, text=text, subject=subject, said_at=NOON)
        for label, (subject, text) in enumerate(known, start=1)
    ]
    return ExtractionRequest(
        system="", prompt="", messages=label_messages(batch_of(*messages)), facts=tuple(facts), max_tokens=1_000
    )


async def learn(text: str, *, known: Sequence[tuple[str, str]] = ()) -> list[FactOperation]:
    """Return what one message teaches."""
    reply = await OfflineModel().extract(request_of(said(1, text), known=known))
    return reply.facts


@pytest.mark.parametrize(
    ("text", "subject", "fact"),
    [
        (
            "hello, I run EKS 1.31 in eu-west-1 and deploy with ArgoCD.",
            "A",
            "I run EKS 1.31 in eu-west-1 and deploy with ArgoCD.",
        ),
        ("I prefer kubectl over the console.", "A", "I prefer kubectl over the console."),
        ("my shell is fish", "A", "My shell is fish."),
        ("we deploy with ArgoCD", "team", "We deploy with ArgoCD."),
        ("our prod cluster runs EKS 1.31", "team", "Our prod cluster runs EKS 1.31."),
        ("the staging cluster is called blue-heron-42", "team", "The staging cluster is called blue-heron-42."),
        ("call me Sam", "A", "Call me Sam."),
        ("Hi! btw, my timezone is Europe/Berlin.", "A", "My timezone is Europe/Berlin."),
        ("I'm an SRE on the platform team", "A", "I'm an SRE on the platform team."),
        ("prod is EKS in eu-west-1", "team", "Prod is EKS in eu-west-1."),
        ("checkout-api listens on port 8443", "team", "Checkout-api listens on port 8443."),
        ("We moved to ArgoCD from Jenkins in March 2026.", "team", "We moved to ArgoCD from Jenkins in March 2026."),
        ("We don't deploy on Fridays.", "team", "We don't deploy on Fridays."),
        ("Remember that the VPN drops every hour.", "team", "The VPN drops every hour."),
        ("- my editor is **helix**", "A", "My editor is helix."),
    ],
)
async def test_own_statements_become_facts(text: str, subject: str, fact: str) -> None:
    """A person's statement about themselves or their environment is kept in their words, under the right subject."""
    (operation,) = await learn(text)

    assert (operation.operation, operation.subject, operation.text) == ("add", subject, fact)
    assert operation.messages == [1]


async def test_each_statement_of_a_message_is_a_fact() -> None:
    """Sentences, and statements joined by "and", are separate facts; a question between them is none."""
    operations = await learn("I prefer vim and my shell is fish. What is DNS? Our database is Postgres 16.")

    assert [operation.text for operation in operations] == [
        "I prefer vim.",
        "My shell is fish.",
        "Our database is Postgres 16.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "what is my shell?",
        "is the staging cluster up",
        "the staging cluster is down",
        "my pod is crashing",
        "our prod cluster is failing",
        "the service is in a weird state",
        "I think we use EKS",
        "if we moved to GKE it would be cheaper",
        "we should use Helm",
        "I have a question",
        "we have an outage",
        "it is broken",
        "my question is about DNS",
        "restart the pod",
        "please show me the logs of the checkout service",
        "I want you to check prod",
        "I need help with DNS",
        "I love it",
        "I'm on call this week",
        "I restarted the pod",
        "we use Jenkins for that, right?",
        "> my shell is fish",
        "```\nmy shell is fish\n```",
        "2026-11-02T09:13:44Z INFO our prod cluster runs EKS 1.31",
        'He wrote "our prod cluster runs EKS 1.31 in the west" yesterday',
        "hello",
        "thanks!",
        "",
    ],
)
async def test_what_is_no_lasting_statement_teaches_nothing(text: str) -> None:
    """Questions, requests, guesses, passing states, quotes and logs are not learned."""
    assert await learn(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "our prod database password is [redacted: password]",
        "Our API key is [redacted: aws access key].",
        "I use [redacted: jwt] for staging",
    ],
)
async def test_where_a_secret_stood_nothing_is_learned(text: str) -> None:
    """The sentence beside it is; what is left of the other tells nothing."""
    assert await learn(text) == []
    (operation,) = await learn(f"{text}\nMy shell is fish.")
    assert operation.text == "My shell is fish."


async def test_recalls_own_replies_teach_nothing() -> None:
    """Only people's words are learned from."""
    reply = await OfflineModel().extract(request_of(said(1, "Our prod cluster runs EKS 1.31.", by=None)))

    assert reply == ExtractionReply()


@pytest.mark.parametrize(
    ("subject", "old", "new"),
    [
        ("person", "My shell is fish.", "my shell is zsh"),
        ("person", "Call me Sam.", "my name is Samira"),
        ("team", "The staging cluster is called blue-heron-42.", "our staging cluster is called red-fox-7"),
        ("team", "Our prod cluster runs EKS 1.29.", "our prod cluster now runs EKS 1.31"),
        ("team", "Staging is in us-east-2.", "staging is in eu-west-1"),
        ("person", "I prefer kubectl over helm.", "I prefer helm over kubectl"),
        ("team", "We use Jenkins.", "we moved from Jenkins to ArgoCD"),
    ],
)
async def test_a_new_value_takes_the_place_of_the_old(subject: str, old: str, new: str) -> None:
    """The same thing with another value is an update of the fact that said it."""
    (operation,) = await learn(new, known=[("team", "We log to Loki."), (subject, old)])

    assert (operation.operation, operation.label) == ("update", 2)


@pytest.mark.parametrize(
    ("subject", "old", "new"),
    [
        ("team", "Our prod cluster runs EKS 1.31.", "our prod cluster runs Istio"),
        ("team", "Our prod cluster runs EKS 1.31.", "our staging cluster runs EKS 1.32"),
        ("team", "We use Terraform 1.8.", "we now use Helm"),
        ("team", "We own PR 260.", "we own PR 480"),
        ("team", "We run cluster prod-1.", "we run cluster prod-2"),
        ("team", "Prod is EKS in eu-west-1.", "prod is owned by platform"),
        ("team", "We deploy on Fridays.", "we never deploy on Fridays"),
        ("person", "I prefer vim.", "I prefer dark mode"),
        ("team", "The staging shell is fish.", "my shell is zsh"),
    ],
)
async def test_unrelated_facts_are_never_replaced(subject: str, old: str, new: str) -> None:
    """Another thing, another subject or another id stands beside what was known."""
    (operation,) = await learn(new, known=[(subject, old)])

    assert (operation.operation, operation.label) == ("add", None)


async def test_saying_it_again_confirms() -> None:
    """The same statement in other capitals and filler words confirms the fact."""
    (operation,) = await learn("the Staging cluster is still called blue-heron-42!", known=[
        ("team", "Our staging cluster is called blue-heron-42.")
    ])  # fmt: skip

    assert (operation.operation, operation.label) == ("confirm", 1)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("We use Jenkins.", "we no longer use Jenkins"),
        ("We use Jenkins.", "We don't use Jenkins anymore."),
        ("Staging is in us-east-2.", "staging is no longer in us-east-2"),
    ],
)
async def test_no_longer_retracts(fact: str, text: str) -> None:
    """A statement that something is no longer so ends the fact that says it is, and is not a fact itself."""
    (operation,) = await learn(text, known=[("team", fact), ("team", "We use Loki.")])

    assert (operation.operation, operation.label) == ("retract", 1)


async def test_speakers_have_letters_in_order_of_appearance() -> None:
    """What two people say of themselves is about each of them."""
    reply = await OfflineModel().extract(
        request_of(said(1, "my shell is fish"), said(2, "noted", by=None), said(3, "my shell is zsh", by="bo"))
    )

    assert [(fact.subject, fact.text) for fact in reply.facts] == [
        ("A", "My shell is fish."),
        ("B", "My shell is zsh."),
    ]


async def test_what_it_learns_passes_the_rules_for_every_model() -> None:
    """Code that judges any model's proposals lets all of it stand."""
    messages = (
        said(1, "My shell is fish. We deploy with ArgoCD and our prod cluster runs EKS 1.31."),
        said(2, "The payments pods crashed after the 4.2 rollout with exit code 137 on all nodes."),
        said(3, "Kept.", by=None),
        said(4, "Raising the memory limit to 512Mi fixed the payments pods for good."),
    )
    request = request_of(*messages)

    outcome = decide(await OfflineModel().extract(request), batch_of(*messages), request, {}, claim=_claim())

    assert [fact.text for fact in outcome.added] == [
        "My shell is fish.",
        "We deploy with ArgoCD.",
        "Our prod cluster runs EKS 1.31.",
    ]
    assert outcome.episode is not None
    assert outcome.episode.title == "The payments pods crashed after the 4.2 rollout with exit…"
    assert outcome.episode.outcome == "Raising the memory limit to 512Mi fixed the payments pods for good."


async def test_small_talk_is_no_episode() -> None:
    """An episode needs two turns that tell of work; statements about oneself and questions do not."""
    reply = await OfflineModel().extract(
        request_of(said(1, "My shell is fish and I prefer vim."), said(2, "What is the name of our staging cluster?"))
    )

    assert reply.episode is None


def _claim() -> ExtractionClaim:
    place = dm("ana")
    lease = Lease(name="x", holder="test", fence=1)
    return ExtractionClaim(
        session_id=place.session_id,
        channel_id=place.channel_id,
        tenant_id=TENANT,
        audience=place.audience,
        lease=lease,
    )


def recalled(
    text: str, *, row: int = 1, days_ago: int = 1, similarity: float | None = 0.3, author: str = "ana"
) -> Recalled:
    """Return a remembered fact as retrieval gives it."""
    memory = Recallable(
        key=fact_key(row),
        kind="fact",
        owner=person(author).user_id,
        number=row,
        text=text,
        author=author,
        said_at=NOON - timedelta(days=days_ago),
        session_id=dm("ana", "older").session_id,
        thread="setting up",
    )
    return Recalled(memory=memory, similarity=similarity, score=1.0)


def question(text: str, *memories: Recalled, history: tuple[Message, ...] = ()) -> ReplyRequest:
    """Return a request as working memory builds it."""
    return ReplyRequest(
        system="",
        summary="",
        history=history,
        recalled=memories,
        memory_block="",
        message=said(99, text),
        max_tokens=1_000,
    )


async def answer(request: ReplyRequest) -> str:
    """Return the text of the answer."""
    events = [event async for event in OfflineModel().reply(request)]
    assert isinstance(events[-1], ReplyDone)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_it_quotes_what_bears_on_the_question() -> None:
    """The remembered sentence comes with date and thread; what has nothing to do with it stays out."""
    text = await answer(
        question(
            "What is the staging cluster called?",
            recalled("The staging cluster is called blue-heron-42."),
            recalled("My shell is fish.", row=2, similarity=0.05),
        )
    )

    assert "“The staging cluster is called blue-heron-42.” (2026-11-01, in “setting up”)" in text
    assert "fish" not in text


async def test_it_quotes_by_meaning_without_a_word_in_common() -> None:
    """A close vector is enough."""
    assert "fish" in await answer(question("which terminal do I have?", recalled("My shell is fish.", similarity=0.6)))


async def test_it_says_plainly_that_it_remembers_nothing() -> None:
    """Nothing that bears on the question: one plain line, no guess."""
    text = await answer(question("What is our Kafka retention?", recalled("My shell is fish.", similarity=0.1)))

    assert text == "I remember nothing about that."


async def test_it_quotes_this_thread() -> None:
    """What was said earlier in the thread is quoted as such; questions are not answers."""
    history = (said(1, "Staging is called blue-heron-42."), said(2, "what is staging called?"))

    text = await answer(question("What is staging called?", history=history))

    assert text.count("blue-heron-42") == 1
    assert "in this thread" in text
    assert "“what is staging called?”" not in text


async def test_quotes_are_the_five_best_without_repetition() -> None:
    """Best first, each thing once, at most five lines; another's words carry a name."""
    memories = [recalled(f"The staging cluster has rule number {n}.", row=n, similarity=n / 10) for n in range(1, 9)]
    again = recalled("the staging cluster has rule number 8", row=20, similarity=0.2, author="bo")
    other = recalled("The staging cluster name is blue-heron.", row=21, similarity=0.9, author="bo")

    lines = (await answer(question("staging cluster", *memories, again, other))).splitlines()
    quoted = [line for line in lines if line.startswith("- ")]

    assert len(quoted) <= 5
    assert len(quoted) == len(set(quoted))
    assert sum("rule number 8" in line for line in quoted) <= 1


async def test_of_two_values_only_the_newer_is_quoted() -> None:
    """A turn with the old value, recalled beside the newer one, is not quoted against it."""
    text = await answer(
        question(
            "What is my shell?",
            recalled("My shell is fish.", days_ago=9, similarity=0.9),
            recalled("My shell is zsh.", row=2, days_ago=1, similarity=0.8),
        )
    )

    assert "zsh" in text
    assert "fish" not in text


async def test_a_statement_is_acknowledged_without_a_claim_to_understand() -> None:
    """A statement gets one short line."""
    text = await answer(question("My shell is fish.", recalled("I prefer vim.")))

    assert text.startswith("Kept as you wrote it.")
    assert "vim" not in text


async def test_what_is_not_kept_is_not_said_to_be() -> None:
    """While memory is paused the line beside it says so, too."""
    request = question("My shell is fish.")
    text = await answer(replace(request, message=replace(request.message, kept=False)))

    assert text == "I have no model to understand that with, and I keep nothing of it now."


async def test_a_name_before_the_message_is_not_part_of_it() -> None:
    """In a thread of several people messages start with a name; the tool still gets the words alone."""
    request = question("")
    message = replace(request.message, text="ana: Remember that my shell is fish")

    events = [event async for event in OfflineModel().reply(replace(request, message=message))]

    assert [event.text for event in events if isinstance(event, ToolCall)] == ["my shell is fish"]


async def test_summary_keeps_what_it_has_room_for_newest_last() -> None:
    """The summary is the old one and a line per person's turn; where room is short the oldest lines go."""
    leaving = (
        said(1, "The rollout failed. More text."),
        said(2, "Sorry.", by=None),
        said(3, "> quoted\n\nWe rolled back."),
    )
    request = SummaryRequest(system="", prompt="", old_summary="Old line.", leaving=leaving, max_tokens=200)

    summary = await OfflineModel().summarize(request)
    short = await OfflineModel().summarize(replace(request, max_tokens=25))

    assert summary.splitlines() == [
        "Old line.",
        "2026-11-02 ana: The rollout failed.",
        "2026-11-02 ana: We rolled back.",
    ]
    assert "rolled back" in short
    assert "Old line" not in short
    assert count_tokens(short) <= 25


async def test_the_same_turns_teach_the_same() -> None:
    """Extraction is deterministic."""
    request = request_of(said(1, "My shell is fish. We deploy with ArgoCD."), known=[("person", "My shell is zsh.")])

    assert await OfflineModel().extract(request) == await OfflineModel().extract(request)
