"""Every error the memory core raises on purpose.

RecallError
├── ConfigError                    one readable list of all that is wrong with the settings; exit code 2
│   ├── FolderInUseError           (owner) another process owns the data folder
│   └── UnreachableError           what is configured does not answer now; exit code 75
├── InputError                     what the person typed cannot be taken; its text is for them
│   ├── NoCommunityError           nothing is for everybody where people have nothing in common
│   └── PausedError                memory is paused for them, or in this thread
├── StoreError                     (store, operation)
│   ├── StoreUnavailableError      no answer in time, or none at all; safe to retry
│   ├── StoreConflictError         a lease, a version or a forget epoch moved on; the work is void
│   ├── StoreCorruptError          the files are damaged; what to do about it is in the text
│   └── DimensionMismatchError     a vector of another embedding model
└── ProviderError                  (provider, request_id)
    ├── ProviderUnavailableError   unreachable, overloaded, slow or cut off; retryable
    ├── ProviderRefusedError       access, quota or content; asking again at once will not help
    └── MalformedReplyError        a structured reply that cannot be parsed

No message text and no secret ever goes into an error: only ids, names and numbers.
"""

from collections.abc import Sequence
from typing import Literal

__all__ = [
    "ConfigError",
    "DimensionMismatchError",
    "FolderInUseError",
    "InputError",
    "MalformedReplyError",
    "NoCommunityError",
    "PausedError",
    "ProviderError",
    "ProviderRefusedError",
    "ProviderUnavailableError",
    "RecallError",
    "Refusal",
    "StoreConflictError",
    "StoreCorruptError",
    "StoreError",
    "StoreUnavailableError",
    "UnreachableError",
    "first_error",
    "together",
]


class RecallError(Exception):
    """Root of every error that Recall raises on purpose."""


class ConfigError(RecallError):
    """The settings, or what they point at, cannot be used.

    Attributes:
        problems: One readable line each, all of them at once.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class FolderInUseError(ConfigError):
    """Another process owns the data folder.

    Attributes:
        owner: Which one, as far as it says.
    """

    def __init__(self, folder: str, owner: str) -> None:
        self.owner = owner
        super().__init__([f"RECALL_DATA_DIR: {folder!r} is in use by {owner}"])


class UnreachableError(ConfigError):
    """What is configured does not answer now: nobody need mend anything, and another start may reach it."""


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """Return one error with the lines of all; another start is worth while only if it is for each of them."""
    problems = [problem for error in errors for problem in error.problems]
    if all(isinstance(error, UnreachableError) for error in errors):
        return UnreachableError(problems)
    return ConfigError(problems)


class InputError(RecallError):
    """What a person typed cannot be taken; the text is one clear line for them."""


class NoCommunityError(InputError):
    """A memory was to be for everybody in direct messages of people who have nothing in common."""

    def __init__(self) -> None:
        super().__init__("What I know from our direct messages is used there alone.")


class PausedError(InputError):
    """Nothing is kept of what the person says here now.

    Attributes:
        in_thread: It is the thread that is paused; else it is the person.
    """

    def __init__(self, *, in_thread: bool) -> None:
        self.in_thread = in_thread
        super().__init__(f"Memory is paused {'in this thread' if in_thread else 'for you'}: nothing was stored.")


class OutdatedMessageError(RecallError):
    """A message that comes late was edited meanwhile: what it said first is not to be stored."""


class StoreError(RecallError):
    """A store failed.

    Attributes:
        store: Which one: "sql", "redis" or "chroma".
        operation: What was asked of it.
    """

    def __init__(self, store: str, operation: str, detail: str = "") -> None:
        self.store = store
        self.operation = operation
        super().__init__(f"{store}: {operation} failed" + (f" ({detail})" if detail else ""))


class StoreUnavailableError(StoreError):
    """No answer within the store's timeout, or no connection; safe to retry."""


class StoreConflictError(StoreError):
    """A lease was lost, or a version or forget epoch moved on: nothing was written."""


class StoreCorruptError(StoreError):
    """The store's files are damaged; the detail names the mend."""


class DimensionMismatchError(StoreError):
    """A vector does not have the index's dimension."""


class ProviderError(RecallError):
    """A model provider failed.

    Attributes:
        provider: Its name, such as "anthropic".
        request_id: The provider's own id of the request, when it gave one.
    """

    def __init__(self, provider: str, detail: str, *, request_id: str | None = None) -> None:
        self.provider = provider
        self.request_id = request_id
        super().__init__(f"{provider}: {detail}" + (f" [request {request_id}]" if request_id else ""))


class ProviderUnavailableError(ProviderError):
    """Unreachable, overloaded, too slow, or cut off mid-reply; retryable.

    Attributes:
        retry_after_s: Seconds the provider asked to wait, when it said so.
    """

    def __init__(
        self, provider: str, detail: str, *, request_id: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(provider, detail, request_id=request_id)
        self.retry_after_s = retry_after_s


Refusal = Literal["access", "quota", "content"]
"""Why a provider refused: key, permission, model or URL; credit or spend limit; what was asked of it."""


class ProviderRefusedError(ProviderError):
    """The provider does not take the request, and asking again at once will not help.

    Attributes:
        reason: Only "content" is the request's own fault; the others pass once an operator has seen to them.
    """

    def __init__(
        self, provider: str, detail: str, *, request_id: str | None = None, reason: Refusal = "content"
    ) -> None:
        super().__init__(provider, detail, request_id=request_id)
        self.reason = reason


class MalformedReplyError(ProviderError):
    """A structured reply did not parse against its schema."""


def first_error(group: BaseExceptionGroup[RecallError]) -> RecallError:
    """Return the first error of a group, however deep."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, RecallError):
        raise TypeError("a group of RecallError holds nothing else")
    return error
