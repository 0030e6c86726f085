"""What came with a message, as a model is shown it: fenced data within a token budget. Pure.

Also the fixed words for what could not be read, which people are told as well.
"""

import dataclasses
from collections.abc import Sequence

from memory.digest import digest, first_trouble
from memory.fences import as_name, escape
from memory.model import Attachment, Message
from memory.tokens import clip_to_tokens, count_tokens

MAX_FILE_BYTES = 1_000_000
"""Of a larger file, platforms read this much from its beginning."""

_GIST_CHARS = 300
_CLOSE = "\n</attached>"
_ATTEMPTS = 3
_SAFE_SHARE = 0.95  # a shorter digest has denser lines: aim a little below what is to be met


def shown_text(message: Message) -> str:
    """Return a message of a request as its model reads it: the words, then what came with them."""
    blocks = [block for block in map(_block, message.attachments) if block]
    words = [message.text] if message.text.strip() or not blocks else []
    return "\n".join([*words, *blocks])


def problem(attachment: Attachment) -> str | None:
    """Return what there is to say of an attachment that was not read, or not to its end; None of any other."""
    name = as_name(attachment.name)
    if attachment.text is None:
        return f"{name} could not be read."
    return None if attachment.is_whole else f"Only the first {MAX_FILE_BYTES // 1_000_000} MB of {name} was read."


def mention(message: Message) -> str:
    """Return one line that names what came with a message; "" when nothing did."""
    names = [as_name(attachment.name) for attachment in message.attachments if attachment.text != ""]
    return f"[attached: {', '.join(names)}]" if names else ""


def gist(message: Message) -> str:
    """Return what to look for memories by, of what came with a message: of a log, its first error."""
    return "\n".join(first_trouble(each.text, _GIST_CHARS) for each in message.attachments if each.text)[:_GIST_CHARS]


def attached_tokens(attachments: Sequence[Attachment]) -> int:
    """Return what attachments take beside the words of their message."""
    return sum(map(_size, attachments))


def fitted(attachments: Sequence[Attachment], max_tokens: int) -> tuple[Attachment, ...]:
    """Return attachments within `max_tokens` together, long ones digested further; those that cannot fit are left out.

    Each gets an equal part, and what short ones leave goes to the longer ones.
    """
    if attached_tokens(attachments) <= max_tokens:
        return tuple(attachments)
    kept: dict[int, Attachment] = {}
    by_size = sorted(range(len(attachments)), key=lambda index: _size(attachments[index]))
    for position, index in enumerate(by_size):
        one = _fitted(attachments[index], max_tokens // (len(by_size) - position))
        if one is not None:
            kept[index] = one
            max_tokens -= _size(one)
    return tuple(kept[index] for index in sorted(kept))


def _fitted(attachment: Attachment, max_tokens: int) -> Attachment | None:
    size = _size(attachment)
    if size <= max_tokens:
        return attachment
    if not attachment.text:
        return None
    text = escape(attachment.text)
    text_tokens = count_tokens(text)
    text = _within(text, text_tokens, max_tokens - (size - text_tokens))
    return dataclasses.replace(attachment, text=text) if text else None


def _within(text: str, tokens: int, max_tokens: int) -> str:
    """Return the longest digest of `text`, which has `tokens`, that is found within `max_tokens`."""
    if max_tokens <= 0:
        return ""
    shorter, chars = text, len(text)
    for _ in range(_ATTEMPTS):
        chars = int(chars * max_tokens / tokens * _SAFE_SHARE)
        shorter = digest(text, chars)
        tokens = count_tokens(shorter)
        if tokens <= max_tokens:
            return shorter
    return clip_to_tokens(shorter, max_tokens)


def _size(attachment: Attachment) -> int:
    block = _block(attachment)
    return count_tokens(block) + 1 if block else 0


def _block(attachment: Attachment) -> str:
    """Return an attachment between its tags, and what there is to say of it; "" when there is nothing."""
    told = problem(attachment)
    parts = [f"[{told}]"] if told else []
    if attachment.text:
        parts.insert(0, f'<attached name="{as_name(attachment.name)}">\n{escape(attachment.text)}{_CLOSE}')
    return "\n".join(parts)
