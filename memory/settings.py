"""The memory core's settings: names, defaults, meanings and bounds. Nothing is read when this module is imported.

Every setting states its variable, meaning and allowed values here once; error lines, `.env.example` and `recall doctor`
follow from that. `bots.settings` reads the environment; this module knows no platform.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, JsonValue, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from memory.model import MemoryMode


def setting(name: str, default: Any = None, *, meaning: str, allowed: str, shown_default: str = "") -> Any:
    """Declare a setting.

    Args:
        name: The environment variable.
        default: Its value when unset or empty.
        meaning: One line for the operator.
        allowed: What a value may be, as the end of the sentence "it must be ...".
        shown_default: What documentation shows when `default` alone does not say it.
    """
    extra: dict[str, JsonValue] = {"allowed": allowed, "shown_default": shown_default}
    made = {"default_factory": default} if callable(default) else {"default": default}
    return Field(validation_alias=name, description=meaning, json_schema_extra=extra, **made)


def url_with(*schemes: str, host_needed: bool = True) -> Callable[[SecretStr], SecretStr]:
    """Return a validator of URLs: one of `schemes`, and a host unless a socket does as well."""

    def check(value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        host_missing = host_needed and not parts.hostname
        if parts.scheme not in schemes or host_missing or parts.port == 0:  # a bad port raises ValueError by itself
            raise ValueError("scheme, host or port")
        return value

    return check


class UnfitError(ValueError):
    """A value does not fit and is not to be shown; the text says what it is, as in "is an app-level token"."""


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


Seconds = Annotated[float, Field(gt=0), AfterValidator(_finite)]
HttpUrl = Annotated[SecretStr, AfterValidator(url_with("http", "https"))]
"""URLs are secrets: they may carry a password."""

Folder = Annotated[Path, AfterValidator(Path.expanduser)]

_UNSHOWN = "has a value that does not fit"
_SECONDS = "a number of seconds above 0, such as 90 or 0.5"


class SettingsGroup(BaseSettings):
    """Settings that are given by value; the environment is read in `bots.settings` alone."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic calls it by these names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take constructor arguments only, so that a test or a script sees no stray variable."""
        return (init_settings,)

    @classmethod
    def names(cls) -> Sequence[str]:
        """Return the variables of this group, in the order they are declared."""
        return [str(field.validation_alias) for field in cls.model_fields.values()]

    @classmethod
    def read(cls, environ: Mapping[str, str], problems: list[str]) -> Self | None:
        """Build the group from `environ`; on failure add a line for each bad value to `problems` and return None."""
        values = {name: environ[name].strip() for name in cls.names() if environ.get(name, "").strip()}
        try:
            return cls(**values)
        except ValidationError as exc:
            bad = {str(error["loc"][0]): error.get("ctx", {}).get("error") for error in exc.errors()}
            problems.extend(_problem(cls, name, values[name], bad[name]) for name in cls.names() if name in bad)
            return None


def _problem(group: type[SettingsGroup], name: str, given: str, error: object) -> str:
    """Name the variable, what was given (never a secret) and what is allowed."""
    field = next(field for field in group.model_fields.values() if field.validation_alias == name)
    extra = field.json_schema_extra
    allowed = extra["allowed"] if isinstance(extra, dict) else ""
    hidden = "SecretStr" in str(field.annotation) and "@" in given  # a URL with a password in it
    shown = str(error) if isinstance(error, UnfitError) else _UNSHOWN if hidden else f"is {given!r}"
    return f"{name} {shown}; it must be {allowed}."


class MemorySettings(SettingsGroup):
    """What the memory core can be told. Attributes carry their meaning in their description."""

    anthropic_api_key: SecretStr | None = setting(
        "ANTHROPIC_API_KEY",
        meaning="Key of the Messages API; with it, or a base URL, a model is configured.",
        allowed="a key",
    )
    anthropic_base_url: HttpUrl | None = setting(
        "ANTHROPIC_BASE_URL",
        meaning="Any server that speaks the Messages API: llama.cpp, Ollama, a gateway.",
        allowed="a URL that starts with http:// or https://",
        shown_default="the SDK's",
    )
    chat_model: str = setting(
        "RECALL_CHAT_MODEL", "claude-opus-4-8", meaning="The model that answers.", allowed="a model's name"
    )
    extract_model: str = setting(
        "RECALL_EXTRACT_MODEL",
        "claude-haiku-4-5-20251001",
        meaning="The model that makes summaries and extracts facts.",
        allowed="a model's name",
    )
    redis_url: Annotated[SecretStr, AfterValidator(url_with("redis", "rediss"))] | None = setting(
        "REDIS_URL",
        meaning="Short-term memory.",
        allowed="a URL that starts with redis:// or rediss://",
        shown_default="embedded",
    )
    chromadb_url: HttpUrl | None = setting(
        "CHROMADB_URL",
        meaning="The vector index.",
        allowed="a URL that starts with http:// or https://",
        shown_default="embedded",
    )
    chromadb_token: SecretStr | None = setting(
        "CHROMADB_TOKEN", meaning="Bearer token for the server that CHROMADB_URL names.", allowed="a token"
    )
    database_url: Annotated[SecretStr, AfterValidator(url_with("postgresql", host_needed=False))] | None = setting(
        "DATABASE_URL",
        meaning="The record: messages, facts, audit log.",
        allowed="a URL that starts with postgresql://",
        shown_default="embedded",
    )
    data_dir: Folder = setting(
        "RECALL_DATA_DIR",
        lambda: user_data_path("recall", appauthor=False),
        meaning="The folder of everything embedded.",
        allowed="a folder",
        shown_default="the user's data folder",
    )
    embedding_model: str = setting(
        "RECALL_EMBEDDING_MODEL",
        "all-MiniLM-L6-v2",
        meaning="A sentence-transformers name or folder; after a change, run `recall reindex`.",
        allowed="a model's name or folder",
    )
    idle_after_s: Seconds = setting(
        "RECALL_IDLE_AFTER_S", 900.0, meaning="A thread quiet for so long is learned from.", allowed=_SECONDS
    )
    sweep_every_s: Seconds = setting(
        "RECALL_SWEEP_EVERY_S", 60.0, meaning="How often quiet threads are looked for.", allowed=_SECONDS
    )
    extract_every_turns: Annotated[int, Field(ge=1)] = setting(
        "RECALL_EXTRACT_EVERY_TURNS",
        10,
        meaning="A busy thread is learned from after so many new turns.",
        allowed="a whole number of at least 1",
    )
    mode: MemoryMode = setting(
        "RECALL_MEMORY",
        "full",
        meaning="buffer: recent turns alone; summary: and the running summary; full: and facts and episodes.",
        allowed="buffer, summary or full",
    )
    session_ttl_s: Seconds = setting(
        "RECALL_SESSION_TTL_S", 86400.0, meaning="How long Redis keeps a quiet thread.", allowed=_SECONDS
    )
    recent_turns: Annotated[int, Field(ge=1)] = setting(
        "RECALL_RECENT_TURNS",
        20,
        meaning="Turns kept word for word; older ones go into the summary.",
        allowed="a whole number of at least 1",
    )
    context_tokens: Annotated[int, Field(ge=1500)] = setting(
        "RECALL_CONTEXT_TOKENS",
        24000,
        meaning="Token budget of one model call.",
        allowed="a whole number of at least 1500",
    )
    user_turns_per_min: Annotated[int, Field(ge=1)] = setting(
        "RECALL_USER_TURNS_PER_MIN",
        60,
        meaning="Over it, a person's turns wait, visibly; nothing is refused.",
        allowed="a whole number of at least 1",
    )
    retention_days: Annotated[float, Field(ge=0), AfterValidator(_finite)] = setting(
        "RECALL_RETENTION_DAYS",
        365.0,
        meaning="Days that episodes and quiet threads are kept, facts aside; 0 keeps everything.",
        allowed="a number of days of at least 0, such as 365 or 0.5",
    )

    @property
    def model_configured(self) -> bool:
        """Whether a language model can be asked."""
        return self.anthropic_api_key is not None or self.anthropic_base_url is not None

    @property
    def is_embedded(self) -> bool:
        """Whether any store lives in the data folder, which one process owns."""
        return None in (self.redis_url, self.chromadb_url, self.database_url)
