"""What people are offered to begin with in Recall's Messages tab."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bots.slack.web import SlackWeb
from memory.tasks import TaskTracker

PROMPTS = (
    ("A pod does not start", "A pod of mine is in CrashLoopBackOff. What do I look at first, and with which commands?"),
    ("Have we seen this before?", "Have I had an error like this before, and what helped? The error is:"),
    ("Review a rollout", "Help me plan a rollout that I can take back. Ask me what you need to know first."),
    ("What do you remember of me?", "memories"),
)
"""Title and message of each; the last is a command."""

_PATIENCE_S = 5.0


def offer_prompts(app: AsyncApp, *, web: SlackWeb, tasks: TaskTracker) -> None:
    """Offer prompts to whoever opens the Messages tab; when Slack does not take them, people write without.

    Args:
        app: Where it is heard of.
        web: The workspace's Web API.
        tasks: Owns what is done behind the acknowledgement.
    """
    prompts = [{"title": title, "message": message} for title, message in PROMPTS]

    async def is_messages(event: dict[str, Any]) -> bool:
        return event.get("tab") == "messages" and bool(event.get("channel"))

    async def listener(ack: AsyncAck, event: dict[str, Any]) -> None:
        await ack()
        offering = web.call(
            "assistant.threads.setSuggestedPrompts",
            within_s=_PATIENCE_S,
            channel_id=event["channel"],
            prompts=prompts,
        )
        tasks.start(offering, name="offer prompts")

    app.event("app_home_opened", matchers=[is_messages])(listener)
