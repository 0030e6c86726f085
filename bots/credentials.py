"""What the tokens of chat platforms look like, so that one of another kind is told without asking anybody. Pure."""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable

from pydantic import SecretStr

from memory.settings import UnfitError

_SLACK_TOKENS = {
    "xoxb-": "a bot token",
    "xapp-": "an app-level token",
    "xoxp-": "a user token",
    "xoxe": "a token that expires",
}
_DISCORD_TOKEN = re.compile(r"([\w-]+)\.[\w-]+\.[\w-]+", re.ASCII)
_NOT_THE_TOKEN = (
    (re.compile(r"xox|xapp-"), "is a token of Slack"),
    (re.compile(r"(?i:bot|bearer)\s"), "begins with a word"),
    (re.compile(r".*\s"), "has a space in it"),
    (re.compile(r"mfa\."), "is a token of a person"),
    (re.compile(r"\d+\Z"), "is the number of an application"),
    (re.compile(r"[0-9a-f]{64}\Z"), "is the public key of an application"),
    (re.compile(r"[\w-]{32}\Z"), "looks like the client secret of an application"),
)
"""What people copy from the developer portal instead, by how it begins."""


def of_slack(prefix: str) -> Callable[[SecretStr], SecretStr]:
    """Return a validator of Slack's tokens of one kind, which tells another kind and never the token."""

    def check(value: SecretStr) -> SecretStr:
        given = value.get_secret_value()
        if given.startswith(prefix):
            return value
        kind = next((kind for start, kind in _SLACK_TOKENS.items() if given.startswith(start)), "no token of Slack")
        raise UnfitError(f"is {kind}")

    return check


def of_discord(value: SecretStr) -> SecretStr:
    """Validate a bot token of Discord; tell what it is instead, and never the token."""
    given = value.get_secret_value()
    if discord_bot(given) is not None:
        return value
    raise UnfitError(next((what for shape, what in _NOT_THE_TOKEN if shape.match(given)), "is no bot token of Discord"))


def discord_bot(token: str) -> str | None:
    """Return the id of the bot that a token of Discord is of, which is its application's too; None for no token."""
    found = _DISCORD_TOKEN.fullmatch(token)
    if found is None:
        return None
    encoded = found[1]
    try:
        number = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return number if number.isdigit() else None
