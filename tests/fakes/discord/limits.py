"""How much of a message Discord takes, and what it says to more. Pure.

Sources: docs.discord.com (message, component reference); characters are code points, as one of Discord's own says in
discord/discord-api-docs#1315.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.fakes.discord.components import walk
from tests.fakes.discord.errors import Problem, invalid
from tests.fakes.discord.model import COMPONENTS_V2

Json = dict[str, Any]

CONTENT_CHARS = 2_000
EMBED_CHARS = 6_000
NONCE_CHARS = 25
FILE_BYTES = 10 * 1024 * 1024
FILES = 10
_EMBED_LIMITS = {"title": 256, "description": 4_096}
_BUTTON, _LINK, _SELECTS = 2, 5, {3, 5, 6, 7, 8}
_ROW, _TEXT_DISPLAY = 1, 10
_LAYOUT = {1, 9, 10, 11, 12, 13, 14, 17}


def check_message(body: Json, *, flags: int = 0) -> None:
    """Refuse a message body, or an edit's, that Discord would not take."""
    problems = [*_content(body), *_embeds(body), *_nonce(body)]
    problems += _layout(body) if flags & COMPONENTS_V2 else _components(body)
    if problems:
        raise invalid(*problems)


def check_thread(body: Json) -> None:
    """Refuse what begins or changes a thread and Discord would not take."""
    problems = [*_length(body.get("name", ""), 100, "name", least=1)] if "name" in body else [_required("name")]
    problems += check_archive_after(body)
    if problems:
        raise invalid(*problems)


def check_archive_after(body: Json) -> list[Problem]:
    """Return what is wrong with the minutes after which a quiet thread is archived."""
    minutes = body.get("auto_archive_duration")
    if minutes in {None, 60, 1440, 4320, 10080}:
        return []
    return [("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of {60, 1440, 4320, 10080}.")]


def trimmed(text: str | None) -> str:
    """Return a text as Discord keeps it, without white space around it."""
    return (text or "").strip()


def _content(body: Json) -> Iterator[Problem]:
    content = body.get("content")
    if content is not None and not isinstance(content, str):
        yield ("content", "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    else:
        yield from _length(trimmed(content), CONTENT_CHARS, "content")


def _nonce(body: Json) -> Iterator[Problem]:
    nonce = body.get("nonce")
    if isinstance(nonce, str):
        yield from _length(nonce, NONCE_CHARS, "nonce")
    elif nonce is not None and not isinstance(nonce, int):
        yield ("nonce", "NONCE_TYPE_INVALID", "Nonce must be an integer or a string.")


def _embeds(body: Json) -> Iterator[Problem]:
    embeds = body.get("embeds") or []
    if len(embeds) > 10:
        yield ("embeds", "BASE_TYPE_BAD_LENGTH", "Must be 10 or fewer in length.")
    for place, embed in enumerate(embeds):
        yield from _embed(embed, f"embeds.{place}")
    if sum(embed_chars(embed) for embed in embeds) > EMBED_CHARS:
        yield ("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_CHARS}")


def _embed(embed: Json, path: str) -> Iterator[Problem]:
    for name, most in _EMBED_LIMITS.items():
        yield from _length(trimmed(embed.get(name)), most, f"{path}.{name}")
    yield from _length(trimmed((embed.get("footer") or {}).get("text")), 2_048, f"{path}.footer.text")
    yield from _length(trimmed((embed.get("author") or {}).get("name")), 256, f"{path}.author.name")
    fields = embed.get("fields") or []
    if len(fields) > 25:
        yield (f"{path}.fields", "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")
    for place, each in enumerate(fields):
        for name, most in (("name", 256), ("value", 1_024)):
            where = f"{path}.fields.{place}.{name}"
            text = trimmed(each.get(name))
            yield from _length(text, most, where) if text else [_required(where)]


def embed_chars(embed: Json) -> int:
    """Return how many characters of an embed count."""
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [(embed.get("author") or {}).get("name")]
    for each in embed.get("fields") or []:
        texts += [each.get("name"), each.get("value")]
    return sum(len(trimmed(text)) for text in texts)


def _components(body: Json) -> Iterator[Problem]:
    rows = body.get("components") or []
    if len(rows) > 5:
        yield ("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for place, row in enumerate(rows):
        if row.get("type") != _ROW:
            yield (f"components.{place}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
        else:
            yield from check_row(row, f"components.{place}")
    yield from _duplicates(rows)


def _layout(body: Json) -> Iterator[Problem]:
    components = body.get("components") or []
    every = list(walk(components))
    for name in ("content", "embeds"):
        if body.get(name):
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            yield (name, code, f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
    if len(every) > 40:
        yield ("components", "BASE_TYPE_BAD_LENGTH", "Must be 40 or fewer in length.")
    if sum(len(each.get("content", "")) for each in every if each.get("type") == _TEXT_DISPLAY) > 4_000:
        code = "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"
        yield ("components", code, "The total displayable text size exceeds the maximum of 4000")
    for place, component in enumerate(components):
        if component.get("type") not in _LAYOUT:
            yield (f"components.{place}.type", "UNION_TYPE_CHOICES", 'Value of field "type" is not allowed here.')
        elif component.get("type") == _ROW:
            yield from check_row(component, f"components.{place}")
    yield from _duplicates(components)


def check_row(row: Json, path: str) -> Iterator[Problem]:
    """Yield what is wrong with an action row."""
    inside = row.get("components") or []
    selects = [each for each in inside if each.get("type") in _SELECTS]
    if not 1 <= len(inside) <= 5 or (selects and len(inside) > 1):
        most = 1 if selects else 5
        yield (f"{path}.components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
    for place, element in enumerate(inside):
        where = f"{path}.components.{place}"
        if element.get("type") == _BUTTON:
            yield from _button(element, where)
        elif element.get("type") in _SELECTS:
            yield from _select(element, where)
        else:
            yield (f"{where}.type", "UNION_TYPE_CHOICES", 'Value of field "type" is not allowed here.')


def _button(button: Json, path: str) -> Iterator[Problem]:
    yield from _length(button.get("label") or "", 80, f"{path}.label")
    if not button.get("label") and not button.get("emoji"):
        yield (path, "BUTTON_COMPONENT_INVALID_LABEL", "A button must have a label or an emoji")
    if button.get("style") not in {1, 2, 3, 4, 5, 6}:
        yield (f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    if button.get("style") == _LINK:
        yield from _length(button.get("url") or "", 512, f"{path}.url", least=1)
        if "custom_id" in button:
            yield (
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
    else:
        yield from _length(button.get("custom_id") or "", 100, f"{path}.custom_id", least=1)


def _select(select: Json, path: str) -> Iterator[Problem]:
    yield from _length(select.get("custom_id") or "", 100, f"{path}.custom_id", least=1)
    yield from _length(select.get("placeholder") or "", 150, f"{path}.placeholder")
    options = select.get("options") or []
    if select.get("type") == 3 and not 1 <= len(options) <= 25:
        yield (f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    for place, option in enumerate(options):
        for name in ("label", "value"):
            yield from _length(str(option.get(name) or ""), 100, f"{path}.options.{place}.{name}", least=1)
        yield from _length(option.get("description") or "", 100, f"{path}.options.{place}.description")
    values = [option.get("value") for option in options]
    if len({*values}) < len(values):
        yield (
            f"{path}.options",
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
            "The specified option value is already used",
        )


def _duplicates(components: Sequence[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for element in walk(components):
        custom_id = element.get("custom_id")
        if custom_id is not None and custom_id in seen:
            yield ("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        seen.add(str(custom_id))


def check_modal(modal: Json) -> None:
    """Refuse a modal that Discord would not open."""
    problems = [
        *_length(modal.get("title") or "", 45, "data.title", least=1),
        *_length(modal.get("custom_id") or "", 100, "data.custom_id", least=1),
    ]
    rows = modal.get("components") or []
    if not 1 <= len(rows) <= 5:
        problems.append(("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."))
    for element in walk(rows):
        if element.get("type") == 4:
            problems += _length(element.get("custom_id") or "", 100, "data.components.custom_id", least=1)
            problems += _length(element.get("placeholder") or "", 100, "data.components.placeholder")
            problems += _length(element.get("value") or "", 4_000, "data.components.value")
        if element.get("label"):
            problems += _length(element["label"], 45, "data.components.label")
    if problems:
        raise invalid(*problems)


def check_choices(choices: Sequence[Json]) -> None:
    """Refuse suggestions that Discord would not show."""
    problems: list[Problem] = []
    if len(choices) > 25:
        problems.append(("data.choices", "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length."))
    for place, choice in enumerate(choices):
        problems += _length(str(choice.get("name") or ""), 100, f"data.choices.{place}.name", least=1)
        if isinstance(choice.get("value"), str):
            problems += _length(choice["value"], 100, f"data.choices.{place}.value")
    if problems:
        raise invalid(*problems)


def _required(path: str) -> Problem:
    return (path, "BASE_TYPE_REQUIRED", "This field is required")


def _length(text: str, most: int, path: str, *, least: int = 0) -> list[Problem]:
    if not text and least:
        return [_required(path)]
    if len(text) > most:
        if least:
            return [(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")]
        return [(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")]
    return []
