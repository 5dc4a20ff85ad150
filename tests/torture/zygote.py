"""A process with everything imported that forks a child for each command, which makes commands fast.

Run as a program it reads lines of JSON, ``{"arguments": [...], "fault": ..., "output": PATH, "environment":
{...}}``, and answers each with two lines: the process id of the child, and how it ended. The child arms the
fault (`tests.torture.steps`) and then runs the command to its exit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing import Self

    from tests.torture.steps import Fault

__all__ = ["Ended", "Zygote"]

ROOT = Path(__file__).parent.parent.parent


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: its exit code; negative if a signal ended it.
        stdout, stderr: what it printed.
        orphans: processes that it left running.
    """

    code: int
    stdout: str
    stderr: str
    orphans: int


class Zygote:
    """Context manager that runs commands one after another in child processes.

    Args:
        home: a directory for the output of commands and the state of the user.
        environment: the environment of the commands.
    """

    def __init__(self, home: Path, **environment: str) -> None:
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        self._environment = {"XDG_STATE_HOME": str(home / "state"), "XDG_DATA_HOME": str(home / "data")}
        self._environment |= environment
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FINDINGMODEL_", "MONGODB_"))
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.zygote"],
            cwd=ROOT,
            env=clean | {"PYTHONPATH": str(ROOT)} | self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()

    def begin(
        self, *arguments: object, fault: Fault | None = None, ignores_sigint: bool = False, **environment: str
    ) -> int:
        """Start a command in its own process group; return its process id.

        With *ignores_sigint* it ignores SIGINT, as in the background of a shell.
        """
        asked = {
            "ignores_sigint": ignores_sigint,
            "arguments": [str(argument) for argument in arguments],
            "fault": fault,
            "output": str(self._home / "out"),
            "environment": environment,
        }
        return int(self._exchange(json.dumps(asked))["pid"])

    def end(self, pid: int) -> Ended:
        """Wait until the command has ended."""
        code = int(self._exchange(None)["code"])
        left = _group_of(pid)
        for orphan in left:
            os.kill(orphan, signal.SIGKILL)
        out = self._home / "out"
        texts = (out.with_suffix(kind).read_text(errors="replace") for kind in (".stdout", ".stderr"))
        return Ended(code, *texts, orphans=len(left))

    def run(self, *arguments: object, fault: Fault | None = None, **environment: str) -> Ended:
        """Run a command to its end."""
        return self.end(self.begin(*arguments, fault=fault, **environment))

    def _exchange(self, line: str | None) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        if line is not None:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer


def _group_of(leader: int) -> list[int]:
    """Return the processes in the group of *leader*, which has ended."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                state, _, group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(group) == leader and state not in "ZX":
                found.append(int(process.name))
    return found


def _serve() -> None:
    """Fork a child for each line of standard input."""
    import asyncio  # noqa: F401  # so that children do not have to

    import findingmodel.cli.get
    import findingmodel.cli.search
    import findingmodel.cli.stats
    import findingmodel.cli.update
    import findingmodel.index.aio
    import findingmodel.observe.ledger_recorder
    import findingmodel.stores.mongo.store
    import findingmodel.stores.sqlite.store  # noqa: F401

    while line := sys.stdin.readline():
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be(asked)
        _tell({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _tell({"code": os.waitstatus_to_exitcode(status)})


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _be(asked: dict[str, Any]) -> None:
    """Become the command; never return."""
    from findingmodel.cli.main import main
    from tests.torture.steps import Fault, arm

    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN if asked["ignores_sigint"] else signal.default_int_handler)
    os.environ.update(asked["environment"])
    for descriptor, kind in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{asked['output']}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if asked["fault"] is not None:
        arm(Fault(*asked["fault"]))
    sys.argv = ["findingmodel", *asked["arguments"]]
    main()
    sys.exit(0)


if __name__ == "__main__":
    _serve()
