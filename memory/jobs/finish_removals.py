"""Forgetting of channels and workspaces that a crash cut short: gone on with."""

import structlog

from memory.forgetting import Forgetting
from memory.model import Receipt

_log = structlog.get_logger(__name__)


async def finish_removals(forgetting: Forgetting) -> Receipt:
    """Erase what is left of each removed place, and log what went in counts."""
    receipt = await forgetting.finish_removals()
    if receipt != Receipt():
        _log.info("removal_finished", messages=receipt.messages, facts=receipt.facts, episodes=receipt.episodes)
    return receipt
