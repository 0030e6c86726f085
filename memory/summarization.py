"""The running summary: turns that leave short-term memory are folded into it, and their literals are pinned by code."""

from collections.abc import Sequence
from dataclasses import dataclass

from memory.attached import mention
from memory.errors import ProviderError
from memory.fences import as_name, escape
from memory.model import Message, Role, SessionId, Summary, SummaryRequest, ThreadState
from memory.pins import merge_pins
from memory.ports import LanguageModel, MessageStore
from memory.prompts import load_prompt
from memory.short_term import ShortTermMemory
from memory.tokens import clip_to_tokens, count_tokens

_ALL = 10_000
"""More unsummarised messages than any thread has; folding must start at the oldest."""
_FOLD_TOKENS = 6_000
"""Turns of at most this many tokens are folded by one model call; of a longer one, as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPolicy:
    """Bounds of short-term memory.

    Attributes:
        recent_turns: At most this many of people's messages stay verbatim.
        recent_tokens: And at most this many tokens.
        summary_tokens: Limit of the summary's text.
        pin_tokens: Limit of the pinned literals.
    """

    recent_turns: int = 20
    recent_tokens: int = 12_000
    summary_tokens: int = 600
    pin_tokens: int = 600


def leaving_turns(messages: Sequence[Message], policy: SummaryPolicy) -> tuple[Message, ...]:
    """Return the oldest turns to fold now; empty while everything fits.

    Once the bound is passed, half of it is kept, so that a thread is folded every so many turns and not at each one.
    A reply leaves together with the message it answers, and the newest turn never leaves.
    """
    turns = _turns(messages)
    sizes = [sum(count_tokens(message.text) for message in turn) for turn in turns]
    if len(turns) <= policy.recent_turns and sum(sizes) <= policy.recent_tokens:
        return ()
    kept = kept_tokens = 0
    for size in reversed(sizes):
        if kept and (kept >= max(1, policy.recent_turns // 2) or kept_tokens + size > policy.recent_tokens // 2):
            break
        kept += 1
        kept_tokens += size
    leaving: list[Message] = []
    taken = 0
    for turn, size in zip(turns[: len(turns) - kept], sizes, strict=False):
        if leaving and taken + size > _FOLD_TOKENS:
            break
        leaving.extend(turn)
        taken += size
    return tuple(leaving)


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Group each person's message with the replies that follow it."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append([message])
        else:
            turns[-1].append(message)
    return turns


class Summarizer:
    """Keeps threads within their bounds, off the reply path."""

    def __init__(
        self, *, messages: MessageStore, short_term: ShortTermMemory, model: LanguageModel, policy: SummaryPolicy
    ) -> None:
        self._messages = messages
        self._short_term = short_term
        self._model = model
        self._policy = policy

    async def fold(self, session_id: SessionId) -> int:
        """Fold until the thread is within its bounds; return how many messages left.

        A forget or an edit that comes in between wins: its rebuilt thread is read and folded instead.

        Raises:
            ProviderError: The model failed; nothing is lost, the turns stay where they are until the next time.
        """
        folded = 0
        while True:
            thread = await self._messages.load_thread(session_id, limit=_ALL)
            leaving = leaving_turns(thread.messages, self._policy)
            if not leaving:
                if folded:
                    await self._short_term.refresh(thread)
                return folded
            if await self._messages.save_summary(thread.head, await self._summarize(thread, leaving)) is not None:
                folded += len(leaving)

    async def _summarize(self, thread: ThreadState, leaving: tuple[Message, ...]) -> Summary:
        old = thread.summary
        text = await self._model.summarize(
            SummaryRequest(
                system=load_prompt("summary"),
                prompt=render_fold(old.text, leaving),
                old_summary=old.text,
                leaving=leaving,
                max_tokens=self._policy.summary_tokens,
            )
        )
        if not text.strip():
            raise ProviderError(self._model.model_name, "an empty summary")
        return Summary(
            text=clip_to_tokens(text.strip(), self._policy.summary_tokens),
            pins=merge_pins(old.pins, leaving, max_tokens=self._policy.pin_tokens),
            through=leaving[-1].message_id,
        )


def render_fold(old_summary: str, leaving: Sequence[Message]) -> str:
    """Return what the model is to fold: the old summary and the turns that leave, as data, within bounds.

    Later lines of a message are indented, so that no text can pose as another turn.
    """
    total = sum(count_tokens(message.text) for message in leaving)
    limit = _FOLD_TOKENS if total <= _FOLD_TOKENS else _FOLD_TOKENS // len(leaving)
    lines = [f"<old_summary>\n{escape(old_summary) or '(none yet)'}\n</old_summary>", "<leaving_turns>"]
    for message in leaving:
        speaker = as_name(message.author.name) if message.author else "Recall"
        said = [*clip_to_tokens(escape(message.text), limit).splitlines(), *filter(None, [mention(message)])]
        lines.append(f"[{message.sent_at:%Y-%m-%d %H:%M}] {speaker}: " + "\n    ".join(said))
    lines.append("</leaving_turns>")
    return "\n".join(lines)
