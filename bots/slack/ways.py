"""How things are called and done in Slack."""

from bots.desk.ways import Ways
from bots.pausing import HowToPause

DISCLOSURE = (
    "I remember what people tell me, and how problems were solved. /memories shows what I know of you, /memory pause "
    "stops it, /forget erases it. The Home tab has all of it."
)

_NO_THREAD = "A slash command does not know its thread. Write it in the thread:"
_HOW_TO_PAUSE = HowToPause(
    pause="/memory pause",
    resume="/memory resume",
    pause_thread="@Recall pause this thread",
    resume_thread="@Recall resume this thread",
)

WAYS = Ways(
    how_to_pause=_HOW_TO_PAUSE,
    platform_copy="The messages themselves stay in Slack; delete them there.",
    tenant="this workspace",
    no_thread=f"{_NO_THREAD} @Recall forget this thread",
    no_thread_to_pause=f"{_NO_THREAD} {_HOW_TO_PAUSE.pause_thread}",
    memory_usage=(
        "/memory pause stops keeping what you say, /memory resume goes on with it, /memory settings shows what is "
        "paused, /memory export sends you all that is kept of you, /memory widen #7 (or all) lets a memory be used "
        "anywhere in this workspace, /memory narrow #7 (or all) takes that back. /memories lists your memories, "
        "/remember stores one, /forget forgets."
    ),
    seen_by_nobody="Nobody else saw you type it, so I use it in our direct messages only.",
    exported="I have sent it to you in our direct messages.",
    unavailable="Slack did not answer what I had to ask for this. Try again in a moment.",
    use_all="Use all from our direct messages anywhere",
)
