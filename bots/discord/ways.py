"""How things are called and done in Discord: in a server, and in direct messages."""

from dataclasses import replace

from bots.desk.ways import Ways
from bots.discord.ids import DM
from bots.pausing import HowToPause

DISCLOSURE = (
    "I remember what people tell me, and how problems were solved; each server for itself. /memories shows what I know "
    "of you, /memory pause stops it, /forget erases it."
)

_NO_THREAD = "There is no thread here; give the command in the thread that you mean."
SERVER = Ways(
    how_to_pause=HowToPause(
        pause="/memory pause",
        resume="/memory resume",
        pause_thread="/memory pause what: this thread",
        resume_thread="/memory resume what: this thread",
    ),
    platform_copy=(
        "The messages themselves stay in Discord; delete them there. Other servers, and our direct messages, have "
        "memories of their own."
    ),
    tenant="this server",
    no_thread=_NO_THREAD,
    no_thread_to_pause=_NO_THREAD,
    seen_by_nobody=(
        "It is kept for you alone: nobody else saw you type it, so no answer here uses it until you let it be used."
    ),
    exported="This is all that is kept of you in this server. Only you see it.",
    unavailable="Discord did not answer what I had to ask for this. Try again in a moment.",
    use_all="Use all that only you saw anywhere here",
    use_private="Use it anywhere here",
    page_size=8,
    most_reasons=8,
)

DIRECT = replace(
    SERVER,
    platform_copy="The messages themselves stay in Discord; delete them there. Servers have memories of their own.",
    tenant="our direct messages",
    seen_by_nobody="",
    exported="This is all that is kept of you from our direct messages.",
    use_private="",
    can_widen=False,
    has_threads=False,
    no_thread_to_pause="There are no threads here. /memory pause pauses all of our direct messages.",
)


def ways_of(guild: str) -> Ways:
    """Return how things are called in a server, or in direct messages."""
    return DIRECT if guild == DM else SERVER
