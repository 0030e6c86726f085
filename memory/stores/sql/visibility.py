"""The audience law in SQL: `memory.audience.is_visible`, for every query that recalls anything."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam, exists, false, or_, select

from memory.audience import Scope
from memory.stores.sql.lists import among
from memory.stores.sql.schema import episode_people, episodes, fact_sources, facts, messages, removals, threads

_READER: BindParameter[str] = bindparam("reader")


def visible(
    *,
    tenant: ColumnElement[str],
    audience: ColumnElement[str],
    is_owner: ColumnElement[bool],
    about_owner: ColumnElement[bool],
) -> ColumnElement[bool]:
    """Return the condition under which a row is visible; its parameters are those of `scope_values`.

    Args:
        tenant: The row's tenant.
        audience: The row's audience.
        is_owner: Whether the reader owns the row.
        about_owner: Whether it is a fact about its owner.
    """
    in_own = among(audience, "own_audiences")
    in_shared = among(audience, "audiences")
    return and_(
        tenant == bindparam("scope_tenant"),
        or_(and_(in_shared, or_(~about_owner, is_owner)), and_(in_own, is_owner)),
    )


def scope_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of `visible`."""
    return {
        "scope_tenant": scope.tenant_id,
        "reader": scope.reader,
        "audiences": sorted(scope.audiences),
        "own_audiences": sorted(scope.own_audiences),
    }


OWN_FACT = facts.c.owner_id == _READER
OWN_TURN = messages.c.author_id == _READER
OWN_EPISODE = (
    exists()
    .where(episode_people.c.episode_id == episodes.c.id, episode_people.c.user_id == _READER)
    .correlate(episodes)
)

_IS_PERSONAL = facts.c.subject == "person"
FACT_VISIBLE = visible(tenant=facts.c.tenant_id, audience=facts.c.audience, is_owner=OWN_FACT, about_owner=_IS_PERSONAL)
FACT_SOURCE_VISIBLE = visible(
    tenant=facts.c.tenant_id, audience=fact_sources.c.audience, is_owner=OWN_FACT, about_owner=_IS_PERSONAL
)
"""Of a visible fact, whether one of its sources is, too: a widened fact may come from a DM."""
TURN_VISIBLE = visible(
    tenant=messages.c.tenant_id, audience=messages.c.audience, is_owner=OWN_TURN, about_owner=false()
)
EPISODE_VISIBLE = visible(
    tenant=episodes.c.tenant_id, audience=episodes.c.audience, is_owner=OWN_EPISODE, about_owner=false()
)


def _tenant_stays(tenant: ColumnElement[str]) -> ColumnElement[bool]:
    return ~exists().where(removals.c.kind == "tenant", removals.c.place == tenant)


def place_stays(rows: FromClause, tenant: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that neither the thread and channel that a row names nor its tenant is being forgotten."""
    return and_(~exists().where(_is_removed(rows)), _tenant_stays(tenant))


def _is_removed(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition that a removal is of the thread or the channel that a row names."""
    return or_(
        and_(removals.c.kind == "channel", removals.c.place == rows.c.channel_id),
        and_(removals.c.kind == "thread", removals.c.place == rows.c.session_id),
    )


_goes = fact_sources.alias("source_that_goes")
_IN_REMOVED_PLACE = (
    select(_goes.c.id).join(removals, _is_removed(_goes)).where(_goes.c.fact_id == facts.c.id).correlate(facts).exists()
)
FACT_STAYS = and_(_tenant_stays(facts.c.tenant_id), ~_IN_REMOVED_PLACE)
"""None of its sources is in a place that is being forgotten; with what is left it is recalled again after that."""
TURN_STAYS = place_stays(messages, messages.c.tenant_id)
EPISODE_STAYS = place_stays(threads, episodes.c.tenant_id)
"""Of an episode with its thread joined."""
