"""Text that others wrote, made inert: what is fenced as data in a prompt cannot open or close a fence. Pure."""

import re
import unicodedata

_MAX_NAME_CHARS = 60


def _visible(text: str) -> str:
    """Return a text without control, format and lone surrogate characters, line breaks and tabs excepted."""
    if text.isprintable():
        return text
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})


def escape(text: str) -> str:
    """Return stored text that cannot open or close a fence: `<` is written `&lt;`, control characters go."""
    return _visible(text).replace("<", "&lt;")


def as_line(text: str) -> str:
    """Return a text as one line of visible characters."""
    return " ".join(_visible(" ".join(text.split())).split())


def as_data(text: str) -> str:
    """Return stored text as one line that cannot break out of its fence."""
    return as_line(text).replace("<", "&lt;")


def as_name(text: str) -> str:
    """Return a display name or a title as plain words: one line, no brackets, quotes or colons."""
    plain = re.sub(r"[\[\](){}<>\"`:|]", "", as_data(text).replace("&lt;", ""))
    return " ".join(plain.split())[:_MAX_NAME_CHARS] or "someone"
