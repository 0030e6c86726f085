"""What code lets through of what a model proposes to remember. Pure; it knows no model and no store.

`words` reads sentences, `said` finds what somebody said in them, `batch` shows turns to a model under labels, `decide`
judges its reply.
"""

from memory.consolidation.batch import label_messages, oldest_within, render_batch, speaker_letters
from memory.consolidation.decide import decide
from memory.consolidation.said import says
from memory.consolidation.words import own_words, value_tokens

__all__ = [
    "decide",
    "label_messages",
    "oldest_within",
    "own_words",
    "render_batch",
    "says",
    "speaker_letters",
    "value_tokens",
]
