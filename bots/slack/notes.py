"""A line beside somebody's message that only they see."""

from bots.slack.inbound import Edited, Said
from bots.slack.web import SlackWeb


async def note_beside(web: SlackWeb, message: Said | Edited, words: str) -> None:
    """Tell its author something about a message.

    Raises:
        SlackUnavailableError: No answer.
        SlackRefusedError: Slack said no.
    """
    await web.call(
        "chat.postEphemeral",
        channel=message.channel,
        user=message.user,
        thread_ts=message.thread.thread_ts,
        text=words,
    )
