"""One message, one answer: accept, wait for the thread's turn, answer, and finish what a crash left open.

`delivery` takes messages in and works each thread off, `turn` answers one of them, `waiting` holds where its reply is
shown, `disclosure` knows which first answers tell what is remembered. The record decides whose turn it is; nothing is
remembered here but what waits and runs.
"""

from bots.delivery.delivery import Delivery
from bots.delivery.worker import NO_RECORD, PACED, QUEUED

__all__ = ["NO_RECORD", "PACED", "QUEUED", "Delivery"]
