"""A thread's short-term memory as compact JSON, one value at a time. Pure; knows no store.

The session id is left out: it is part of the key that a value is kept under; so is what names a message and its answer
on the platform: a history has no use for it. What does not decode raises ValueError.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from memory.model import Attachment, MemoryKey, Message, MessageId, Person, Pin, Role, SessionId, Summary, UserId

_UTF8 = ("utf-8", "surrogatepass")  # platforms have been seen to deliver half an emoji; a cache must not choke on it


def encode_message(message: Message) -> bytes:
    """Return a message as JSON without what is at its default."""
    fields: dict[str, object] = {
        "i": message.message_id,
        "r": message.role.value,
        "t": message.text,
        "s": message.sent_at.isoformat(),
        "a": [message.author.user_id, message.author.name] if message.author else None,
        "v": message.version if message.version != 1 else None,
        "p": message.reply_to,
        "u": message.used or None,
        "l": message.link,
        "f": [[each.name, each.text, each.ref, each.is_whole] for each in message.attachments] or None,
    }
    return _dump({name: value for name, value in fields.items() if value is not None})


def decode_message(data: bytes, session_id: SessionId) -> Message:
    """Return the message that `encode_message` wrote.

    Raises:
        ValueError: `data` is something else, such as what another release wrote.
    """
    fields = _load(data)
    try:
        author, reply_to = fields.get("a"), fields.get("p")
        return Message(
            message_id=MessageId(fields["i"]),
            session_id=session_id,
            role=Role(fields["r"]),
            author=Person(user_id=UserId(author[0]), name=author[1]) if author is not None else None,
            text=fields["t"],
            sent_at=datetime.fromisoformat(fields["s"]),
            version=fields.get("v", 1),
            reply_to=None if reply_to is None else MessageId(reply_to),
            used=tuple(MemoryKey(key) for key in fields.get("u", ())),
            link=fields.get("l"),
            attachments=tuple(
                Attachment(name=name, text=text, ref=ref, is_whole=is_whole)
                for name, text, ref, is_whole in fields.get("f", ())
            ),
        )
    except (KeyError, TypeError, IndexError) as exc:
        raise ValueError("not a message") from exc


def encode_summary(summary: Summary) -> bytes:
    """Return a summary with its pins as JSON."""
    pins = [[pin.text, pin.kind, pin.said_by.value, pin.message_id] for pin in summary.pins]
    return _dump({"t": summary.text, "p": pins, "u": summary.through})


def decode_summary(data: bytes) -> Summary:
    """Return the summary that `encode_summary` wrote.

    Raises:
        ValueError: `data` is something else.
    """
    fields = _load(data)
    try:
        pins = tuple(
            Pin(text=text, kind=kind, said_by=Role(said_by), message_id=MessageId(message_id))
            for text, kind, said_by, message_id in fields["p"]
        )
        return Summary(text=fields["t"], pins=pins, through=MessageId(fields["u"]))
    except (KeyError, TypeError) as exc:
        raise ValueError("not a summary") from exc


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(*_UTF8)


def _load(data: bytes) -> Mapping[str, Any]:
    fields = json.loads(data.decode(*_UTF8))
    if not isinstance(fields, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the one error of this module
    return fields
