"""A line beside somebody's message. Discord shows it to everybody there, so it repeats nothing of what was said."""

from bots.discord.render import small
from bots.discord.rest import DiscordRest
from memory.tasks import TaskTracker


class Notes:
    """Writes lines in the background.

    Args:
        rest: Discord.
        tasks: Keeps what is under way.
    """

    def __init__(self, rest: DiscordRest, tasks: TaskTracker) -> None:
        self._rest = rest
        self._tasks = tasks

    def beside(self, channel: str, message: str, words: str) -> None:
        """Tell something about a message, once for however many events of it."""
        post = self._rest.post(channel, small(words), nonce=f"{message}-n", reply_to=message)
        self._tasks.start(post, name="tell beside a message")
