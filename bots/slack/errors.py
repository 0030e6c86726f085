"""What calls of Slack's Web API raise. They carry method names and Slack's own error words, never message text.

PlatformError
├── PlatformUnavailableError
│   └── SlackUnavailableError   no answer, a failing server, or a rate limit that lasts; may pass
└── SlackRefusedError           Slack answered, and said no; the same call will be refused again
"""

from bots.platform import PlatformError, PlatformUnavailableError

__all__ = ["SlackRefusedError", "SlackUnavailableError"]


class SlackUnavailableError(PlatformUnavailableError):
    """A call got no answer that says what became of it, or was rate limited for longer than it could wait.

    Attributes:
        method: Such as "chat.postMessage".
        sent: False when it surely had no effect: repeat it freely. Else it may have had one, and a post must not be
            repeated unseen: True when it surely reached Slack, None when not even that is known.
        retry_after_s: How long Slack asked to wait, when it was the rate limit.
    """

    def __init__(self, method: str, detail: str, *, sent: bool | None, retry_after_s: float | None = None) -> None:
        self.method = method
        self.sent = sent
        self.retry_after_s = retry_after_s
        super().__init__(f"slack: {method} got no answer ({detail})")


class SlackRefusedError(PlatformError):
    """Slack refused a call; it had no effect.

    Attributes:
        method: Such as "chat.update".
        code: Slack's word for it, such as "channel_not_found".
    """

    def __init__(self, method: str, code: str) -> None:
        self.method = method
        self.code = code
        super().__init__(f"slack: {method} was refused ({code})")
