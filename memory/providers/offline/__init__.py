"""What Recall does when no language model is configured: quote, and keep what people say of themselves.

`sentences` reads text, `statements` recognises facts, `learning` turns them into operations, `quoting` answers, `model`
is the port. All of it is rules: deterministic, without a network, and open about what it is.
"""

from memory.providers.offline.model import OfflineModel

__all__ = ["OfflineModel"]
