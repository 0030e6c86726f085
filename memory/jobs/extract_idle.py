"""The sweep over idle threads."""

from collections.abc import Callable

import structlog

from memory.extraction import Extractor, SweepReport

_log = structlog.get_logger(__name__)


async def extract_idle(extractor: Extractor, *, on_swept: Callable[[SweepReport], None]) -> SweepReport:
    """Extract from every thread that is due, and log and tell what came of it in counts."""
    report = await extractor.sweep()
    if report.threads or report.failed:
        _log.info("swept", threads=report.threads, added=report.added, updated=report.updated, failed=report.failed)
    on_swept(report)
    return report
