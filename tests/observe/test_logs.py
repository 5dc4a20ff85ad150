"""Log lines: their content, and that there are none without the setting."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from findingmodel.observe.logs import log_line, make_monitor, start_logging
from findingmodel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def restored_logger() -> Iterator[None]:
    yield
    logger = logging.getLogger("findingmodel")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def test_an_operation_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = make_monitor(Settings(log="json"))
    with monitor.measure("sync.load", items=64):
        pass
    printed = capsys.readouterr()
    line = json.loads(printed.err)
    assert printed.out == ""
    assert (line["event"], line["items"], line["failed"]) == ("sync.load", 64, False)
    assert (line["level"], line["logger"]) == ("info", "findingmodel.metrics")
    assert line["seconds"] >= 0
    assert line["at"].endswith("Z")


def test_text_has_the_same_values(capsys: pytest.CaptureFixture[str]) -> None:
    with make_monitor(Settings(log="text")).measure("search"):
        pass
    assert " info findingmodel.metrics search seconds=" in capsys.readouterr().err


@pytest.mark.parametrize("enabled", [True, False])
def test_without_the_setting_nothing_is_logged(enabled: bool, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = make_monitor(Settings(log="off"), enabled=enabled)
    with monitor.measure("search"):
        pass
    assert len(monitor.snapshot().operations) == enabled
    assert capsys.readouterr().err == ""


def test_starting_twice_logs_once_in_the_last_style(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text")
    start_logging("json")
    logging.getLogger("findingmodel.test").info("hello")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "hello"


def test_control_characters_are_escaped_and_an_error_is_shown() -> None:
    error = OSError("disk\ngone")
    trace = (OSError, error, None)
    record = logging.LogRecord("findingmodel", logging.ERROR, "", 1, "a\x1b[2J\nb", None, trace)
    line = log_line(record, "text")
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.endswith('error="OSError: disk\\ngone"')
