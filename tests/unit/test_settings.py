"""The settings: what is read, what is refused, and that `.env.example` tells of all of them."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.settings import GROUPS, NO_MODEL, Needs, effective, load_settings, no_needs, serving_needs
from memory.errors import ConfigError
from memory.settings import MemorySettings

NO_FILE = Path("no such file")
ROOT = Path(__file__).parents[2]

_DISCORD_TOKEN = "it must be the token of the Bot page, three parts with dots between them."


def _problems(environ: dict[str, str], env_file: Path = NO_FILE, *, needs: Needs = no_needs) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load_settings(environ, env_file=env_file, needs=needs)
    return raised.value.problems


def test_defaults_are_those_of_the_design() -> None:
    """Without any variable everything runs embedded, with the documented numbers."""
    settings = load_settings({}, env_file=NO_FILE)

    assert settings.memory.chat_model == "claude-opus-4-8"
    assert settings.memory.extract_model == "claude-haiku-4-5-20251001"
    assert settings.memory.embedding_model == "all-MiniLM-L6-v2"
    assert (settings.memory.idle_after_s, settings.memory.sweep_every_s) == (900, 60)
    assert (settings.memory.extract_every_turns, settings.memory.recent_turns) == (10, 20)
    assert (settings.memory.session_ttl_s, settings.memory.context_tokens) == (86400, 24000)
    assert settings.memory.mode == "full"
    assert settings.memory.is_embedded
    assert not settings.memory.model_configured
    assert settings.memory.user_turns_per_min == 60
    assert (settings.platforms.slack_follow_up, settings.platforms.discord_follow_up) == (True, False)
    assert settings.platforms.http_port == 0


def test_every_value_is_read_under_its_name() -> None:
    """A value from the environment arrives, with fractions of seconds and secrets wrapped."""
    environ = {
        "ANTHROPIC_API_KEY": "key-1",
        "ANTHROPIC_BASE_URL": "http://localhost:8080",
        "REDIS_URL": "rediss://:pw@redis:6380/1",
        "CHROMADB_URL": "https://chroma:8000",
        "DATABASE_URL": "postgresql://u:pw@db/recall",
        "RECALL_IDLE_AFTER_S": "0.5",
        "RECALL_MEMORY": "summary",
        "RECALL_DATA_DIR": "/data",
        "DISCORD_FOLLOW_UP": "true",
        "RECALL_HTTP_PORT": "9090",
    }

    settings = load_settings(environ, env_file=NO_FILE)

    assert settings.memory.anthropic_api_key == SecretStr("key-1")
    assert settings.memory.database_url == SecretStr("postgresql://u:pw@db/recall")
    assert settings.memory.idle_after_s == 0.5
    assert settings.memory.mode == "summary"
    assert settings.memory.data_dir == Path("/data")
    assert settings.memory.model_configured
    assert not settings.memory.is_embedded
    assert settings.platforms.discord_follow_up
    assert settings.platforms.http_port == 9090
    assert "pw" not in repr(settings)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"])
def test_a_key_or_a_base_url_configures_a_model(name: str) -> None:
    """Either of the two is enough."""
    assert load_settings({name: "http://localhost:1"}, env_file=NO_FILE).memory.model_configured


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    """Empty and blank values leave the default, and leave `.env` its say."""
    env_file = tmp_path / ".env"
    env_file.write_text("RECALL_RECENT_TURNS=7\nRECALL_CHAT_MODEL=\n")

    settings = load_settings({"RECALL_RECENT_TURNS": "", "REDIS_URL": " "}, env_file=env_file)

    assert settings.memory.recent_turns == 7
    assert settings.memory.chat_model == "claude-opus-4-8"
    assert settings.memory.redis_url is None


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """What is exported wins over what stands in `.env`."""
    env_file = tmp_path / ".env"
    env_file.write_text("RECALL_RECENT_TURNS=7\nRECALL_HTTP_PORT=8081\n")

    settings = load_settings({"RECALL_RECENT_TURNS": "9"}, env_file=env_file)

    assert (settings.memory.recent_turns, settings.platforms.http_port) == (9, 8081)


def test_all_problems_are_reported_at_once() -> None:
    """One line for each bad value of either group, naming the variable, the value and what is allowed."""
    problems = _problems({"RECALL_MEMORY": "none", "RECALL_HTTP_PORT": "70000", "DATABASE_URL": "mysql://db"})

    assert problems == (
        "DATABASE_URL is 'mysql://db'; it must be a URL that starts with postgresql://.",
        "RECALL_MEMORY is 'none'; it must be buffer, summary or full.",
        "RECALL_HTTP_PORT is '70000'; it must be a port number, or 0 for none.",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECALL_IDLE_AFTER_S", "0"),
        ("RECALL_IDLE_AFTER_S", "-1"),
        ("RECALL_IDLE_AFTER_S", "nan"),
        ("RECALL_SWEEP_EVERY_S", "inf"),
        ("RECALL_SWEEP_EVERY_S", "soon"),
        ("RECALL_RECENT_TURNS", "0"),
        ("RECALL_RECENT_TURNS", "2.5"),
        ("RECALL_CONTEXT_TOKENS", "10"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "http://redis:6379"),
        ("CHROMADB_URL", "http://chroma:port"),
        ("DISCORD_GATEWAY_URL", "https://gateway"),
        ("SLACK_FOLLOW_UP", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: str) -> None:
    """Numbers out of range and URLs of another kind are refused by name."""
    (problem,) = _problems({name: value})

    assert problem.startswith(f"{name} is {value!r}; it must be ")


def test_a_password_is_never_shown() -> None:
    """A URL that carries a password is refused without repeating it."""
    (problem,) = _problems({"REDIS_URL": "http://user:hunter2@redis"})

    assert problem.startswith("REDIS_URL has a value that does not fit;")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "SLACK_BOT_TOKEN",
            "banana",
            "SLACK_BOT_TOKEN is no token of Slack; it must be a bot token, which begins with xoxb-.",
        ),
        (
            "SLACK_BOT_TOKEN",
            "xapp-1-A0123-hunter2",
            "SLACK_BOT_TOKEN is an app-level token; it must be a bot token, which begins with xoxb-.",
        ),
        (
            "SLACK_APP_TOKEN",
            "xoxb-hunter2",
            "SLACK_APP_TOKEN is a bot token; it must be an app-level token, which begins with xapp-.",
        ),
        (
            "SLACK_BOT_TOKEN",
            "xoxe.xoxb-1-hunter2",
            "SLACK_BOT_TOKEN is a token that expires; it must be a bot token, which begins with xoxb-.",
        ),
        ("DISCORD_TOKEN", "xoxb-hunter2", f"DISCORD_TOKEN is a token of Slack; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "Bot MTIz.hun.ter2", f"DISCORD_TOKEN begins with a word; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "MTIz.hun ter.2", f"DISCORD_TOKEN has a space in it; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "1764000000000000000", f"DISCORD_TOKEN is the number of an application; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "h" * 32, f"DISCORD_TOKEN looks like the client secret of an application; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "0" * 63 + "a", f"DISCORD_TOKEN is the public key of an application; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "mfa.hunter2", f"DISCORD_TOKEN is a token of a person; {_DISCORD_TOKEN}"),
        ("DISCORD_TOKEN", "hunter.two.three", f"DISCORD_TOKEN is no bot token of Discord; {_DISCORD_TOKEN}"),
    ],
)
def test_a_token_of_another_kind_is_named_and_never_shown(name: str, value: str, line: str) -> None:
    """Such as two tokens in each other's place."""
    assert _problems({name: value}) == (line,)


def test_an_unknown_name_is_a_problem_with_a_suggestion(tmp_path: Path) -> None:
    """A typing error in one of our names does not pass silently, in the environment or in `.env`."""
    env_file = tmp_path / ".env"
    env_file.write_text("RECALL_IDLE_AFTER=5\n")

    problems = _problems({"RECALL_MEMRY": "full", "RECALL_ZZZ": "1"}, env_file)

    assert problems == (
        "RECALL_IDLE_AFTER is not a setting; did you mean RECALL_IDLE_AFTER_S?",
        "RECALL_MEMRY is not a setting; did you mean RECALL_MEMORY?",
        "RECALL_ZZZ is not a setting.",
    )


def test_names_of_others_are_left_alone() -> None:
    """Variables that do not begin like ours are none of our business."""
    load_settings({"REDIS_URI": "x", "PATH": "/bin"}, env_file=NO_FILE)


def test_an_unreadable_env_file_is_a_problem(tmp_path: Path) -> None:
    """A `.env` that is no text is reported in one line."""
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"\xff\xfe\x00")

    (problem,) = _problems({}, env_file)

    assert problem.endswith("cannot be read (UnicodeDecodeError); it must be a text file in UTF-8.")


def test_a_folder_of_that_name_is_no_env_file(tmp_path: Path) -> None:
    """A virtual environment in `.env` is not mistaken for settings."""
    load_settings({}, env_file=tmp_path)


def test_a_database_on_a_socket_needs_no_host() -> None:
    """PostgreSQL's URL may name a socket folder instead of a host."""
    url = "postgresql://postgres@/recall?host=/run/postgresql"

    assert load_settings({"DATABASE_URL": url}, env_file=NO_FILE).memory.database_url == SecretStr(url)


def test_a_home_folder_is_expanded() -> None:
    """`~` means the home folder here too, where no shell has expanded it."""
    settings = load_settings({"RECALL_DATA_DIR": "~/recall"}, env_file=NO_FILE)

    assert settings.memory.data_dir == Path.home() / "recall"


def test_settings_given_by_value_see_no_environment() -> None:
    """A constructor takes its arguments only, so a stray variable changes no test and no script."""
    settings = MemorySettings(data_dir=Path("/elsewhere"), recent_turns=3)

    assert settings == MemorySettings(data_dir=Path("/elsewhere"), recent_turns=3)
    assert settings.anthropic_api_key is None


def test_serving_without_a_model_names_both_settings() -> None:
    """The missing model and the missing platform are both said, with the variables that mend them."""
    problems = _problems({}, needs=serving_needs)

    assert problems[0] == NO_MODEL
    assert "ANTHROPIC_API_KEY" in NO_MODEL
    assert "ANTHROPIC_BASE_URL" in NO_MODEL
    assert "SLACK_BOT_TOKEN and SLACK_APP_TOKEN" in problems[1]


def test_what_is_missing_stands_in_one_list_with_what_does_not_fit() -> None:
    """Nobody has to mend one setting to hear of the next; one that does not fit is set all the same."""
    given = {"RECALL_RECENT_TURNS": "many", "SLACK_BOT_TOKEN": "banana", "SLACK_APP_TOKEN": "xapp-1", "REDIS_URL": "x"}

    assert [line.split()[0] for line in _problems(given, needs=serving_needs)] == [
        "REDIS_URL",
        "RECALL_RECENT_TURNS",
        "SLACK_BOT_TOKEN",
        "No",
    ]


def test_serving_a_named_platform_names_its_tokens() -> None:
    """`--platform slack` asks for Slack's tokens, whatever else is configured."""
    needs = serving_needs(["DISCORD_TOKEN", "ANTHROPIC_API_KEY"], platform="slack")

    assert needs == ["--platform slack needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN."]


def test_what_is_in_force_is_shown_without_secrets() -> None:
    """Every variable is listed; tokens only as set, URLs without their password."""
    environ = {"ANTHROPIC_API_KEY": "sk-1", "DATABASE_URL": "postgresql://u:hunter2@db:5432/recall"}
    shown = dict(effective(load_settings(environ, env_file=NO_FILE)))

    assert list(shown) == [name for group in GROUPS for name in group.names()]
    assert shown["ANTHROPIC_API_KEY"] == "(set)"
    assert shown["DATABASE_URL"] == "postgresql://db:5432/recall"
    assert shown["REDIS_URL"] == "(embedded)"
    assert shown["SLACK_FOLLOW_UP"] == "true"


def _example() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_example_file_lists_every_setting_in_order() -> None:
    """`.env.example` and the code name the same settings in the same order."""
    assert list(_example()) == [name for group in GROUPS for name in group.names()]


def test_the_example_file_states_the_defaults(tmp_path: Path) -> None:
    """With every line uncommented, `.env.example` changes nothing."""
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in _example().items()), encoding="utf-8")

    assert load_settings({}, env_file=env_file) == load_settings({}, env_file=NO_FILE)


def test_the_example_file_states_the_meanings() -> None:
    """Above every setting stands the meaning that the code gives it."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    for group in GROUPS:
        for field in group.model_fields.values():
            assert re.search(
                rf"^# {re.escape(str(field.description))}.*\n#{field.validation_alias}=", text, re.MULTILINE
            )
