"""Slack's markup as the words a person reads: mentions, links, entities, and posts that have no text of their own.

Pure. Whatever a payload holds, nothing here raises.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bots.text import without_address

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_MARKUP = re.compile(r"<(?P<inner>[^<>\n]+)>|(?P<entity>&(?:amp|lt|gt);)")
_ENTITY = re.compile("|".join(_ENTITIES))
_NAMELESS = re.compile(r"(?<![\w@])@(?P<user>[UW][A-Z0-9]{2,})\b")
_SCHEMES = ("https://", "http://", "mailto:", "tel:")
_DEEPEST = 12  # lists within lists; deeper is nobody's message
_TITLES = ("pretext", "author_name", "title", "title_link", "text")


def decode_text(raw: str, *, own: str | None = None) -> str:
    """Return what a person reads in a text as the wire has it.

    Each piece is decoded once: `&amp;lt;` is what somebody typed as `&lt;`.

    Args:
        raw: With `<@U1>`, `<https://example.org|label>` and `&amp;`.
        own: A user whose mentions are left out: the bot itself.
    """
    text = without_address(raw, rf"<@{re.escape(own)}(?:\|[^<>]*)?>") if own else raw
    return _MARKUP.sub(_readable, text)


def with_names(text: str, names: Mapping[str, str]) -> str:
    """Return a decoded text with the names of people it mentions by id."""
    return _NAMELESS.sub(lambda match: f"@{names.get(match['user'], match['user'])}", text)


def context_text(message: Mapping[str, Any]) -> str:
    """Return what a person reads in a message of a bot: text, blocks and attachments, each thing once.

    An alert may have its words only in attachments (title, text, fields) or blocks. `fallback` counts only where an
    attachment shows nothing else.
    """
    return _joined([_string(message, "text"), *_blocks_of(message), *attachment_texts(message)])


def attachment_texts(message: Mapping[str, Any]) -> list[str]:
    """Return what a person reads in each attachment of a message."""
    texts = [_attachment(attachment) for attachment in mappings(message.get("attachments"))]
    return [text for text in texts if text]


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list; none when it is no list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _readable(match: re.Match[str]) -> str:
    if match["entity"]:
        return _ENTITIES[match["entity"]]
    inner, _, label = match["inner"].partition("|")
    inner, label = _unescaped(inner), _unescaped(label)
    match inner[:1]:
        case "@" | "#":
            return inner[0] + (label or inner[1:]).removeprefix(inner[0])
        case "!":
            return _special(inner[1:], label)
    return _link(inner, label)


def _special(command: str, label: str) -> str:
    """Return a group, a broadcast or a date."""
    kind, _, rest = command.partition("^")
    if kind == "date":
        return label or rest
    return "@" + (label or rest or kind).removeprefix("@")


def _link(url: str, label: str) -> str:
    """Return a link; its label alone when that is the address as a person typed it."""
    if not url:
        return label
    if not label or label == url:
        return _bare(url) if url.startswith(("mailto:", "tel:")) else url
    return label if label.rstrip("/") == _bare(url).rstrip("/") else f"{label} ({url})"


def _bare(url: str) -> str:
    for scheme in _SCHEMES:
        if url.startswith(scheme):
            return url.removeprefix(scheme)
    return url


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], text)


def _string(holder: Mapping[str, Any], key: str) -> str:
    """Return a text, decoded; "" when there is none."""
    value = holder.get(key)
    return decode_text(value) if isinstance(value, str) else ""


def _joined(parts: Sequence[str]) -> str:
    """Join texts, leaving out those of which every line stands in a text before them or in the ones after."""
    kept: list[str] = []
    for index, part in enumerate(parts):
        lines = set(part.strip().splitlines())
        said = {line for other in (*kept, *parts[index + 1 :]) if other != part for line in other.splitlines()}
        if lines and part not in kept and not lines <= said:
            kept.append(part.strip())
    return "\n".join(kept)


def _attachment(attachment: Mapping[str, Any]) -> str:
    parts = [_string(attachment, key) for key in _TITLES]
    parts += [_field(field) for field in mappings(attachment.get("fields"))]
    parts += _blocks_of(attachment)
    parts += [text for nested in mappings(attachment.get("message_blocks")) for text in _nested_blocks(nested)]
    return _joined(parts) or _string(attachment, "fallback").strip()


def _nested_blocks(holder: Mapping[str, Any]) -> list[str]:
    """Return the blocks of a forwarded message."""
    inner = holder.get("message")
    return _blocks_of(inner) if isinstance(inner, Mapping) else []


def _field(field: Mapping[str, Any]) -> str:
    title, value = _string(field, "title"), _string(field, "value")
    return f"{title}: {value}" if title and value else title or value


def _blocks_of(holder: Mapping[str, Any]) -> list[str]:
    return [text for text in (_block(block) for block in mappings(holder.get("blocks"))) if text]


def _block(block: Mapping[str, Any]) -> str:
    if block.get("type") == "rich_text":
        return "\n".join(_rich_lines(block, _DEEPEST))
    if block.get("type") == "table":
        rows = block.get("rows")
        return "\n".join(" | ".join(map(_cell, mappings(row))) for row in (rows if isinstance(rows, list) else ()))
    holders = [block, *mappings([block.get("title")]), *mappings(block.get("fields")), *mappings(block.get("elements"))]
    return "\n".join(text for text in map(_shown, holders) if text)


def _cell(cell: Mapping[str, Any]) -> str:
    return _block(cell) if cell.get("type") == "rich_text" else _string(cell, "text")


def _shown(holder: Mapping[str, Any]) -> str:
    """Return the text of a block or of one of its elements; buttons and menus have none to read."""
    if "action_id" in holder or holder.get("type") == "button":
        return ""
    text = holder.get("text")
    if isinstance(text, Mapping):
        return _text_object(text)
    return _text_object(holder) if isinstance(text, str) else _string(holder, "alt_text")


def _text_object(holder: Mapping[str, Any]) -> str:
    """Return a text object's text; only plain text has no markup in it."""
    text = holder.get("text")
    if not isinstance(text, str):
        return ""
    return _unescaped(text) if holder.get("type") == "plain_text" else decode_text(text)


def _rich_lines(holder: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield a rich text block's lines: sections, lists, quotes and code."""
    if depth == 0:
        return
    for element in mappings(holder.get("elements")):
        match element.get("type"):
            case "rich_text_list":
                yield from (f"- {line}" for line in _rich_lines(element, depth - 1))
            case "rich_text_quote":
                yield from (f"> {line}" for line in _inline(element).splitlines())
            case _:
                yield _inline(element)


def _inline(section: Mapping[str, Any]) -> str:
    return "".join(_word(element) for element in mappings(section.get("elements")))


def _word(element: Mapping[str, Any]) -> str:
    kinds = {"user": "@", "usergroup": "@", "broadcast": "@", "channel": "#"}
    kind = element.get("type")
    if kind in kinds:
        named = (element.get(key) for key in ("user_id", "usergroup_id", "range", "channel_id"))
        return kinds[kind] + next((name for name in named if isinstance(name, str)), "")
    if kind == "emoji":
        return f":{element.get('name')}:"
    text, url = element.get("text"), element.get("url")
    if kind == "link" and isinstance(url, str):
        return _link(url, text if isinstance(text, str) else "")
    return text if isinstance(text, str) else ""
