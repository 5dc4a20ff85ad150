"""Log lines on stderr, for those who ask for them with the setting ``log``; logging is imported only then."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal

from findingmodel.observe.metrics import PerformanceMonitor

if TYPE_CHECKING:
    import logging

    from findingmodel.observe.metrics import Measured
    from findingmodel.settings import Settings

__all__ = ["log_line", "log_measured", "make_monitor", "start_logging"]

_ROOT = "findingmodel"
_METRICS = "findingmodel.metrics"


def make_monitor(settings: Settings, *, wanted: bool = False) -> PerformanceMonitor:
    """Return a monitor that logs if *settings* say so; disabled unless they do, or it is *wanted* anyway."""
    if settings.log == "off":
        return PerformanceMonitor(enabled=wanted)
    start_logging(settings.log)
    return PerformanceMonitor(listener=log_measured)


def start_logging(style: Literal["json", "text"]) -> None:
    """Write what findingmodel logs to stderr, a line each, and nowhere else; the last *style* counts."""
    import logging

    handler = logging.StreamHandler()  # it takes the stderr of this moment
    handler.setFormatter(_formatter(style))
    logger = logging.getLogger(_ROOT)
    for old in [old for old in logger.handlers if type(old) is logging.StreamHandler]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def log_measured(measured: Measured) -> None:
    """Log an operation that has ended, with its facts."""
    import logging

    facts = {"seconds": round(measured.seconds, 6), "items": measured.items, "failed": measured.failed}
    logging.getLogger(_METRICS).info(measured.name, extra={"facts": facts})


def log_line(record: logging.LogRecord, style: Literal["json", "text"]) -> str:
    """Return *record* as one line: a JSON object, or the same facts for a person."""
    facts: dict[str, Any] = getattr(record, "facts", {})
    if record.exc_info and record.exc_info[1] is not None:
        facts = {**facts, "error": f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"}
    second, level = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)), record.levelname.lower()
    at = f"{second}.{int(record.msecs):03d}Z"
    if style == "json":
        head = {"at": at, "level": level, "logger": record.name, "event": record.getMessage()}
        return json.dumps({**head, **facts})
    event = json.dumps(record.getMessage())[1:-1]  # on one line, and with nothing that steers a terminal
    return " ".join(
        [at, level, record.name, event, *(f"{name}={json.dumps(fact)}" for name, fact in facts.items())]
    )


def _formatter(style: Literal["json", "text"]) -> logging.Formatter:
    import logging

    class Line(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return log_line(record, style)

    return Line()
