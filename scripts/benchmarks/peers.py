"""Peers: the public packages of the same name, each in its own virtual environment.

Version 0.3.2 keeps its index in MongoDB, 1.0.4 in DuckDB. The package that builds the index of 1.0.4 is not
published, so only its parsing of models is compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MEDSPACY", "PEERS", "ask_peer", "ask_report_peer", "install_peer"]

PEERS = {
    # This version cannot be imported with the newest versions of its dependencies.
    "0.3.2": [
        "findingmodel==0.3.2",
        "motor==3.7.1",
        "pymongo==4.13.2",
        "pydantic==2.11.7",
        "pydantic-ai-slim==0.3.6",
    ],
    "1.0.4": ["findingmodel==1.0.4"],
}
MEDSPACY = ["medspacy==1.3.1"]
"""Another reader of clinical text, for comparison; it needs spaCy and is large."""

_REPORT_PROGRAM = Path(__file__).with_name("report_peer.py")
_PROGRAM = Path(__file__).with_name("peer_program.py")


def install_peer(version: str, directory: Path) -> Path:
    """Return the Python of an environment with this *version*, creating it below *directory* if missing."""
    return _install(directory / f"findingmodel-{version}", PEERS[version])


def _install(home: Path, requirements: Sequence[str]) -> Path:
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([str(python), "-m", "pip", "install", *quiet, *requirements], check=True)
        (home / "ready").touch()
    return python


def ask_report_peer(directory: Path, names: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Return the measurements of medspaCy, kept in *directory*, reading *texts* with *names* as rules."""
    python = _install(directory / "medspacy", MEDSPACY)
    given = directory / "medspacy.json"
    given.write_text(json.dumps({"names": names, "texts": texts}), encoding="utf-8")
    return _ask(python, _REPORT_PROGRAM, str(given))


def ask_peer(python: Path, *arguments: str) -> dict[str, dict[str, float]]:
    """Run a case of ``peer_program.py`` and return its measurements."""
    return _ask(python, _PROGRAM, *arguments)


def _ask(python: Path, program: Path, *arguments: str) -> dict[str, dict[str, float]]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), str(program), *arguments],
        env=environment | {"OPENAI_API_KEY": "unused"},
        capture_output=True,
        text=True,
        check=False,
        cwd=python.parent,
    )
    if done.returncode:
        raise RuntimeError(f"{python.parent.parent.name} failed:\n{done.stderr[-2000:]}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts
