"""Buttons, selects and what holds them, as a person sees them. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]


def walk(components: Sequence[Any]) -> Iterator[Json]:
    """Yield every component, containers before what they hold."""
    for component in components:
        if isinstance(component, dict):
            yield component
            yield from walk(component.get("components") or [])
            yield from walk([component["accessory"]] if component.get("accessory") else [])
            yield from walk([component["component"]] if component.get("component") else [])


def label_of(element: Json) -> str:
    """Return what a person calls a button or a select."""
    emoji = (element.get("emoji") or {}).get("name")
    return str(element.get("label") or element.get("placeholder") or emoji or element.get("custom_id", ""))
