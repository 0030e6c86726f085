"""The audience law over generated people, channels, tenants and memories."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.audience import (
    Scope,
    audience_of_sources,
    covers,
    entry_labels,
    everyone_in,
    is_community,
    is_private,
    is_visible,
    members_of,
    private_to,
    scope_beside,
    scope_for,
    scope_labels,
    scope_of_learning,
)
from memory.model import Audience, ChannelId, Place, SessionId, TenantId, UserId

_TENANTS = ["c:T1", "c:T2", "c:dm"]
_NOBODYS = TenantId("c:dm")
_tenants = st.sampled_from(_TENANTS).map(TenantId)


def _everyone(tenant: TenantId) -> Audience:
    """Return everyone in a tenant as a record would have it, also in one where nobody can be let be everyone."""
    return Audience(f"workspace:{tenant}")


def _users(tenant: TenantId) -> st.SearchStrategy[UserId]:
    return st.sampled_from(["U1", "U2", "U3"]).map(lambda name: UserId(f"{tenant}:{name}"))


def _channels(tenant: TenantId) -> st.SearchStrategy[ChannelId]:
    return st.sampled_from(["C1", "C2"]).map(lambda name: ChannelId(f"{tenant}:{name}"))


def _audiences(tenant: TenantId) -> st.SearchStrategy[Audience]:
    return st.one_of(
        _users(tenant).map(private_to),
        _channels(tenant).map(members_of),
        st.just(_everyone(tenant)),
        st.sampled_from(["", "unknown", "shared:C1"]).map(Audience),
    )


def _places(tenant: TenantId) -> st.SearchStrategy[Place]:
    return st.builds(
        Place,
        session_id=st.just(SessionId("s")),
        channel_id=_channels(tenant),
        tenant_id=st.just(tenant),
        audience=_audiences(tenant),
        shared=st.booleans(),
        outsiders=st.booleans(),
    )


def _scopes(tenant: TenantId) -> st.SearchStrategy[Scope]:
    return st.builds(
        lambda place, reader, channels: scope_for(place, reader, member_of=channels),
        _places(tenant),
        _users(tenant),
        st.lists(_channels(tenant), max_size=2),
    )


_any_scope = _tenants.flatmap(_scopes)
_any_memory = _tenants.flatmap(
    lambda tenant: st.fixed_dictionaries(
        {
            "tenant_id": st.just(tenant),
            "audience": _audiences(tenant),
            "owner": _users(tenant),
            "about_owner": st.booleans(),
        }
    )
)


def _place(audience: Audience, *, shared: bool) -> Place:
    return Place(
        session_id=SessionId("s"),
        channel_id=ChannelId("c:T1:C1"),
        tenant_id=TenantId("c:T1"),
        audience=audience,
        shared=shared,
    )


@dataclass(frozen=True)
class Room:
    """A channel and who is in it; a public one is read by every full member, in it or not."""

    name: str
    members: frozenset[str]
    is_public: bool

    @property
    def audience(self) -> Audience:
        """For whom it is what is said in it."""
        return everyone_in(_TENANT) if self.is_public else members_of(self.channel_id)

    @property
    def channel_id(self) -> ChannelId:
        """As memory knows it."""
        return ChannelId(f"{_TENANT}:{self.name}")

    @property
    def readers(self) -> frozenset[str]:
        """Everybody who can read it."""
        return self.members | (_FULL if self.is_public else frozenset())

    @property
    def place(self) -> Place:
        """A thread of it."""
        return Place(
            session_id=SessionId("s"),
            channel_id=self.channel_id,
            tenant_id=_TENANT,
            audience=self.audience,
            shared=True,
            outsiders=not self.members <= _FULL,
        )


_TENANT = TenantId("c:T1")
_FULL = frozenset({"U1", "U2", "U3"})
_EVERYBODY = [*sorted(_FULL), "G1", "G2"]


def _rooms(name: str) -> st.SearchStrategy[Room]:
    return st.builds(Room, st.just(name), st.frozensets(st.sampled_from(_EVERYBODY)), st.booleans())


@given(_rooms("C1"), _rooms("C2"), st.sampled_from(["C1", "C2"]), st.sampled_from(sorted(_FULL)), st.booleans())
def test_whoever_reads_an_answer_could_have_read_its_sources(
    here: Room, elsewhere: Room, source: str, asker: str, about_owner: bool
) -> None:
    """In a channel, guests of it included: what is drawn on was said where each of its readers can read."""
    reader, room = UserId(f"{_TENANT}:{asker}"), here if source == "C1" else elsewhere
    scope = scope_for(here.place, reader)
    is_used = is_visible(scope, tenant_id=_TENANT, audience=room.audience, owner=reader, about_owner=about_owner)

    assert not is_used or here.readers <= room.readers


@given(_rooms("C1"), st.sampled_from(sorted(_FULL)), st.sampled_from(_EVERYBODY))
def test_no_direct_message_is_drawn_on_in_a_channel(here: Room, asker: str, owner: str) -> None:
    """Whoever is in it, also where the asker alone is shown what an answer there was given."""
    reader, other = UserId(f"{_TENANT}:{asker}"), UserId(f"{_TENANT}:{owner}")
    for scope in (scope_for(here.place, reader), scope_beside(here.place, reader)):
        assert not is_visible(scope, tenant_id=_TENANT, audience=private_to(other), owner=other, about_owner=False)


@given(_rooms("C1"), st.sampled_from(sorted(_FULL)))
def test_a_full_member_alone_is_shown_what_they_can_read(here: Room, asker: str) -> None:
    """Guests who read along take nothing from what only a full member sees."""
    reader = UserId(f"{_TENANT}:{asker}")

    assert scope_beside(here.place, reader).audiences == {here.audience, everyone_in(_TENANT)}


@given(_rooms("C1"), _rooms("C2"), st.sampled_from(sorted(_FULL)))
def test_what_is_learned_is_held_against_what_is_recalled_with_it(here: Room, there: Room, asker: str) -> None:
    """What extraction is shown in one thread is seen wherever its outcome is, so the outcome can tell nobody of it."""
    reader = UserId(f"{_TENANT}:{asker}")
    shown, recalled = scope_of_learning(here.place, reader), scope_for(there.place, reader)

    assert here.audience not in recalled.audiences or shown.audiences <= recalled.audiences


def test_what_is_said_among_guests_is_learned_as_everywhere() -> None:
    """In a public channel an update finds the fact that it supersedes, though that is not recalled there."""
    reader, room = UserId("c:T1:U1"), Room("C1", frozenset({"U1", "G1"}), is_public=True)

    assert scope_for(room.place, reader) == Scope.nothing(tenant_id=_TENANT, reader=reader)
    assert scope_of_learning(room.place, reader).audiences == {everyone_in(_TENANT)}


@given(_any_scope, _any_memory)
def test_labels_say_what_is_visible(scope: Scope, memory: dict) -> None:  # type: ignore[type-arg]  # keyword arguments
    """The full-text labels of a scope and of an entry meet exactly when the memory is visible there."""
    labels = entry_labels(audience=memory["audience"], owner=memory["owner"], about_owner=memory["about_owner"])

    assert is_visible(scope, **memory) == (
        memory["tenant_id"] == scope.tenant_id and not labels.isdisjoint(scope_labels(scope))
    )


@given(_any_scope, _any_memory)
def test_tenants_never_mix(scope: Scope, memory: dict) -> None:  # type: ignore[type-arg]  # keyword arguments
    """Nothing of one tenant is visible in another, by the law or by the labels."""
    if memory["tenant_id"] == scope.tenant_id:
        return
    labels = entry_labels(audience=memory["audience"], owner=memory["owner"], about_owner=memory["about_owner"])

    assert not is_visible(scope, **memory)
    assert labels.isdisjoint(scope_labels(scope))


@given(_scopes(_NOBODYS), _audiences(_NOBODYS), _users(_NOBODYS), st.booleans())
def test_people_who_share_nothing_are_told_nothing_of_each_other(
    scope: Scope, audience: Audience, owner: UserId, about_owner: bool
) -> None:
    """In direct messages of no workspace all is for one person, or for a channel; whatever the record calls it."""
    visible = is_visible(scope, tenant_id=_NOBODYS, audience=audience, owner=owner, about_owner=about_owner)

    assert not visible or audience != _everyone(_NOBODYS)
    assert not visible or not is_private(audience) or audience == private_to(scope.reader)


@given(_tenants)
def test_only_a_community_has_an_everyone(tenant: TenantId) -> None:
    """Direct messages of people who have nothing in common are no community, so nothing of theirs can be for all."""
    assert is_community(tenant) == (tenant != _NOBODYS)
    if is_community(tenant):
        assert everyone_in(tenant) == _everyone(tenant)
        return
    with pytest.raises(ValueError, match="nobody's community"):
        everyone_in(tenant)


@given(_any_scope, _any_memory)
def test_what_is_about_a_person_is_for_that_person(scope: Scope, memory: dict) -> None:  # type: ignore[type-arg]  # keyword arguments
    """A fact about its owner is visible to the owner alone."""
    if is_visible(scope, **{**memory, "about_owner": True}):
        assert memory["owner"] == scope.reader


@given(_tenants.flatmap(lambda tenant: st.tuples(_places(tenant), _users(tenant), _users(tenant), _audiences(tenant))))
def test_an_answer_in_a_channel_draws_on_what_all_its_readers_could_read(
    drawn: tuple[Place, UserId, UserId, Audience],
) -> None:
    """In a shared place nothing private and nothing of another channel is ever visible, whoever asks and owns it."""
    place, reader, owner, audience = drawn
    scope = scope_for(replace(place, shared=True), reader, member_of=[place.channel_id, ChannelId("c:T1:C2")])
    visible = is_visible(scope, tenant_id=place.tenant_id, audience=audience, owner=owner, about_owner=False)

    assert not visible or audience in {place.audience, _everyone(place.tenant_id)}
    assert not visible or not is_private(audience)


@given(_any_scope, _any_memory)
def test_a_widened_memory_is_visible_wherever_a_public_one_is(scope: Scope, memory: dict) -> None:  # type: ignore[type-arg]  # keyword arguments
    """In every place of its tenant that full members alone read; for others than its owner if it is not about them."""
    widened = {**memory, "audience": _everyone(memory["tenant_id"])}
    is_known_place = memory["tenant_id"] == scope.tenant_id and _everyone(scope.tenant_id) in scope.audiences
    is_owner = memory["owner"] == scope.reader

    assert is_visible(scope, **widened) == (is_known_place and (is_owner or not memory["about_owner"]))


@given(_rooms("C1"), st.sampled_from(sorted(_FULL)), st.sampled_from(sorted(_FULL)), st.booleans())
def test_a_widened_memory_reaches_full_members_alone(here: Room, asker: str, owner: str, about_owner: bool) -> None:
    """Wherever all readers are of the workspace; where a guest reads along it is used as little as anything public."""
    reader, other = UserId(f"{_TENANT}:{asker}"), UserId(f"{_TENANT}:{owner}")
    widened = everyone_in(_TENANT)
    is_used = is_visible(
        scope_for(here.place, reader), tenant_id=_TENANT, audience=widened, owner=other, about_owner=about_owner
    )

    assert is_used == (here.readers <= _FULL and (asker == owner or not about_owner))


@given(_any_memory, st.lists(_tenants.flatmap(_audiences), min_size=1, max_size=4))
def test_a_memory_taken_back_is_for_the_readers_of_a_source_it_still_has(
    memory: dict,  # type: ignore[type-arg]  # keyword arguments
    of_sources: list[Audience],
) -> None:
    """Never for the whole tenant, unless it was said where the whole tenant reads."""
    everyone = _everyone(memory["tenant_id"])
    audience = audience_of_sources(everyone, of_sources)

    assert audience in of_sources
    assert audience != everyone or everyone in of_sources


@pytest.mark.parametrize("audience", ["", "unknown", "shared:C1", "workspace:c:T2", "private:c:T1:U1", "workspace"])
def test_unknown_readers_see_nothing(audience: str) -> None:
    """A shared place whose readers are not known to be members sees no memory at all, not even a public one."""
    scope = scope_for(_place(Audience(audience), shared=True), UserId("c:T1:U1"))

    assert scope == Scope.nothing(tenant_id=TenantId("c:T1"), reader=UserId("c:T1:U1"))
    assert not scope_labels(scope)


def test_somebody_elses_dm_sees_nothing() -> None:
    """A DM whose audience is another person is unknown, too."""
    scope = scope_for(_place(private_to(UserId("c:T1:U2")), shared=False), UserId("c:T1:U1"))

    assert not scope_labels(scope)


def test_a_dm_sees_own_channels_and_the_workspace() -> None:
    """In their DM a person sees what they said there and in channels they are in, and what the workspace can read."""
    reader, other = UserId("c:T1:U1"), UserId("c:T1:U2")
    mine, left = ChannelId("c:T1:C1"), ChannelId("c:T1:C2")
    scope = scope_for(_place(private_to(reader), shared=False), reader, member_of=[mine])

    def sees(audience: Audience, owner: UserId, *, about_owner: bool) -> bool:
        return is_visible(scope, tenant_id=TenantId("c:T1"), audience=audience, owner=owner, about_owner=about_owner)

    assert sees(private_to(reader), reader, about_owner=True)
    assert sees(members_of(mine), reader, about_owner=True)
    assert sees(everyone_in(TenantId("c:T1")), other, about_owner=False)
    assert not sees(members_of(mine), other, about_owner=False)
    assert not sees(members_of(left), reader, about_owner=True)
    assert not sees(private_to(other), other, about_owner=False)


def test_a_narrower_audience_covers_no_wider_one() -> None:
    """Only the same audience, or the whole workspace, is read by everyone who reads the other."""
    tenant, reader, channel = TenantId("c:T1"), UserId("c:T1:U1"), ChannelId("c:T1:C1")

    assert covers(everyone_in(tenant), private_to(reader))
    assert covers(everyone_in(tenant), members_of(channel))
    assert covers(members_of(channel), members_of(channel))
    assert not covers(private_to(reader), everyone_in(tenant))
    assert not covers(members_of(channel), private_to(reader))
    assert not covers(members_of(channel), everyone_in(tenant))


def test_a_memory_is_for_the_readers_of_a_source_that_it_still_has() -> None:
    """As before while it can be; else for the widest of them, or for those of the first."""
    everyone, ops, dev = (
        everyone_in(TenantId("c:T1")),
        members_of(ChannelId("c:T1:ops")),
        members_of(ChannelId("c:T1:d")),
    )

    assert audience_of_sources(everyone, [ops, everyone]) == everyone
    assert audience_of_sources(ops, [everyone, ops]) == ops
    assert audience_of_sources(everyone, [dev, ops]) == dev
    assert audience_of_sources(dev, [ops, everyone]) == everyone
    assert audience_of_sources(ops, []) == ops
