"""What Slack's descriptions of channels and people say, in answers as Slack gives them."""

from typing import Any

import pytest

from bots.slack.profiles import Profile, Readers, is_guest, profile, readers

Json = dict[str, Any]


def channel(**more: Any) -> Json:
    """Return what `conversations.info` says of a public channel."""
    return {
        "ok": True,
        "channel": {
            "id": "C0GENERAL",
            "name": "general",
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_archived": False,
            "is_shared": False,
            "is_org_shared": False,
            "is_ext_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "pending_connected_team_ids": [],
            "shared_team_ids": ["T1"],
            "is_member": True,
        }
        | more,
    }


def without(answer: Json, key: str) -> Json:
    """Return an answer of which one field is missing."""
    return {"channel": {name: value for name, value in answer["channel"].items() if name != key}}


def user(**more: Any) -> Json:
    """Return what `users.info` says of a full member."""
    return {
        "ok": True,
        "user": {
            "id": "U0ANA",
            "team_id": "T1",
            "name": "ana.p",
            "deleted": False,
            "real_name": "Ana Perez",
            "profile": {"real_name": "Ana Perez", "display_name": "ana", "team": "T1"},
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": False,
        }
        | more,
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (channel(), Readers("workspace")),
        (channel(is_private=True), Readers("members")),
        (channel(is_private=True, is_channel=False, is_group=True), Readers("members")),
        (channel(is_private=True, is_mpim=True), Readers("members")),
        (
            {"channel": {"id": "D0ANA", "is_im": True, "is_org_shared": False, "user": "U0ANA"}},
            Readers("person", "U0ANA"),
        ),
    ],
)
def test_a_conversation_has_its_readers(answer: Json, expected: Readers) -> None:
    """A public channel is the workspace's, a private one and a group DM its members', a DM one person's."""
    assert readers(answer) == expected


@pytest.mark.parametrize(
    "outside",
    [
        {"is_shared": True},
        {"is_org_shared": True},
        {"is_ext_shared": True},
        {"is_pending_ext_shared": True},
        {"is_global_shared": True},
        {"pending_shared": ["T9"]},
        {"pending_connected_team_ids": ["T9"]},
    ],
)
@pytest.mark.parametrize("kind", [{}, {"is_private": True}, {"is_im": True, "user": "U0ANA"}])
def test_a_sign_of_outsiders_leaves_no_readers(kind: Json, outside: Json) -> None:
    """Shared with another company or workspace, or about to be: any single sign is enough, in any conversation."""
    assert readers(channel(**kind, **outside)) is None


@pytest.mark.parametrize("key", ["is_ext_shared", "is_org_shared", "is_pending_ext_shared", "is_private"])
@pytest.mark.parametrize("kind", [{}, {"is_private": True}])
def test_what_slack_leaves_open_is_not_taken_for_granted(kind: Json, key: str) -> None:
    """A channel of which Slack does not say whether outsiders read it has no readers."""
    assert readers(without(channel(**kind), key)) is None
    assert readers(channel(**kind | {key: None})) is None


@pytest.mark.parametrize(
    "answer", [{}, {"channel": None}, {"channel": []}, {"channel": {}}, channel(is_im=True), channel(is_mpim=True)]
)
def test_an_odd_description_has_no_readers(answer: Json) -> None:
    """No description, a DM without a person, a public group DM."""
    assert readers(answer) is None


@pytest.mark.parametrize(
    "more",
    [
        {"is_restricted": True},
        {"is_restricted": True, "is_ultra_restricted": True},
        {"is_restricted": None},
        {"is_ultra_restricted": None},
        {"is_stranger": True},
        {"is_bot": True},
        {"deleted": True},
        {"team_id": None},
    ],
)
def test_who_is_no_full_member_belongs_nowhere(more: Json) -> None:
    """Guests, strangers, bots, accounts that are gone, and people of whom Slack does not say what they are."""
    assert profile(user(**more)) == Profile(name="ana", teams=())


def test_somebody_of_an_organisation_belongs_to_its_workspaces() -> None:
    """In an Enterprise organisation a person may be a member of several workspaces."""
    grid = user(team_id="T1", enterprise_user={"enterprise_id": "E1", "teams": ["T1", "T2", None]})

    described = profile(grid)

    assert described is not None
    assert set(described.teams) == {"T1", "T2", "E1"}


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "ana"),
        ({"profile": {"display_name": " ", "real_name": "Ana Perez"}}, "Ana Perez"),
        ({"profile": None}, "Ana Perez"),
        ({"profile": None, "real_name": ""}, "ana.p"),
        ({"profile": None, "real_name": None, "name": None}, ""),
    ],
)
def test_people_have_the_name_they_show(more: Json, name: str) -> None:
    """The display name, else the real one, else the handle."""
    described = profile(user(**more))

    assert described is not None and described.name == name


@pytest.mark.parametrize("answer", [{}, {"user": None}, {"user": "U0ANA"}])
def test_an_odd_answer_describes_nobody(answer: Json) -> None:
    """Without a description there is no person."""
    assert profile(answer) is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"is_restricted": True}, True),
        ({"is_restricted": True, "is_ultra_restricted": True}, True),
        ({"is_restricted": None}, True),
        ({"is_stranger": True}, True),
        ({"team_id": "T9"}, True),
        ({"team_id": "T9", "enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T9"]}}, False),
        ({"deleted": True, "is_restricted": True}, False),
        ({"is_bot": True, "is_restricted": True}, False),
    ],
)
def test_whoever_is_not_surely_a_full_member_is_as_a_guest(more: Json, expected: bool) -> None:
    """Unless they cannot read at all, or are a bot."""
    assert is_guest(user(**more)["user"], "T1") == expected
