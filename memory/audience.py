"""The audience law: a memory is used only where everyone who reads the answer could have read its source.

Pure. An `Audience` names a set of readers. A `Scope` is what one answer may draw on; stores take it as a required
argument and show nothing outside it. Unknown means nobody: `Scope.nothing()` sees no memory at all. A guest of a
workspace reads the channels they are in, and no others: where one reads along, no other public channel is drawn on.

A memory of owner o with audience a is visible in a scope when
  - a is one of the scope's `audiences`, and the memory is a turn, an episode, a team fact, or about the reader, or
  - a is one of the scope's `own_audiences`, and o is the reader.

A tenant of direct messages alone is nobody's community: its people have nothing in common, so it has no everyone.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from memory.model.ids import DIRECT, Audience, ChannelId, Place, TenantId, UserId

_PRIVATE, _CHANNEL, _WORKSPACE = "private", "channel", "workspace"


def private_to(user_id: UserId) -> Audience:
    """Return the audience of a person's DM with Recall."""
    return Audience(f"{_PRIVATE}:{user_id}")


def members_of(channel_id: ChannelId) -> Audience:
    """Return the audience of a private channel, a group DM or a restricted channel."""
    return Audience(f"{_CHANNEL}:{channel_id}")


def is_community(tenant_id: TenantId) -> bool:
    """Whether the people of a tenant share a place; its id ends with its own name."""
    return tenant_id.rpartition(":")[2] != DIRECT


def everyone_in(tenant_id: TenantId) -> Audience:
    """Return the audience of a public channel.

    Raises:
        ValueError: The tenant is nobody's community, so nothing in it is for everyone.
    """
    if not is_community(tenant_id):
        raise ValueError(f"nobody's community: {tenant_id!r}")
    return Audience(f"{_WORKSPACE}:{tenant_id}")


def is_private(audience: Audience) -> bool:
    """Whether only one person could read the source."""
    return audience.startswith(f"{_PRIVATE}:")


def is_for_everyone(audience: Audience) -> bool:
    """Whether everyone in a tenant could read the source."""
    return audience.startswith(f"{_WORKSPACE}:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What may be recalled into one answer.

    Attributes:
        tenant_id: Nothing of another tenant is ever seen.
        reader: Who asks.
        audiences: Sources that every reader of the answer could have read.
        own_audiences: Sources that the asker could read, when the asker alone reads the answer.
    """

    tenant_id: TenantId
    reader: UserId
    audiences: frozenset[Audience]
    own_audiences: frozenset[Audience]

    @classmethod
    def nothing(cls, *, tenant_id: TenantId, reader: UserId) -> "Scope":
        """Return the scope of a place whose readers are unknown: empty."""
        return cls(tenant_id=tenant_id, reader=reader, audiences=frozenset(), own_audiences=frozenset())


def scope_for(place: Place, reader: UserId, *, member_of: Collection[ChannelId] = ()) -> Scope:
    """Return what an answer to `reader` in `place` may draw on: nothing, where its readers are not surely members.

    Args:
        place: Where the answer will be read.
        reader: Who asks.
        member_of: Channels that the reader is a member of now; used only where the reader reads alone.
    """
    everyone = _everyone(place.tenant_id)
    own: frozenset[Audience] = frozenset()
    if place.shared:
        if not (place.audience.startswith(f"{_CHANNEL}:") or place.audience in everyone):
            return Scope.nothing(tenant_id=place.tenant_id, reader=reader)
        readable = {place.audience} | everyone
        if place.outsiders:  # what was said in this public channel is not told apart from the other ones
            readable -= everyone
    else:
        if place.audience != private_to(reader):
            return Scope.nothing(tenant_id=place.tenant_id, reader=reader)
        readable = {private_to(reader)} | everyone
        own = frozenset(members_of(channel_id) for channel_id in member_of)
    return Scope(tenant_id=place.tenant_id, reader=reader, audiences=frozenset(readable), own_audiences=own)


def scope_beside(place: Place, reader: UserId, *, member_of: Collection[ChannelId] = ()) -> Scope:
    """Return what `reader`, a full member, may be shown of an answer in `place`, where they alone see it."""
    return scope_for(replace(place, outsiders=False), reader, member_of=member_of)


def scope_of_learning(place: Place, reader: UserId) -> Scope:
    """Return what may be held against what `reader` says in `place`: what is recalled wherever that will be recalled.

    What is learned in a public channel is recalled where outsiders read no more than anything else of the workspace.
    """
    return scope_beside(place, reader) if place.audience in _everyone(place.tenant_id) else scope_for(place, reader)


def is_visible(scope: Scope, *, tenant_id: TenantId, audience: Audience, owner: UserId, about_owner: bool) -> bool:
    """Whether a memory may be recalled in `scope`; stores say the same in their own language.

    Args:
        scope: The answer's scope.
        tenant_id: The memory's tenant.
        audience: The memory's audience.
        owner: Who said it.
        about_owner: True for a fact about its owner, which is recalled for that person only.
    """
    if tenant_id != scope.tenant_id:
        return False
    if owner == scope.reader and audience in scope.own_audiences:
        return True
    return audience in scope.audiences and (not about_owner or owner == scope.reader)


def covers(wider: Audience, narrower: Audience) -> bool:
    """Whether everyone who can read a `narrower` source can surely read a `wider` one too.

    A workspace's public channels are read by its members; whether two of them are of one tenant is for the caller,
    who compares facts of one tenant only.
    """
    return wider == narrower or wider.startswith(f"{_WORKSPACE}:")


def audience_of_sources(current: Audience, of_sources: Sequence[Audience]) -> Audience:
    """Return for whom a memory is, given the audiences of the sources it still has.

    It stays as it is while one of them has that audience; else it is for the widest, or the first when none is.
    """
    if not of_sources or current in of_sources:
        return current
    widest = (audience for audience in of_sources if all(covers(audience, other) for other in of_sources))
    return next(widest, of_sources[0])


def entry_labels(*, audience: Audience, owner: UserId, about_owner: bool) -> frozenset[str]:
    """Return the labels a full-text index stores with an entry, so that the engine itself filters by audience.

    An audience is of one tenant (ids carry theirs), so labels need not name it.
    """
    own = _label("o", audience, owner)
    return frozenset({own}) if about_owner else frozenset({own, _label("a", audience)})


def scope_labels(scope: Scope) -> frozenset[str]:
    """Return the labels of which an entry must carry one to be visible in `scope`."""
    shared = {_label("a", audience) for audience in scope.audiences}
    own = {_label("o", audience, scope.reader) for audience in scope.audiences | scope.own_audiences}
    return frozenset(shared | own)


def shared_labels(scope: Scope) -> frozenset[str]:
    """Return the labels that an entry visible to others than the reader carries."""
    return frozenset(_label("a", audience) for audience in scope.audiences if not is_private(audience))


def _everyone(tenant_id: TenantId) -> frozenset[Audience]:
    """Return the audience of a tenant's public channels, if it can have any."""
    return frozenset({everyone_in(tenant_id)} if is_community(tenant_id) else ())


def _label(prefix: str, *parts: str) -> str:
    """Hash `parts` to a word that every full-text tokenizer keeps whole."""
    digest = hashlib.blake2b("\x00".join(parts).encode(), digest_size=10).hexdigest()
    return f"{prefix}{digest}"
