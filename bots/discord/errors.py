"""What calls of Discord's API raise. They carry our names of calls and Discord's numbers, never message text.

PlatformError
├── PlatformUnavailableError
│   └── DiscordUnavailableError   no answer, a failing server, or a rate limit that lasts; may pass
└── DiscordRefusedError            Discord answered, and said no; the same call will be refused again
"""

from bots.platform import PlatformError, PlatformUnavailableError

_UNKNOWN = frozenset({10003, 10004, 10008})
"""Channel or thread, server, message."""
_ARCHIVED, _TOO_OLD, _ACKNOWLEDGED = 50083, 30046, 40060

__all__ = ["DiscordRefusedError", "DiscordUnavailableError"]


class DiscordUnavailableError(PlatformUnavailableError):
    """A call got no answer that says what became of it, or was rate limited for longer than it could wait.

    Attributes:
        operation: Such as "post".
        sent: False when it surely had no effect; else it may have had one.
        retry_after_s: How long Discord asked to wait, when it was the rate limit.
    """

    def __init__(
        self, operation: str, detail: str, *, sent: bool | None = None, retry_after_s: float | None = None
    ) -> None:
        self.operation = operation
        self.sent = sent
        self.retry_after_s = retry_after_s
        super().__init__(f"discord: {operation} got no answer ({detail})")


class DiscordRefusedError(PlatformError):
    """Discord refused a call; it had no effect.

    Attributes:
        operation: Such as "edit".
        status: Of HTTP.
        code: Discord's number for the reason; 0 when it gives none.
    """

    def __init__(self, operation: str, status: int, code: int) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        super().__init__(f"discord: {operation} was refused ({status}, code {code})")

    @property
    def is_gone(self) -> bool:
        """Whether Discord says that what the call was about is not there any more."""
        return self.code in _UNKNOWN

    @property
    def is_acknowledged(self) -> bool:
        """Whether Discord says that the interaction has been acknowledged before."""
        return self.code == _ACKNOWLEDGED

    @property
    def is_frozen(self) -> bool:
        """Whether the message cannot be changed now: its thread is archived, or it is old and was changed often."""
        return self.code in {_ARCHIVED, _TOO_OLD}
