"""How one platform calls and does things, where platforms differ."""

from dataclasses import dataclass

from bots.pausing import HowToPause


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What the desk says and offers on one platform.

    Attributes:
        how_to_pause: What people type.
        platform_copy: A sentence about the copy that the platform keeps of what is forgotten.
        tenant: What memories are for at most, such as "this workspace".
        no_thread: Why "this thread" cannot be forgotten outside of threads, and what to do.
        no_thread_to_pause: The same for pausing.
        memory_usage: What /memory can do; "" where only what it can do can be typed.
        seen_by_nobody: What is true of a memory that was typed as a slash command.
        exported: What is said beside somebody's export, or when it is sent.
        unavailable: The platform gave no answer.
        use_all: Of the button that lets all private memories be used anywhere.
        use_private: Of the button that offers the same for a memory that was typed as a slash command; "" for none.
        can_widen: Whether memories can be used by others than could read them; not where people share nothing.
        has_threads: Whether there is more than one thread, each of which can be paused.
        page_size: How many memories a list shows at once.
        home_page_size: How many the overview does.
        most_reasons: How many memories of an answer are shown.
    """

    how_to_pause: HowToPause
    platform_copy: str
    tenant: str
    no_thread: str
    no_thread_to_pause: str
    seen_by_nobody: str
    exported: str
    unavailable: str
    use_all: str
    memory_usage: str = ""
    use_private: str = ""
    can_widen: bool = True
    has_threads: bool = True
    page_size: int = 10
    home_page_size: int = 20
    most_reasons: int = 15
