"""A modal, as a person fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord.components import walk
from tests.fakes.discord.model import DiscordRefusesError
from tests.fakes.discord.world import Interaction

Json = dict[str, Any]

_TEXT_INPUT, _LABEL = 4, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Modal:
    """A modal that stands open; `behind` is the interaction that opened it."""

    body: Json
    behind: Interaction

    @property
    def fields(self) -> dict[str, Json]:
        """What can be filled in, by label."""
        found: dict[str, Json] = {}
        label = ""
        for each in walk(self.body.get("components") or []):
            if each.get("type") == _LABEL:
                label = str(each.get("label", ""))
            elif "custom_id" in each:
                found[str(each.get("label") or label)] = each
        return found

    @property
    def shown(self) -> str:
        """What a person reads."""
        return "\n".join([str(self.body.get("title", "")), *self.fields])

    def filled(self, values: Mapping[str, str]) -> Json:
        """Return what is sent when it is submitted with these values, by label; the rest is as it was opened."""
        unknown = values.keys() - self.fields.keys()
        if unknown:
            raise DiscordRefusesError(f"there is no {sorted(unknown)}; there are {list(self.fields)}")
        by_id = {self.fields[label]["custom_id"]: value for label, value in values.items()}
        components = [self._filled(row, by_id) for row in self.body.get("components") or []]
        return {"custom_id": self.body["custom_id"], "components": components}

    def _filled(self, component: Json, values: Mapping[str, str]) -> Json:
        result: Json = {"type": component["type"], "id": component.get("id", 0)}
        if "custom_id" in component:
            value = values.get(component["custom_id"], str(component.get("value") or ""))
            self._check(component, value)
            given = {"value": value} if component["type"] == _TEXT_INPUT else {"values": [value] if value else []}
            return result | {"custom_id": component["custom_id"]} | given
        if "component" in component:
            return result | {"component": self._filled(component["component"], values)}
        return result | {"components": [self._filled(each, values) for each in component.get("components") or []]}

    @staticmethod
    def _check(component: Json, value: str) -> None:
        least, most = int(component.get("min_length") or 0), int(component.get("max_length") or 4_000)
        if component.get("required", True) and not value:
            raise DiscordRefusesError(f"{component['custom_id']} must be filled in")
        if value and not least <= len(value) <= most:
            raise DiscordRefusesError(f"{component['custom_id']} takes {least} to {most} characters")
