"""What people can do with their memories by command, on every platform alike: show, keep, forget, widen, why, export.

Takes words and gives words; which button, slash or shell brought them is the platform's business.
"""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.metrics import Metrics
from bots.pausing import HowToPause
from bots.wording import counted, counted_kinds, listed, memory_line, recalled_line, receipt_line
from memory.errors import InputError, NoCommunityError, PausedError
from memory.model import (
    About,
    ChannelId,
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
    SessionId,
    ThisThread,
    Usage,
    UserId,
    WidenPlan,
)
from memory.personal import PersonalMemory

TYPE_YES = "Type yes to go on; anything else leaves them as they are."
CHANGED = "It has changed since I asked. This is what it would be now:"
FORGET_USAGE = "Say what to forget: a number such as #7, last, this thread, about <words>, or everything."
WIDEN_USAGE = "Say which memory: a number such as #7, or all."

_NUMBER = re.compile(r"#?([0-9]{1,9})")
_NUMBERS = re.compile(r"#?[0-9]+(?:[\s,]+#?[0-9]+)+")
_PREVIEW_LINES = 20

Plan = ForgetPlan | WidenPlan
"""What a question asks about."""


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
    question: Plan | None = None
    plan: ForgetPlan | None = None


class Commands:
    """The memory commands of one platform.

    Args:
        personal: A person's own memories.
        platform_copy: A sentence about the copy that the platform keeps of what is forgotten; empty when it keeps none.
        how_to_agree: What a question ends with: how to answer it.
        metrics: Told of what was stored and forgotten; nobody is when None.
        how_to_pause: What a refusal to store while paused ends with.
        tenant: Where a memory can be used at most, as people call it.
        can_widen: Whether its owner can let a memory be used there; not where people share nothing.
    """

    def __init__(
        self,
        personal: PersonalMemory,
        *,
        platform_copy: str = "",
        how_to_agree: str = TYPE_YES,
        metrics: Metrics | None = None,
        how_to_pause: HowToPause | None = None,
        tenant: str = "this workspace",
        can_widen: bool = True,
    ) -> None:
        self._personal = personal
        self._metrics = metrics
        self._platform_copy = platform_copy
        self._how_to_agree = how_to_agree
        self._how_to_pause = how_to_pause or HowToPause()
        self._tenant = tenant
        self._can_widen = can_widen

    async def show(self, owner: UserId, words: str = "", *, history: bool = False) -> CommandResult:
        """List the owner's memories, newest first; with `words`, those that have all of them."""
        memories = tuple(await self._personal.memories(owner, words, history=history))
        if memories:
            return CommandResult(text="\n".join(memory_line(memory) for memory in memories), memories=memories)
        wanted = " ".join(words.split())
        return CommandResult(text=f"No memory of yours has: {wanted}" if wanted else "Nothing is remembered of you.")

    async def suggest(self, owner: UserId, *, number: str, parts: Sequence[str], limit: int) -> Sequence[Memory]:
        """Return what the owner may mean who has typed a little, as `PersonalMemory.suggest`."""
        return await self._personal.suggest(owner, number=number, parts=parts, limit=limit)

    async def remember(
        self,
        place: Place,
        person: Person,
        text: str,
        *,
        message: str | None = None,
        link: str | None = None,
        said_at: datetime | None = None,
    ) -> CommandResult:
        """Store one sentence at once, as `PersonalMemory.remember` does.

        Raises:
            InputError: There is nothing to remember, it is too long, it comes so late that it may be forgotten, or
                memory is paused for them or in this thread.
        """
        try:
            remembered = await self._personal.remember(place, person, text, message=message, link=link, said_at=said_at)
        except PausedError as error:
            raise self._how_to_pause.refusal(error) from error
        if self._metrics is not None and not remembered.memory.confirmations:  # else it was stored before
            self._metrics.facts_written("remembered", 1)
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
            if self._metrics is not None:
                self._metrics.forgot(target)
            return await self.confirm(plan)
        asked = f"{_preview(plan)} {self._how_to_agree}".rstrip()
        text = asked if agreed is None else f"{CHANGED}\n{asked}"
        return CommandResult(text=text, memories=plan.memories, question=plan)

    async def confirm(self, plan: Plan) -> CommandResult:
        """Carry out a plan and say what came of it."""
        if isinstance(plan, WidenPlan):
            return CommandResult(text=_widened(await self._personal.widen_private(plan), self._tenant))
        receipt = await self._personal.forget(plan)
        text = receipt_line(receipt)
        return CommandResult(text=f"{text} {self._platform_copy}".rstrip(), plan=plan)

    async def widen(self, owner: UserId, argument: str, *, agreed: str | None = None) -> CommandResult:
        """Let a memory be used anywhere in its owner's workspace at once; ask first when it is all of their DMs'.

        Args:
            owner: Whose memories.
            argument: A number, or "all".
            agreed: `plan_digest` of the plan that they agreed to; when by now it is another one, they are asked again.

        Raises:
            NoCommunityError: Nothing can be for everybody there.
            InputError: The argument names no memory that can be widened.
        """
        if not self._can_widen:
            raise NoCommunityError
        number = parse_widen(argument)
        if number is not None:
            memory = await self._personal.widen(owner, number, wide=True)
            others = ", also where others ask" if memory.subject == "team" else " where you ask"
            text = f"#{number} can now be used anywhere in {self._tenant}{others}.\n{memory_line(memory)}"
            return CommandResult(text=text, memories=(memory,))
        plan = await self._personal.plan_widen(owner)
        if agreed == plan_digest(plan):
            return await self.confirm(plan)
        asked = f"{_widen_preview(plan, self._tenant)} {self._how_to_agree}".rstrip()
        text = asked if agreed is None else f"{CHANGED}\n{asked}"
        return CommandResult(text=text, memories=plan.memories, question=plan)

    async def narrow(self, owner: UserId, argument: str) -> CommandResult:
        """Take back that a memory, or with "all" every memory, can be used anywhere.

        Raises:
            InputError: The argument names no memory that could be widened.
        """
        number = parse_widen(argument)
        if number is None:
            count = await self._personal.narrow_all(owner)
            return CommandResult(text=_narrowed(counted(count, "memory", "memories"), count))
        memory = await self._personal.widen(owner, number, wide=False)
        return CommandResult(text=f"{_narrowed(f'#{number}', 1)}\n{memory_line(memory)}", memories=(memory,))

    async def why(
        self, place: Place, reader: UserId, keys: Sequence[MemoryKey], *, member_of: Collection[ChannelId] = ()
    ) -> CommandResult:
        """Show the memories an answer was given, as far as they live and the reader may see them here.

        Args:
            place: Where it is shown.
            reader: Who asks.
            keys: What the answer was given, best first.
            member_of: Channels that the reader is a member of now.
        """
        memories = await self._personal.explain(place, reader, keys, member_of=member_of)
        if not memories:
            return CommandResult(text="The last answer used no memory.")
        lines = ["The last answer was given:", *map(recalled_line, memories)]
        return CommandResult(text="\n".join(lines), recalled=tuple(memories))

    async def usage(self, owner: UserId) -> Usage:
        """Return what a person asked lately, and how much is kept of them."""
        return await self._personal.usage(owner)

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


def parse_widen(argument: str) -> int | None:
    """Read which memory to widen or to narrow: its number, or None for all.

    Raises:
        InputError: It is neither.
    """
    words = " ".join(argument.split())
    if words.casefold() in {"everything", "all"}:
        return None
    found = _NUMBER.fullmatch(words)
    if found is None:
        raise InputError(WIDEN_USAGE)
    return int(found[1])


def needs_question(plan: ForgetPlan, target: ForgetTarget) -> bool:
    """Whether to ask first: more than one memory goes, or, for the wide targets, more than one message."""
    if len(plan.memories) > 1:
        return True
    wide = not plan.memories or isinstance(target, ThisThread | Everything)
    return wide and len(plan.message_ids) > 1


def plan_digest(plan: Plan) -> str:
    """Return a short word that is another one for a plan that would do anything else."""
    if isinstance(plan, WidenPlan):
        return _digest(["widen", plan.owner, sorted(memory.key for memory in plan.memories)])
    named = [plan.owner, plan.everything, sorted(memory.key for memory in plan.memories)]
    named += [sorted(plan.message_ids), sorted(plan.chosen_ids), sorted(plan.reply_ids)]
    return _digest(named)


def _digest(named: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(named).encode(), digest_size=12).hexdigest()


def _lines(memories: Sequence[Memory]) -> list[str]:
    lines = [memory_line(memory) for memory in memories[:_PREVIEW_LINES]]
    if hidden := len(memories) - len(lines):
        lines.append(f"... and {counted(hidden, 'more memory', 'more memories')}")
    return lines


def _preview(plan: ForgetPlan) -> str:
    parts = [counted(len(plan.memories), "memory", "memories")] if plan.memories else []
    if plan.message_ids:
        parts.append(f"the text of {counted(len(plan.message_ids), 'message')}")
    if plan.reply_ids:
        parts.append(f"the text of {counted(len(plan.reply_ids), 'reply', 'replies')}")
    return "\n".join([*_lines(plan.memories), f"Forget {listed(parts)}?"])


def _widen_preview(plan: WidenPlan, tenant: str) -> str:
    ours = sum(memory.subject == "team" for memory in plan.memories)
    others = f", {ours} of them also where others ask" if ours else ""
    asked = f"Let {counted(len(plan.memories), 'memory', 'memories')} be used anywhere in {tenant} where you ask"
    return "\n".join([*_lines(plan.memories), f"{asked}{others}?"])


def _widened(count: int, tenant: str) -> str:
    if not count:
        return "Nothing was left to widen."
    return f"{counted(count, 'memory', 'memories')} can now be used anywhere in {tenant}."


def _narrowed(what: str, count: int) -> str:
    if not count:
        return "No memory of yours was usable anywhere."
    return f"{what} {'is' if count == 1 else 'are'} again only for those who could read where you said it."
