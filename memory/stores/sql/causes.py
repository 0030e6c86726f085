"""What a driver's error says of its cause, in our words: its own text may hold somebody's words, or a password."""

from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

_OF_CONNECTING = {
    "Connection refused": "connection refused",
    "failed to resolve host": "no such host",
    "timeout expired": "no answer in time",
    "Network is unreachable": "network unreachable",
    "No route to host": "no route to the host",
    "No such file or directory": "no such socket",
    "Permission denied": "no access to the socket",
    "password authentication failed": "wrong user or password",
    "no password supplied": "it asks for a password",
    "no pg_hba.conf entry": "it lets nobody in from here",
    "invalid response to SSL negotiation": "no PostgreSQL answers there",
    "SSL": "no TLS that both sides take",
    "certificate": "no TLS that both sides take",
    "too many clients": "too many connections",
    "remaining connection slots": "too many connections",
    "starting up": "it is starting",
    "shutting down": "it is shutting down",
    "FATAL:  role ": "no such user",
    "FATAL:  database ": "no such database",
}
"""What libpq says when there is no connection yet, and so no code of an error; the first that fits is the cause."""
_BAD_OPTIONS = ("invalid connection option", "invalid URI", "invalid integer value")


def cause_of(error: DBAPIError) -> str:
    """Return the cause of an error: in words while connecting, else by its code."""
    original: Any = error.orig
    if not isinstance(original, psycopg.Error):
        return str(getattr(original, "sqlite_errorname", type(original).__name__))
    if original.sqlstate is None and (words := _words(str(original))):
        return words
    return f"{type(original).__name__} {original.sqlstate or ''}".strip()


def has_bad_option(error: DBAPIError) -> bool:
    """Whether the URL says something that no server was even asked about."""
    original = error.orig
    is_of_url = isinstance(original, psycopg.ProgrammingError) and original.sqlstate is None
    return is_of_url and any(words in str(original) for words in _BAD_OPTIONS)


def _words(said: str) -> str | None:
    return next((words for sign, words in _OF_CONNECTING.items() if sign in said), None)
