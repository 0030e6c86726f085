"""The platforms' settings, and the one place that reads the environment and `.env`.

Reads only when `load_settings` is called, and reports everything that is wrong at once.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import DotEnvSettingsSource

from bots.credentials import of_discord, of_slack
from memory.errors import ConfigError
from memory.settings import HttpUrl, MemorySettings, SettingsGroup, setting, url_with

NO_MODEL = "No language model is configured: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server of your own."

_MODEL = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
_TOKENS = {"slack": ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), "discord": ("DISCORD_TOKEN",)}
_OWN_PREFIX = "RECALL_"
_FLAG = "true or false"
_HTTP = "a URL that starts with http:// or https://"


class PlatformSettings(SettingsGroup):
    """What the chat platforms can be told. Attributes carry their meaning in their description."""

    slack_bot_token: Annotated[SecretStr, AfterValidator(of_slack("xoxb-"))] | None = setting(
        "SLACK_BOT_TOKEN", meaning="Slack's bot token.", allowed="a bot token, which begins with xoxb-"
    )
    slack_app_token: Annotated[SecretStr, AfterValidator(of_slack("xapp-"))] | None = setting(
        "SLACK_APP_TOKEN",
        meaning="Slack's app token, for Socket Mode.",
        allowed="an app-level token, which begins with xapp-",
    )
    slack_api_url: HttpUrl | None = setting(
        "SLACK_API_URL", meaning="Slack's Web API, for GovSlack or a proxy.", allowed=_HTTP, shown_default="Slack's"
    )
    discord_token: Annotated[SecretStr, AfterValidator(of_discord)] | None = setting(
        "DISCORD_TOKEN",
        meaning="Discord's bot token.",
        allowed="the token of the Bot page, three parts with dots between them",
    )
    discord_api_url: HttpUrl | None = setting(
        "DISCORD_API_URL", meaning="Discord's REST API, for a proxy.", allowed=_HTTP, shown_default="Discord's"
    )
    discord_gateway_url: Annotated[SecretStr, AfterValidator(url_with("ws", "wss"))] | None = setting(
        "DISCORD_GATEWAY_URL",
        meaning="Discord's gateway, for a proxy.",
        allowed="a URL that starts with ws:// or wss://",
        shown_default="Discord's",
    )
    slack_follow_up: bool = setting(
        "SLACK_FOLLOW_UP", default=True, meaning="Answer in Recall's threads without a mention.", allowed=_FLAG
    )
    discord_follow_up: bool = setting(
        "DISCORD_FOLLOW_UP",
        default=False,
        meaning="The same in Discord; needs the Message Content intent.",
        allowed=_FLAG,
    )
    discord_auto_thread: bool = setting(
        "DISCORD_AUTO_THREAD", default=True, meaning="Open a thread for a mention.", allowed=_FLAG
    )
    http_port: Annotated[int, Field(ge=0, le=65535)] = setting(
        "RECALL_HTTP_PORT",
        0,
        meaning="Port of /healthz, /readyz and /metrics; 0 is off.",
        allowed="a port number, or 0 for none",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything Recall can be told."""

    memory: MemorySettings
    platforms: PlatformSettings


GROUPS: tuple[type[SettingsGroup], ...] = (MemorySettings, PlatformSettings)


Needs = Callable[[Collection[str]], Sequence[str]]
"""Says what more a command needs, given the names of what is set: a line for each."""


def no_needs(_given: Collection[str]) -> Sequence[str]:
    """Where the defaults do."""
    return ()


def load_settings(
    environ: Mapping[str, str] | None = None, *, env_file: Path = Path(".env"), needs: Needs = no_needs
) -> Settings:
    """Read the settings; the environment goes before the file, and an empty value counts as unset.

    Args:
        environ: The environment; None for the process's own.
        env_file: Read if it is there.
        needs: What must be set besides.

    Raises:
        ConfigError: With one line for each value that does not fit, each unknown `RECALL_` name and each need.
    """
    given = {name: value for name, value in (os.environ if environ is None else environ).items() if value.strip()}
    values = _read_file(env_file) | given
    problems = list(_unknown_names(values))
    memory = MemorySettings.read(values, problems)
    platforms = PlatformSettings.read(values, problems)
    problems += needs([name for name, value in values.items() if value.strip()])
    if problems or memory is None or platforms is None:
        raise ConfigError(problems)
    return Settings(memory=memory, platforms=platforms)


def _read_file(env_file: Path) -> dict[str, str]:
    try:
        found = DotEnvSettingsSource(
            MemorySettings, env_file=env_file, case_sensitive=True, env_ignore_empty=True
        ).env_vars
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            [f"{env_file} cannot be read ({type(exc).__name__}); it must be a text file in UTF-8."]
        ) from exc
    return {name: value for name, value in found.items() if value is not None}


def _unknown_names(values: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for every name that looks like ours and is not: a typing error must not pass silently."""
    known = [
        name.removeprefix(_OWN_PREFIX) for group in GROUPS for name in group.names() if name.startswith(_OWN_PREFIX)
    ]
    for name in sorted(values):
        rest = name.removeprefix(_OWN_PREFIX)
        if name.startswith(_OWN_PREFIX) and rest not in known:
            near = get_close_matches(rest, known, n=1, cutoff=0.5)
            yield f"{name} is not a setting" + (f"; did you mean {_OWN_PREFIX}{near[0]}?" if near else ".")


def serving_needs(given: Collection[str], *, platform: str | None = None) -> Sequence[str]:
    """Return a line for each thing that is not set and without which no chat platform can be served.

    Args:
        given: The names of what is set.
        platform: "slack" or "discord"; whatever is configured when None.
    """
    configured = {name: all(token in given for token in tokens) for name, tokens in _TOKENS.items()}
    needs = [] if any(name in given for name in _MODEL) else [NO_MODEL]
    if platform is not None and not configured[platform]:
        needs.append(f"--platform {platform} needs {_named(platform)}.")
    elif not any(configured.values()):
        needs.append(f"No chat platform is configured: set {_named('slack')}, or {_named('discord')}.")
    return needs


def _named(platform: str) -> str:
    return " and ".join(_TOKENS[platform])


def effective(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield every variable with the value in force; of secrets only that they are set, of URLs no password."""
    for group in (settings.memory, settings.platforms):
        for attribute, field in type(group).model_fields.items():
            extra = field.json_schema_extra
            default = str(extra["shown_default"]) if isinstance(extra, dict) else ""
            yield str(field.validation_alias), _shown(getattr(group, attribute), default)


def _shown(value: object, default: str) -> str:
    match value:
        case None:
            return f"({default or 'not set'})"
        case SecretStr():
            parts = urlsplit(value.get_secret_value())
            return (
                f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
                if parts.netloc
                else "(set)"
            )
        case bool():
            return str(value).lower()
        case _:
            return str(value)
