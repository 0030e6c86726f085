"""Ids of the console: the one place that makes and reads them. Pure.

A console has one tenant, `console:local`. A person's console is a channel only that person reads, and its threads have
names that the person chose.
"""

from bots.ids import join_parts, split_parts
from memory.audience import private_to
from memory.model import ChannelId, Person, Place, SessionId, TenantId, UserId

_PLATFORM, _TENANT = "console", "local"

TENANT = TenantId(join_parts(_PLATFORM, _TENANT))


def person(user: str) -> Person:
    """Return the person who uses the console under this name."""
    return Person(user_id=UserId(join_parts(_PLATFORM, _TENANT, user)), name=user)


def place(user: str, thread: str) -> Place:
    """Return a person's console thread: a place that nobody else reads."""
    return Place(
        session_id=SessionId(join_parts(_PLATFORM, _TENANT, user, thread)),
        channel_id=ChannelId(join_parts(_PLATFORM, _TENANT, user)),
        tenant_id=TENANT,
        audience=private_to(person(user).user_id),
        shared=False,
    )


def thread_of(session_id: SessionId) -> tuple[str, str]:
    """Return the user and thread names of a console session.

    Raises:
        ValueError: `session_id` is not of the console.
    """
    match split_parts(session_id):
        case [platform, tenant, user, thread] if (platform, tenant) == (_PLATFORM, _TENANT):
            return user, thread
    raise ValueError(f"not a console session: {session_id!r}")
