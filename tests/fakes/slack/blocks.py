"""Block Kit as a person sees it, and as it is pressed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]

_SILENT = {"divider", "actions", "context_actions"}


def visible_text(blocks: Sequence[Json]) -> str:
    """Return what a person reads in these blocks, without the buttons."""
    return "\n".join(text for text in map(_block_text, blocks) if text)


def _block_text(block: Json) -> str:
    kind = block.get("type")
    if kind in _SILENT:
        return ""
    if kind == "markdown":
        return str(block.get("text", ""))
    if kind == "rich_text":
        return "\n".join(_rich(element) for element in block.get("elements", []))
    texts = [block.get("text"), block.get("title"), block.get("label"), *block.get("fields", [])]
    texts += [element for element in block.get("elements", []) if isinstance(element, dict)]
    return "\n".join(text for text in map(_plain, texts) if text)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("text", value.get("alt_text", ""))
    if isinstance(value, dict):
        value = value.get("text", "")
    text = str(value or "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _rich(element: Json) -> str:
    match element.get("type"):
        case "rich_text_list":
            return "\n".join(f"- {_rich(item)}" for item in element.get("elements", []))
        case "rich_text_section" | "rich_text_quote" | "rich_text_preformatted":
            return "".join(_rich(item) for item in element.get("elements", []))
        case "user":
            return f"<@{element['user_id']}>"
        case "channel":
            return f"<#{element['channel_id']}>"
        case "broadcast":
            return f"<!{element['range']}>"
        case "link":
            return str(element.get("text") or element["url"])
    return str(element.get("text", ""))


def elements(blocks: Iterable[Json]) -> Iterator[Json]:
    """Yield every element with an action id, each with the `block_id` of its block."""
    for block in blocks:
        found = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in found:
            if isinstance(element, dict) and element.get("action_id"):
                yield {**element, "block_id": block.get("block_id", "")}


def named(blocks: Sequence[Json], names: Iterator[str]) -> list[Json]:
    """Return the blocks with an id on each block and each interactive element, as Slack fills them in."""
    result: list[Json] = []
    for block in blocks:
        kept = {**block, "block_id": block.get("block_id") or next(names)}
        for key in ("accessory", "element"):
            if isinstance(kept.get(key), dict):
                kept[key] = _with_action_id(kept[key], names)
        if kept.get("type") in {"actions", "context_actions"}:
            kept["elements"] = [_with_action_id(element, names) for element in kept.get("elements", [])]
        result.append(kept)
    return result


def _with_action_id(element: Json, names: Iterator[str]) -> Json:
    if element.get("type") == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": next(names)}


def pressed(element: Json, value: str | None, action_ts: str) -> Json:
    """Return the action of a `block_actions` payload.

    Args:
        element: One of `elements`.
        value: Which of several: a feedback button's value, an option's value, what was typed, the ids chosen.
        action_ts: When.

    Raises:
        LookupError: There is no such choice.
    """
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": element["block_id"]}
    action["action_ts"] = action_ts
    if kind == "feedback_buttons":
        chosen = _choice([element["positive_button"], element["negative_button"]], value)
        return action | {"text": chosen["text"], "value": chosen["value"]}
    if kind in {"static_select", "overflow", "radio_buttons"}:
        options = [*element.get("options", []), *_grouped(element)]
        return action | {"selected_option": _choice(options, value)}
    if kind.startswith("plain_text_input"):
        return action | {"value": value}
    if kind == "users_select":
        return action | {"selected_user": value}
    action |= {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    return action


def _grouped(element: Json) -> list[Json]:
    return [option for group in element.get("option_groups", []) for option in group["options"]]


def _choice(options: Sequence[Json], value: str | None) -> Json:
    for option in options:
        if value in (option.get("value"), option.get("text", {}).get("text")):
            return option
    choices = [option.get("value") for option in options]
    raise LookupError(f"no choice {value!r}; there are {choices}")


def filled(element: Json, value: Any) -> Json:
    """Return the state of an input as a view's submission carries it."""
    match element["type"]:
        case "checkboxes" | "multi_static_select":
            chosen = [_choice([*element.get("options", []), *_grouped(element)], each) for each in value or []]
            return {"type": element["type"], "selected_options": chosen}
        case "static_select" | "radio_buttons" | "overflow":
            options = [*element.get("options", []), *_grouped(element)]
            return {"type": element["type"], "selected_option": None if value is None else _choice(options, value)}
        case "users_select":
            return {"type": element["type"], "selected_user": value}
        case "datepicker":
            return {"type": element["type"], "selected_date": value}
        case kind:
            return {"type": kind, "value": value}


def initial(element: Json) -> Json | None:
    """Return the state an input has before anyone touches it; None for what holds none, such as a button."""
    match element["type"]:
        case "plain_text_input" | "number_input" | "email_text_input" | "url_text_input":
            return {"type": element["type"], "value": element.get("initial_value")}
        case "static_select" | "radio_buttons":
            return {"type": element["type"], "selected_option": element.get("initial_option")}
        case "checkboxes" | "multi_static_select":
            return {"type": element["type"], "selected_options": element.get("initial_options", [])}
        case "users_select":
            return {"type": element["type"], "selected_user": element.get("initial_user")}
        case "datepicker":
            return {"type": element["type"], "selected_date": element.get("initial_date")}
    return None
