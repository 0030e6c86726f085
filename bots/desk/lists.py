"""Memories as sheets: a page of a list, a question, a receipt, the reasons of an answer. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bots.commands import CommandResult, plan_digest
from bots.desk.sheets import Line, MemoryList, Offer, Origin, Reasons, Words
from bots.desk.ways import Ways
from bots.press import Button, Press, undo
from bots.wording import counted, one_line
from memory.audience import is_for_everyone, is_private
from memory.model import Memory, Recallable, UserId, WidenPlan, key_kind


def memory_list(memories: Sequence[Memory], ask: Press, *, ways: Ways, note: str = "") -> MemoryList:
    """Return one page of a person's memories.

    Args:
        memories: All of them, newest first; at least one.
        ask: For whom, which words, which page; the last page when there is no such page any more.
        ways: How many go on a page.
        note: What to say above.
    """
    page, count = page_of(ask, len(memories), ways.page_size)
    here = replace(ask, page=page)
    first = page * ways.page_size
    shown = memories[first : first + ways.page_size]
    found = f' with "{ask.words}"' if ask.words else ""
    total = counted(len(memories), "memory", "memories")
    many = total if count == 1 else f"{first + 1} to {first + len(shown)} of {total}"
    return MemoryList(
        note=note,
        heading=f"{many}{found}, newest first. Only you see this.",
        lines=tuple(line(memory, here, ways=ways) for memory in shown),
        turn=turn(here, page, count),
    )


def question(result: CommandResult, ask: Press) -> Offer | Words:
    """Return the preview of a forget, or of widening all, with the buttons that answer it; the receipt of what is done.

    Args:
        result: What to ask, or what was done.
        ask: For whom, about what, and where it is asked.
    """
    if result.question is None:
        return Words(result.text)
    keep = Button("Keep", replace(ask, action="keep", what="", message=""))
    agreed = replace(ask, digest=plan_digest(result.question))
    if isinstance(result.question, WidenPlan):
        agree = Button("Use anywhere", replace(agreed, action="widen"), is_grave=True)
    else:
        agree = Button("Forget", replace(agreed, action="agree"), is_grave=True)
    return Offer(text=result.text, buttons=(agree, keep))


def remembered(result: CommandResult, user: UserId, *, note: str = "", use_private: str = "") -> Offer:
    """Return what was stored by hand, with a way to take it back.

    Args:
        result: What was stored.
        user: Whose it is.
        note: What else there is to know.
        use_private: Of the button that lets what is private be used anywhere; "" for none.
    """
    buttons = [undo(memory.number, user) for memory in result.memories]
    if use_private:
        buttons += [_use(use_private, memory, user) for memory in result.memories if is_private(memory.audience)]
    return Offer(text=f"{result.text}\n{note}".strip(), buttons=tuple(buttons))


def reasons(recalled: Sequence[Recallable], ask: Press, *, ways: Ways, note: str = "") -> Reasons:
    """Return the memories that an answer was given; the reader's own can be forgotten.

    Args:
        recalled: What the reader may see here, best first; at least one.
        ask: For whom, and which answer.
        ways: How many to show.
        note: What to say above.
    """
    hidden = len(recalled) - ways.most_reasons
    return Reasons(
        note=note,
        heading="That answer was given:",
        lines=tuple(_reason(memory, ask) for memory in recalled[: ways.most_reasons]),
        more=f"… and {hidden} more." if hidden > 0 else "",
        keep=Button("Keep", Press(action="keep", user=ask.user)),
    )


def line(memory: Memory, here: Press, *, ways: Ways) -> Line:
    """Return a memory of the person, where it comes from, and what they can do with it."""
    is_now = memory.valid_until is None
    origin = Origin(
        day=_day(memory.said_at),
        link=memory.link,
        thread=_thread(memory.thread),
        until="" if memory.valid_until is None else f"until {_day(memory.valid_until)}",
        reach="usable anywhere" if memory.widened and is_now else "",
    )
    return Line(
        number=memory.number,
        text=memory.text,
        origin=origin,
        forget=_forget(memory.number, here),
        reach=_reach(memory, here) if ways.can_widen else None,
    )


def page_of(ask: Press, total: int, size: int) -> tuple[int, int]:
    """Return which page is shown, the last when the one asked for is gone, and how many there are."""
    count = max(1, -(-total // size))
    return max(0, min(ask.page or 0, count - 1)), count


def turn(here: Press, page: int, count: int) -> tuple[Button, ...]:
    """Return the buttons that turn the page."""
    newer = [Button("Newer", replace(here, action="page", page=page - 1))] if page else []
    older = [Button("Older", replace(here, action="page", page=page + 1))] if page + 1 < count else []
    return (*newer, *older)


def _reason(memory: Recallable, ask: Press) -> Line:
    by = memory.author if memory.number is None else ""
    origin = Origin(by=by, day=_day(memory.said_at), link=memory.link, thread=_thread(memory.thread))
    forget = None if memory.number is None else _forget(memory.number, ask)
    return Line(number=memory.number, text=memory.text, origin=origin, forget=forget)


def _forget(number: int, here: Press) -> Button:
    return Button("Forget", replace(here, action="forget", what=f"#{number}"))


def _reach(memory: Memory, here: Press) -> Button | None:
    """Return the button that widens a memory, or takes that back; what everybody could read needs neither."""
    press = replace(here, what=f"#{memory.number}")
    if memory.widened:
        return Button("Use only for those who could read it", replace(press, action="narrow"))
    if key_kind(memory.key) == "fact" and not is_for_everyone(memory.audience):
        return Button("Use anywhere here", replace(press, action="widen"))
    return None


def _thread(title: str) -> str:
    return f'thread "{one_line(title)}"' if title else ""


def _use(label: str, memory: Memory, user: UserId) -> Button:
    return Button(label, Press(action="widen", user=user, what=f"#{memory.number}"))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
