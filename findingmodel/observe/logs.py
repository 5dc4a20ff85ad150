"""Log lines on stderr, if the setting ``log`` asks for them; only then is logging imported."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal

from findingmodel.observe.metrics import PerformanceMonitor

if TYPE_CHECKING:
    import logging

    from findingmodel.observe.metrics import Measured
    from findingmodel.settings import Settings

_ROOT = "findingmodel"
_METRICS = "findingmodel.metrics"


def make_monitor(settings: Settings, *, enabled: bool = False) -> PerformanceMonitor:
    """Return a monitor, which logs if the setting ``log`` is on; otherwise it measures only if *enabled*."""
    if settings.log == "off":
        return PerformanceMonitor(enabled=enabled)
    start_logging(settings.log)
    return PerformanceMonitor(listener=log_measured)


def start_logging(style: Literal["json", "text"]) -> None:
    """Write the log of findingmodel to stderr, one line per record; the last call decides the *style*."""
    import logging

    handler = logging.StreamHandler()  # to the current sys.stderr
    handler.setFormatter(_formatter(style))
    logger = logging.getLogger(_ROOT)
    for old in [old for old in logger.handlers if type(old) is logging.StreamHandler]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def log_measured(measured: Measured) -> None:
    """Log an operation that has ended."""
    import logging

    values = {"seconds": round(measured.seconds, 6), "items": measured.items, "failed": measured.failed}
    logging.getLogger(_METRICS).info(measured.name, extra={"facts": values})


def log_line(record: logging.LogRecord, style: Literal["json", "text"]) -> str:
    """Return *record* as one line: a JSON object, or text with the same values."""
    values: dict[str, Any] = getattr(record, "facts", {})
    if record.exc_info and record.exc_info[1] is not None:
        values = {**values, "error": f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"}
    second, level = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)), record.levelname.lower()
    at = f"{second}.{int(record.msecs):03d}Z"
    if style == "json":
        head = {"at": at, "level": level, "logger": record.name, "event": record.getMessage()}
        return json.dumps({**head, **values})
    event = json.dumps(record.getMessage())[1:-1]  # one line, without control characters for a terminal
    return " ".join(
        [at, level, record.name, event, *(f"{name}={json.dumps(value)}" for name, value in values.items())]
    )


def _formatter(style: Literal["json", "text"]) -> logging.Formatter:
    import logging

    class Line(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return log_line(record, style)

    return Line()
