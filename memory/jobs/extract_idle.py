"""The sweep over idle threads."""

import structlog

from memory.extraction import Extractor, SweepReport

_log = structlog.get_logger(__name__)


async def extract_idle(extractor: Extractor) -> SweepReport:
    """Extract from every thread that is due, and log what came of it in counts."""
    report = await extractor.sweep()
    if report.threads or report.failed:
        _log.info("swept", threads=report.threads, added=report.added, updated=report.updated, failed=report.failed)
    return report
