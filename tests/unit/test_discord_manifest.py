"""The page from which people install Recall in Discord, against what the code does."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord

from bots.discord.manifest import BROKEN_WITHOUT, NO_ID, install_page, permissions, privileged_intents

PAGE = Path(__file__).parents[2] / "manifests" / "discord" / "install.md"


def link(page: str) -> dict[str, list[str]]:
    """Return what the page's link asks for."""
    (found,) = re.findall(r"<(https://discord.com/oauth2/\S+)>", page)
    return parse_qs(urlsplit(found).query)


def test_the_file_is_the_code() -> None:
    """`recall manifest discord > manifests/discord/install.md` brings it up to date."""
    assert PAGE.read_text(encoding="utf-8") == install_page(None)


def test_the_link_asks_for_what_is_explained_and_nothing_else() -> None:
    """Each permission has its reason on the page, and in `recall doctor`."""
    asked = link(install_page(None))
    granted = discord.Permissions(int(asked["permissions"][0]))

    assert all(getattr(granted, name) for name in BROKEN_WITHOUT)
    assert granted.value.bit_count() == len(BROKEN_WITHOUT)
    assert asked["scope"] == ["bot applications.commands"]
    assert asked["client_id"] == [NO_ID]
    assert all(reason in install_page(None) for reason in BROKEN_WITHOUT.values())
    assert not permissions().administrator


def test_no_intent_is_privileged_but_in_follow_up_mode() -> None:
    """Mentions and direct messages need nothing of the developer portal."""
    assert (privileged_intents(follow_up=False), privileged_intents(follow_up=True)) == ([], ["message_content"])
