"""One message, one answer: accept, wait for the thread's turn, answer, and finish what a crash left open.

`delivery` takes messages in, `worker` works one thread off, `turn` answers one message, or shows how an earlier turn
ended, and `waiting` holds where that is shown. `stops` ends what nobody wants any more. `reading` opens what came with
a message, `disclosure` knows which first answers tell what is remembered, `arrivals` lets messages in before turns
begin. The record decides whose turn it is; nothing is remembered here but what waits and runs.
"""

from bots.delivery.delivery import Delivery
from bots.delivery.stops import Stops
from bots.delivery.worker import NO_RECORD, PACED, QUEUED

__all__ = ["NO_RECORD", "PACED", "QUEUED", "Delivery", "Stops"]
