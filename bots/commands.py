"""What a person can do with their memories by command, on every platform alike: show, remember, forget, why, export.

Takes words and gives words; which button, slash or shell brought them is the platform's business.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memory.errors import InputError
from memory.model import (
    About,
    Everything,
    ForgetPlan,
    ForgetTarget,
    Last,
    Memory,
    MemoryKey,
    Numbered,
    Person,
    Place,
    Recallable,
    Receipt,
    SessionId,
    ThisThread,
    UserId,
)
from memory.personal import PersonalMemory

TYPE_YES = "Type yes to go on; anything else keeps them."
CHANGED = "It has changed since I asked. This is what would go now:"
FORGET_USAGE = "Say what to forget: a number such as #7, last, this thread, about <words>, or everything."

_NUMBER = re.compile(r"#?([0-9]{1,9})")
_NUMBERS = re.compile(r"#?[0-9]+(?:[\s,]+#?[0-9]+)+")
_SHOWN_CHARS = 300
_PREVIEW_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command answers.

    Attributes:
        text: For the person, line by line.
        memories: What the lines stand for, in their order, for platforms that put buttons on them.
        recalled: For "why": the same for what an answer was given, which may be other people's.
        question: Set when the text asks whether to go on; `Commands.confirm` carries it out.
        plan: What was forgotten, when something was.
    """

    text: str
    memories: tuple[Memory, ...] = ()
    recalled: tuple[Recallable, ...] = ()
    question: ForgetPlan | None = None
    plan: ForgetPlan | None = None


class Commands:
    """The memory commands of one platform.

    Args:
        personal: A person's own memories.
        platform_copy: A sentence about the copy that the platform keeps of what is forgotten; empty when it keeps none.
        how_to_agree: What a question ends with: how to answer it.
    """

    def __init__(self, personal: PersonalMemory, *, platform_copy: str = "", how_to_agree: str = TYPE_YES) -> None:
        self._personal = personal
        self._platform_copy = platform_copy
        self._how_to_agree = how_to_agree

    async def show(self, owner: UserId, words: str = "", *, history: bool = False) -> CommandResult:
        """List the owner's memories, newest first; with `words`, those that have all of them."""
        memories = tuple(await self._personal.memories(owner, words, history=history))
        if memories:
            return CommandResult(text="\n".join(memory_line(memory) for memory in memories), memories=memories)
        wanted = " ".join(words.split())
        return CommandResult(
            text=f"No memory of yours has: {wanted}" if wanted else "Nothing is remembered of you yet."
        )

    async def remember(self, place: Place, person: Person, text: str, *, link: str | None = None) -> CommandResult:
        """Store one sentence at once; `link` is where it was said, when that can be opened.

        Raises:
            InputError: There is nothing to remember, or it is too long.
        """
        remembered = await self._personal.remember(place, person, text, link=link)
        lines = [f"Remembered: {memory_line(remembered.memory)}"]
        if remembered.findings:
            lines.append(f"Removed before it was stored: {counted_kinds(remembered.findings)}. Please rotate it.")
        return CommandResult(text="\n".join(lines), memories=(remembered.memory,))

    async def forget(self, owner: UserId, argument: str, *, session_id: SessionId | None) -> CommandResult:
        """Forget one memory at once; ask first when it is more.

        Args:
            owner: Whose memories.
            argument: What they typed after the command.
            session_id: The thread they typed it in; None outside a thread.

        Raises:
            InputError: The argument names nothing, or nothing that is there.
        """
        return await self.forget_target(owner, parse_forget(argument, session_id=session_id))

    async def forget_target(
        self, owner: UserId, target: ForgetTarget, *, agreed: str | None = None, always_ask: bool = False
    ) -> CommandResult:
        """Forget at once what needs no question or was agreed to; else ask.

        Args:
            owner: Whose memories.
            target: What.
            agreed: `plan_digest` of the plan that they agreed to; when by now it is another one, they are asked again.
            always_ask: Ask also when it is one memory.

        Raises:
            InputError: There is nothing to forget.
        """
        plan = await self._personal.plan_forget(owner, target)
        if agreed == plan_digest(plan) or (agreed is None and not always_ask and not needs_question(plan, target)):
            return await self.confirm(plan)
        asked = f"{_preview(plan)} {self._how_to_agree}".rstrip()
        text = asked if agreed is None else f"{CHANGED}\n{asked}"
        return CommandResult(text=text, memories=plan.memories, question=plan)

    async def confirm(self, plan: ForgetPlan) -> CommandResult:
        """Carry out a plan and say what went."""
        receipt = await self._personal.forget(plan)
        text = receipt_line(receipt)
        return CommandResult(text=f"{text} {self._platform_copy}".rstrip(), plan=plan)

    async def why(self, place: Place, reader: UserId, keys: Sequence[MemoryKey]) -> CommandResult:
        """Show the memories an answer was given, as far as they live and the reader may see them here.

        Args:
            place: Where it is shown.
            reader: Who asks.
            keys: What the answer was given, best first.
        """
        memories = await self._personal.explain(place, reader, keys)
        if not memories:
            return CommandResult(text="The last answer used no memory.")
        lines = ["The last answer was given:", *map(recalled_line, memories)]
        return CommandResult(text="\n".join(lines), recalled=tuple(memories))

    async def export(self, owner: UserId) -> CommandResult:
        """Return all that is kept of a person, as JSON."""
        data = await self._personal.export(owner)
        return CommandResult(text=json.dumps(data, ensure_ascii=False, indent=2, default=str))


def parse_forget(argument: str, *, session_id: SessionId | None) -> ForgetTarget:
    """Read what to forget.

    Raises:
        InputError: It is empty, several numbers at once, or "this thread" outside of one.
    """
    words = " ".join(argument.split())
    folded = words.casefold()
    if found := _NUMBER.fullmatch(words):
        return Numbered(number=int(found[1]))
    if _NUMBERS.fullmatch(words):
        raise InputError("One number at a time, please, such as #7.")
    if folded == "last":
        return Last()
    if folded in {"everything", "all"}:
        return Everything()
    if folded in {"this thread", "thread"}:
        return _this_thread(session_id)
    about = words[len("about ") :] if folded.startswith("about ") else words
    if not about or folded == "about":
        raise InputError(FORGET_USAGE)
    return About(words=about)


def _this_thread(session_id: SessionId | None) -> ThisThread:
    if session_id is None:
        raise InputError("Say which thread: there is no current one here.")
    return ThisThread(session_id=session_id)


def needs_question(plan: ForgetPlan, target: ForgetTarget) -> bool:
    """Whether to ask first: more than one memory goes, or, for the wide targets, more than one message."""
    if len(plan.memories) > 1:
        return True
    wide = not plan.memories or isinstance(target, ThisThread | Everything)
    return wide and len(plan.message_ids) > 1


def plan_digest(plan: ForgetPlan) -> str:
    """Return a short word that is another one for a plan that would remove anything else."""
    named = [plan.owner, plan.everything, sorted(memory.key for memory in plan.memories)]
    named += [sorted(plan.message_ids), sorted(plan.chosen_ids), sorted(plan.reply_ids)]
    return hashlib.blake2b(json.dumps(named).encode(), digest_size=12).hexdigest()


def memory_line(memory: Memory) -> str:
    """Return a memory as one line that starts with its permanent number."""
    return (
        f"#{memory.number}  {one_line(memory.text)}  ({memory.said_at:%Y-%m-%d}{_thread(memory.thread)}{_past(memory)})"
    )


def recalled_line(memory: Recallable) -> str:
    """Return a recalled memory as one line: the reader's own with its number, anything else with who said it."""
    where = f"{memory.said_at:%Y-%m-%d}{_thread(memory.thread)}"
    if memory.number is not None:
        return f"#{memory.number}  {one_line(memory.text)}  ({where})"
    return f'-  "{one_line(memory.text)}"  ({memory.author}, {where})'


def _thread(title: str) -> str:
    return f', thread "{one_line(title)}"' if title else ""


def _past(memory: Memory) -> str:
    if memory.valid_until is None:
        return ""
    by = f", now #{memory.superseded_by_number}" if memory.superseded_by_number else ""
    return f", until {memory.valid_until:%Y-%m-%d}{by}"


def one_line(text: str) -> str:
    """Return text on one line, cut where it is too long to be read in a list."""
    joined = " ".join(text.split())
    return joined if len(joined) <= _SHOWN_CHARS else joined[: _SHOWN_CHARS - 1] + "…"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: "1 reply", "2 replies"."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def counted_kinds(findings: Mapping[str, int]) -> str:
    """Return removed secrets by kind: "2 x AWS key, 1 x JWT"."""
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(findings.items()))


def receipt_line(receipt: Receipt) -> str:
    """Return what was removed, in counts."""
    parts = [
        counted(count, singular, plural)
        for count, singular, plural in (
            (receipt.facts, "fact", "facts"),
            (receipt.episodes, "episode", "episodes"),
            (receipt.messages, "message", "messages"),
            (receipt.replies, "reply", "replies"),
            (receipt.summaries, "summary", "summaries"),
        )
        if count
    ]
    return f"Forgotten: {', '.join(parts)}." if parts else "Nothing was left to forget."


def _preview(plan: ForgetPlan) -> str:
    lines = [memory_line(memory) for memory in plan.memories[:_PREVIEW_LINES]]
    if hidden := len(plan.memories) - len(lines):
        lines.append(f"... and {counted(hidden, 'more memory', 'more memories')}")
    parts = [counted(len(plan.memories), "memory", "memories")] if plan.memories else []
    if plan.message_ids:
        parts.append(f"the text of {counted(len(plan.message_ids), 'message')}")
    if plan.reply_ids:
        parts.append(f"the text of {counted(len(plan.reply_ids), 'reply', 'replies')}")
    return "\n".join([*lines, f"Forget {_listed(parts)}?"])


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
