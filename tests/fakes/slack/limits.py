"""How much Slack takes, and what it says to more. Pure.

Sources: docs.slack.dev (block kit, chat.*), and where the documentation is silent what others measured on the live API:
a whole message of blocks about 13,200 characters, `chat.update` 4,000 bytes of text, a streamed message 12,000 bytes.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

Json = dict[str, Any]
Check = Callable[[Json], Iterator[str]]
Surface = Literal["message", "modal", "home"]

TEXT_KEPT = 40_000
UPDATE_BYTES = 4_000
MARKDOWN_CHARS = 12_000
MESSAGE_BLOCKS_CHARS = 13_200
STREAM_BYTES = 12_000
METADATA_BYTES = 16_000

_BLOCKS = {
    "message": {
        "section", "divider", "image", "actions", "context", "context_actions", "header", "markdown", "rich_text",
        "input", "file", "video", "table", "plan", "task_card", "alert", "card",
    },
    "modal": {"section", "divider", "image", "actions", "context", "header", "input", "rich_text", "video", "alert"},
    "home": {"section", "divider", "image", "actions", "context", "header", "input", "rich_text", "video", "alert"},
}  # fmt: skip
_MASS = re.compile(r"<!(?:channel|here|everyone)(?:\|[^>]*)?>|<!subteam\^[^>]+>")


_ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-f]+|excl);?", re.IGNORECASE)


def mass_mentions(text: str) -> list[str]:
    """Return what would ping many people, as it stands in the text, or once its entities are decoded.

    Whether Slack reads `<&#33;here>` as a mention is not known; decoded angle brackets it was seen not to.
    """
    return list(dict.fromkeys([*_MASS.findall(text), *_MASS.findall(_ENTITY.sub(_decoded, text))]))


def _decoded(match: re.Match[str]) -> str:
    character = html.unescape(match[0])
    return match[0] if character in {"<", ">"} else character


def pinging_texts(value: Any) -> Iterator[str]:
    """Yield every text of a message's blocks or attachments in which a mention is live."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from pinging_texts(item)
    elif isinstance(value, dict):
        match value.get("type"):
            case "broadcast":
                yield f"<!{value.get('range')}>"
            case "usergroup":
                yield f"<!subteam^{value.get('usergroup_id')}>"
            case kind if kind not in {"plain_text", "text"}:
                yield from pinging_texts(list(value.values()))


def check_blocks(blocks: Sequence[Any], surface: Surface) -> list[str]:
    """Return what is wrong with some blocks, in Slack's manner; nothing if they are fine."""
    most = 50 if surface == "message" else 100
    problems = [f"[ERROR] no more than {most} items allowed [json-pointer:/blocks]"] if len(blocks) > most else []
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        pointer = f"/blocks/{place}"
        found = list(_check_block(block, surface)) if isinstance(block, dict) else ["must be an object"]
        block_id = block.get("block_id") if isinstance(block, dict) else None
        if block_id is not None and block_id in seen:
            found.append("`block_id` already exists")
        seen.add(str(block_id))
        problems += [f"[ERROR] {problem} [json-pointer:{pointer}]" for problem in found]
    return problems


def total_chars(blocks: Sequence[Json]) -> int:
    """Return how many characters of text the blocks hold."""
    return sum(len(text) for text in _all_texts(list(blocks)))


def _all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _all_texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                yield item
            else:
                yield from _all_texts(item)


def _check_block(block: Json, surface: Surface) -> Iterator[str]:
    kind = str(block.get("type"))
    if kind not in _BLOCKS[surface]:
        yield f"unsupported type: {kind}"
        return
    yield from _length(block.get("block_id"), 255, "block_id", least=0)
    if kind in _MOST_ELEMENTS:
        yield from _count(block, _MOST_ELEMENTS[kind])
    check = _BLOCK_CHECKS.get(kind)
    if check is not None:
        yield from check(block)
    yield from _check_elements(block)


def _check_markdown(block: Json) -> Iterator[str]:
    yield from _length(block.get("text", ""), MARKDOWN_CHARS, "text")


def _check_header(block: Json) -> Iterator[str]:
    yield from _text(block.get("text"), 150, "text", only="plain_text")


def _check_context(block: Json) -> Iterator[str]:
    for element in block.get("elements", []):
        if element.get("type") != "image":
            yield from _text(element, 3_000, "elements")


def _check_image(block: Json) -> Iterator[str]:
    yield from _length(block.get("alt_text", ""), 2_000, "alt_text")


def _check_input(block: Json) -> Iterator[str]:
    yield from _text(block.get("label"), 2_000, "label", only="plain_text")
    if not isinstance(block.get("element"), dict):
        yield "missing required field: element"


def _check_section(block: Json) -> Iterator[str]:
    if block.get("text") is None and not block.get("fields"):
        yield "missing required field: text"
    if block.get("text") is not None:
        yield from _text(block["text"], 3_000, "text")
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield "no more than 10 items allowed in fields"
    for each in fields:
        yield from _text(each, 2_000, "fields")


def _check_elements(block: Json) -> Iterator[str]:
    listed = block.get("elements", []) if block.get("type") in {"actions", "context_actions"} else []
    seen: set[str] = set()
    for element in [*listed, block.get("accessory"), block.get("element")]:
        if isinstance(element, dict):
            yield from _check_element(element)
            action_id = element.get("action_id")
            if action_id is not None and action_id in seen:
                yield f"`action_id` {action_id} already exists for another element"
            seen.add(str(action_id))


def _check_element(element: Json) -> Iterator[str]:
    yield from _length(element.get("action_id"), 255, "action_id", least=0)
    yield from _check_confirm(element.get("confirm"))
    kind = str(element.get("type"))
    if kind in _MOST_OPTIONS:
        yield from _options(element, _MOST_OPTIONS[kind])
    check = _ELEMENT_CHECKS.get(kind)
    if check is not None:
        yield from check(element)
    if "type" not in element:
        yield "missing required field: type"


def _check_button(element: Json) -> Iterator[str]:
    yield from _text(element.get("text"), 75, "button text", only="plain_text")
    yield from _length(element.get("value"), 2_000, "value", least=0)
    yield from _length(element.get("url"), 3_000, "url", least=0)
    if element.get("style") not in {None, "primary", "danger"}:
        yield f"invalid style: {element['style']}"


def _check_feedback(element: Json) -> Iterator[str]:
    for key in ("positive_button", "negative_button"):
        button = element.get(key) or {}
        yield from _text(button.get("text"), 75, key, only="plain_text")
        yield from _length(button.get("value", ""), 2_000, f"{key} value")


def _check_typed(element: Json) -> Iterator[str]:
    yield from _length(element.get("initial_value"), 3_000, "initial_value", least=0)


def _options(element: Json, most: int) -> Iterator[str]:
    options = element.get("options", [])
    if len(options) > most:
        yield f"no more than {most} items allowed in options"
    if not options and not element.get("option_groups") and element.get("type") != "overflow":
        yield "missing required field: options"
    for option in options:
        yield from _text(option.get("text"), 75, "option text")
        yield from _length(option.get("value", ""), 150, "option value")


def _check_confirm(confirm: Json | None) -> Iterator[str]:
    if confirm is not None:
        yield from _text(confirm.get("title"), 100, "confirm title", only="plain_text")
        yield from _text(confirm.get("text"), 300, "confirm text")
        for key in ("confirm", "deny"):
            yield from _text(confirm.get(key), 30, key, only="plain_text")


def _count(block: Json, most: int) -> Iterator[str]:
    count = len(block.get("elements", []))
    if not 1 <= count <= most:
        yield f"between 1 and {most} elements allowed, there are {count}"


def _text(value: Any, most: int, name: str, *, only: str | None = None) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in {"plain_text", "mrkdwn"}:
        yield f"{name} must be a text object"
    elif only is not None and value["type"] != only:
        yield f"{name} must be {only}"
    else:
        yield from _length(value.get("text", ""), most, name)


def _length(value: Any, most: int, name: str, *, least: int = 1) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"{name} must be a string"
    elif len(value) > most:
        yield f"{name} must be less than {most + 1} characters"
    elif len(value) < least:
        yield f"{name} must be more than {least - 1} characters"


def check_view(view: Json) -> list[str]:
    """Return what is wrong with a Home tab or a modal."""
    kind = view.get("type")
    if kind not in {"modal", "home"}:
        return [f"[ERROR] unsupported type: {kind} [json-pointer:/view]"]
    problems = [*_length(view.get("private_metadata"), 3_000, "private_metadata", least=0)]
    problems += _length(view.get("callback_id"), 255, "callback_id", least=0)
    if kind == "modal":
        problems += _text(view.get("title"), 24, "title", only="plain_text")
        for key in ("submit", "close"):
            problems += _text(view[key], 24, key, only="plain_text") if view.get(key) else []
        asks = any(block.get("type") == "input" for block in view.get("blocks", []))
        problems += (
            ["submit is required when an input block is within blocks"] if asks and not view.get("submit") else []
        )
    return [f"[ERROR] {problem} [json-pointer:/view]" for problem in problems] + check_blocks(
        view.get("blocks", []), "modal" if kind == "modal" else "home"
    )


_MOST_ELEMENTS = {"context": 10, "actions": 25, "context_actions": 5}
_MOST_OPTIONS = {"overflow": 5, "static_select": 100, "multi_static_select": 100, "radio_buttons": 10, "checkboxes": 10}
_BLOCK_CHECKS: dict[str, Check] = {
    "section": _check_section,
    "markdown": _check_markdown,
    "header": _check_header,
    "context": _check_context,
    "image": _check_image,
    "input": _check_input,
}
_ELEMENT_CHECKS: dict[str, Check] = {
    "button": _check_button,
    "icon_button": _check_button,
    "feedback_buttons": _check_feedback,
    "plain_text_input": _check_typed,
}
