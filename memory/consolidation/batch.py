"""New turns as a model under extraction sees them: under labels, with speakers as letters, as data. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from string import ascii_uppercase

from memory.fences import as_data, as_name, escape
from memory.model import Fact, LabelledFact, LabelledMessage, Message, Person, Role, UserId
from memory.model.work import ExtractionBatch
from memory.tokens import clip_to_tokens, count_tokens

_MESSAGE_TOKENS = 1_200  # what people say of themselves fits; a pasted log is not learned from anyway


def oldest_within(batch: ExtractionBatch, *, max_tokens: int) -> ExtractionBatch:
    """Return the beginning of a batch that one prompt holds, at least a turn of it; the rest is a batch of its own."""
    kept: list[Message] = []
    left = max_tokens
    for message in batch.messages:
        left -= min(count_tokens(message.text), _MESSAGE_TOKENS)
        if left < 0 and kept and message.role is Role.USER:
            break
        kept.append(message)
    ids = {message.message_id for message in kept}
    versions = {message_id: version for message_id, version in batch.versions.items() if message_id in ids}
    return replace(batch, messages=tuple(kept), versions=versions)


def label_messages(batch: ExtractionBatch) -> tuple[LabelledMessage, ...]:
    """Return all messages of the batch, people's and Recall's, under the labels 1, 2, 3 and so on."""
    return tuple(LabelledMessage(label=label, message=message) for label, message in enumerate(batch.messages, start=1))


def speaker_letters(batch: ExtractionBatch) -> dict[str, Person]:
    """Return the people of the batch by letter, in order of first appearance; a later display name wins."""
    people: dict[UserId, Person] = {}
    for message in batch.messages:
        if message.author is not None:
            people[message.author.user_id] = message.author
    return dict(zip(_letters(), people.values(), strict=False))


def _letters() -> Iterator[str]:
    """Yield A to Z, then AA to AZ, BA and so on."""
    yield from ascii_uppercase
    for first in _letters():
        yield from (first + second for second in ascii_uppercase)


def render_batch(
    batch: ExtractionBatch,
    messages: Sequence[LabelledMessage],
    facts: Sequence[LabelledFact],
    existing: Iterable[Fact],
) -> str:
    """Return the prompt: who speaks, what is known already, and the new turns, all of it fenced as data.

    Args:
        batch: The new turns.
        messages: As `label_messages` gives them.
        facts: What is known, under labels.
        existing: The same facts, for whom they are about.
    """
    letters = {person.user_id: letter for letter, person in speaker_letters(batch).items()}
    owners = {fact.fact_id: fact.owner for fact in existing}
    speakers = [f"{letter}: {as_name(person.name)}" for letter, person in speaker_letters(batch).items()]
    known = [_fact_line(fact, owners, letters) for fact in facts]
    turns = [_turn(one, letters) for one in messages]
    return "\n".join(
        (
            "<speakers>", *speakers, "</speakers>",
            "<existing_facts>", *known, "</existing_facts>",
            f'<turns thread="{as_name(batch.thread_title)}">', *turns, "</turns>",
        )
    )  # fmt: skip


def _fact_line(fact: LabelledFact, owners: dict[int, UserId], letters: dict[UserId, str]) -> str:
    owner = owners.get(fact.fact_id)
    about = "team" if fact.subject == "team" or owner is None else letters.get(owner, "somebody else")
    return f"{fact.label}. ({about}, {fact.said_at.date().isoformat()}) {as_data(fact.text)}"


def _turn(one: LabelledMessage, letters: dict[UserId, str]) -> str:
    """Return a message under its label; later lines are indented, so that no text can pose as another turn."""
    message = one.message
    at = message.sent_at.strftime("%Y-%m-%d %H:%M")
    text = escape(clip_to_tokens(message.text, _MESSAGE_TOKENS))
    return f"[{one.label}] {_speaker(message, letters)}, {at} UTC: " + "\n    ".join(text.splitlines())


def _speaker(message: Message, letters: dict[UserId, str]) -> str:
    return letters[message.author.user_id] if message.author is not None else "Recall"
