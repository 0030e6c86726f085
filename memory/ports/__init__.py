"""The ports: what the memory core needs of the outside world. Each docstring is the contract that its tests run.

Every method may raise StoreUnavailableError when its store gives no answer in time; only further errors are listed.
By what they are for: `conversation`, `places`, `memories`, `work` and `upkeep` are the record, `hot` is what may be
lost, `index` and `language` are models and what they make.
"""

from memory.ports.conversation import MessageStore
from memory.ports.hot import Pace, SessionCache, Signals
from memory.ports.index import Embedder, VectorIndex
from memory.ports.language import LanguageModel
from memory.ports.memories import ErasureStore, FactStore, RecallStore
from memory.ports.places import PlaceStore
from memory.ports.time import Clock, Timer
from memory.ports.upkeep import AuditLog, NamedValues, RecordAdmin
from memory.ports.work import ExtractionStore, IndexQueue, LeaseStore

__all__ = [
    "AuditLog",
    "Clock",
    "Embedder",
    "ErasureStore",
    "ExtractionStore",
    "FactStore",
    "IndexQueue",
    "LanguageModel",
    "LeaseStore",
    "MessageStore",
    "NamedValues",
    "Pace",
    "PlaceStore",
    "RecallStore",
    "RecordAdmin",
    "SessionCache",
    "Signals",
    "Timer",
    "VectorIndex",
]
