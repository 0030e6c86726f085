"""Files that a person asks for by name. Knows nothing of what is in them."""

import os
from pathlib import Path

from memory.errors import InputError

_OWNER_ONLY = 0o600


def write_new(name: str, text: str) -> Path:
    """Write a file that is not there yet, for its owner's eyes, and return its path.

    Raises:
        InputError: It is there already, or cannot be written.
    """
    target = Path(name).expanduser()
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except FileExistsError as exc:
        raise InputError(f"{target} is there already; name another file.") from exc
    except (OSError, ValueError) as exc:
        raise InputError(f"{target} cannot be written ({type(exc).__name__}).") from exc
    return target
