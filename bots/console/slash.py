"""Which typed lines are commands, and which. Pure."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

COMMANDS = {
    "new": ("/new [NAME]", "start a new thread"),
    "thread": ("/thread NAME", "go to a thread"),
    "threads": ("/threads", "list your threads"),
    "memories": ("/memories [WORDS]", "what is remembered of you"),
    "remember": ("/remember SENTENCE", "store one sentence now"),
    "forget": ("/forget WHAT", "a number (#7), last, this thread, about WORDS, everything"),
    "widen": ("/widen WHAT", "let a memory (#7), or all of them, be used anywhere in your workspace"),
    "narrow": ("/narrow WHAT", "take that back"),
    "pause": ("/pause [this thread]", "keep nothing of what you say, or of what is said in this thread"),
    "resume": ("/resume [this thread]", "keep it again"),
    "settings": ("/settings", "what memory there is, whether it is paused, and how to change that"),
    "why": ("/why", "which memories the last answer was given"),
    "sweep": ("/sweep", "learn from finished turns now, instead of later"),
    "export": ("/export [FILE]", "all that is kept of you, as JSON"),
    "help": ("/help", "this list"),
    "quit": ("/quit", "leave (so does Ctrl-D)"),
}

_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+(.*))?", re.DOTALL)
_ROOT_FOLDERS = frozenset(
    "bin boot dev etc home lib media mnt nix opt private proc root sbin srv sys tmp usr var".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slash:
    """A command as typed; `name` is lower case, and may be unknown."""

    name: str
    argument: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is such a command."""
        return self.name in COMMANDS


def parse(line: str) -> Slash | None:
    """Return the command that a line is; None for a message.

    A message, although it begins with a slash: `//...`, a path (`/etc/hosts`, `/tmp`), several lines that begin with
    no known command, and anything after a space.
    """
    found = _COMMAND.fullmatch(line.rstrip())
    if found is None:
        return None
    slash = Slash(name=found[1].lower(), argument=(found[2] or "").strip())
    if not slash.is_known and (slash.name in _ROOT_FOLDERS or "\n" in line.rstrip()):
        return None
    return slash


def unknown(slash: Slash) -> str:
    """Return the one line that answers an unknown command."""
    near = get_close_matches(slash.name, COMMANDS, n=1, cutoff=0.5)
    hint = f"did you mean /{near[0]}?" if near else "/help lists them."
    return f"There is no command /{slash.name}; {hint} (A space in front makes it a message.)"


def help_text() -> str:
    """Return the list of commands."""
    width = max(len(usage) for usage, _ in COMMANDS.values())
    return "\n".join(f"{usage:<{width}}  {meaning}" for usage, meaning in COMMANDS.values())
