"""Measure speed, memory and traffic of findingmodel, and compare them with floors, peers and budgets.

    python scripts/bench.py                                 --quick: one corpus, under a minute
    python scripts/bench.py --full --peers --report docs/performance.md --corpus DIR

Each case runs in a separate process, several rounds in turn; values are medians. Budgets are ratios to a
floor of the same run, because seconds depend on the machine; see benchmarks/budgets.py. The corpus is DIR,
or synthetic (make_corpus.py); --full adds 10,000 and 100,000 synthetic models, and takes half an hour and
3 GB. Without --mongodb URI the MongoDB cases use nx-27017, a development dependency; databases are named
bench_... and dropped. --peers installs findingmodel 0.3.2 and 1.0.4, and medspaCy for the reading of reports,
from the package index into separate environments, which are kept in --work.

Exit codes: 0 done; 1 a value is beyond its alarm (benchmarks/budgets.py); 2 bad usage, or a case failed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.peers import PEERS, ask_peer, ask_report_peer, install_peer
from benchmarks.report import HEADING, Run, rows, shown, write_report
from benchmarks.report_texts import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["main"]

Facts = dict[str, dict[str, float]]

_SCRIPTS = Path(__file__).parent
_SIZE = 2_382  # models in the public collection
_LARGE = (10_000, 100_000)
_LONG_AGO_NS = 1_700_000_000_000_000_000
_STARTS = 11
_PEER_ROUNDS = 5
_QUICK_MONGODB = 300  # more take long on the stand-in server
_QUERIES = 1_000
_PEER_REPORTS = 20  # the peer is slow
_SLOW_QUERIES = 200  # for corpora in which a search is slow


class Bench(NamedTuple):
    """One run of this script."""

    options: argparse.Namespace
    work: Path

    def report(self, text: str) -> None:
        """Report progress on stderr."""
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def child(self, case: str, **arguments: Any) -> Facts:
        """Run one case in a separate process."""
        path = os.pathsep.join([str(_SCRIPTS), str(_SCRIPTS.parent)])
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.child", case, json.dumps(arguments)],
            env=os.environ | {"PYTHONPATH": path, "FINDINGMODEL_LEDGER": "off"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{case} failed:\n{done.stderr}")
        facts: Facts = json.loads(done.stdout.splitlines()[-1])
        return facts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="findingmodel-bench-") as scratch:
            run = measure(Bench(options, options.work or Path(scratch)))
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(shown([HEADING, *rows(run)]))
    print(*run.notes, sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"results": run.results, "notes": run.notes}, indent=1), "utf-8")
    if options.report:
        write_report(run, options.report)
    alarming = [verdict.budget.what for verdict in run.verdicts if verdict.is_alarming]
    for what in alarming:
        print(f"bench: alarming: {what}", file=sys.stderr)
    return 1 if alarming else 0


def measure(bench: Bench) -> Run:
    """Measure everything that the options select."""
    options = bench.options
    rounds = options.rounds or (5 if options.full else 3)
    notes: list[str] = []
    corpus = _corpus(bench, options.corpus, _SIZE)
    size = _count(corpus)
    results = {size: _medians(sqlite_round(bench, corpus, number) for number in range(rounds))}
    results[size] |= starts(bench, corpus, str(bench.work / "start.db"))
    results[size] |= report_peer(bench, corpus, notes) if options.peers else {}
    results[size] |= mongodb(bench, corpus, notes)
    results[size] |= (
        peers(bench, corpus, notes) if options.peers else bench.child("parse", directory=str(corpus))
    )
    for large in _LARGE if options.full else ():
        directory = _corpus(bench, None, large)
        few = rounds if large == _LARGE[0] else 1
        results[large] = _medians(sqlite_round(bench, directory, number) for number in range(few))
        shutil.rmtree(directory)
    if options.full:
        results[_LARGE[1]] |= _scale(*(results[large]["update: cold"] for large in _LARGE))
    return Run(results, rounds, notes)


def sqlite_round(bench: Bench, corpus: Path, number: int) -> Facts:
    """Measure all cases of a SQLite index once."""
    bench.report(f"SQLite, {_count(corpus):,} models, round {number + 1}")
    database = bench.work / f"round-{number}.db"
    directory, url = str(corpus), str(database)
    for path in bench.work.glob("round-*"):
        path.unlink()
    facts = bench.child("floors", directory=directory)
    facts |= bench.child("cold", directory=directory, url=url)
    facts |= bench.child("updates", directory=directory, url=url)
    queries = _queries(corpus)
    if _count(corpus) > _LARGE[0]:
        queries = queries[:_SLOW_QUERIES]
    facts |= bench.child("reads", url=url, queries=queries)
    return facts | bench.child("reports", url=url, names=_names(corpus))


def starts(bench: Bench, corpus: Path, url: str) -> Facts:
    """Measure whole commands, with a new index at *url*."""
    bench.report("commands")
    for path in bench.work.glob("start.db*"):
        path.unlink()
    bench.child("cold", directory=str(corpus), url=url)
    command, database = str(Path(sys.executable).with_name("findingmodel")), ["--db", url]
    key = json.loads(next(corpus.rglob("*.fm.json")).read_bytes())["oifm_id"]
    report = bench.work / "report.txt"
    report.write_text(texts(_names(corpus), 1)[0], encoding="utf-8")
    commands = {
        "floor: python -c pass": [sys.executable, "-c", "pass"],
        "start: --help": [command, "--help"],
        "start: search": [command, "search", "lung nodule", *database],
        "start: report": [command, "report", str(report), *database],
        "start: index get": [command, "index", "get", key, *database],
        "start: index update": [command, "index", "update", str(corpus), *database],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    # Without this, every start would compile the modules again where the environment forbids bytecode files.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["FINDINGMODEL_LEDGER"] = "off"
    for _ in range(1 + _STARTS):
        for name, line in commands.items():
            cpu, started = _children_cpu(), time.perf_counter()
            subprocess.run(line, check=True, capture_output=True, env=environment)
            taken[name].append((time.perf_counter() - started, _children_cpu() - cpu))
    facts: Facts = {}
    for name, runs in taken.items():
        seconds, cpu_seconds = zip(*runs[1:], strict=True)
        facts[name] = {"seconds": median(seconds), "cpu": median(cpu_seconds)}
    return facts


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def mongodb(bench: Bench, corpus: Path, notes: list[str]) -> Facts:
    """Measure updates of an index on a MongoDB server with both drivers."""
    facts: Facts = {}
    with ExitStack() as stack:
        uri = _server(bench, stack, notes)
        directory = corpus if bench.options.full else _part(bench, corpus, _QUICK_MONGODB)
        for driver in ("motor", "pymongo") if uri else ():
            bench.report(f"MongoDB, {_count(directory):,} models, {driver}")
            url = f"{uri}/bench_{driver}_{os.getpid()}"
            queries = _queries(directory)[: None if bench.options.full else _SLOW_QUERIES]
            found = bench.child("traffic", directory=str(directory), url=url, driver=driver, queries=queries)
            facts |= {f"{driver} {case}": taken for case, taken in found.items()}
        if uri and bench.options.full:
            with _database(uri) as url:
                found = starts(bench, directory, url)
            facts |= {f"MongoDB {case}": taken for case, taken in found.items() if "floor" not in case}
        if uri and bench.options.peers:
            python = install_peer("0.3.2", bench.work)
            bench.report(f"MongoDB, {_count(directory):,} models, findingmodel 0.3.2")
            found = ask_peer(python, "updates", str(directory), f"{uri}/bench_peer_{os.getpid()}")
            facts |= {f"0.3.2 {case}": taken for case, taken in found.items()}
        if uri:
            notes.append(f"MongoDB cases: {_count(directory):,} models, one round.")
    return facts


def peers(bench: Bench, corpus: Path, notes: list[str]) -> Facts:
    """Measure parsing of the models by the peers and by this package, in turn."""
    pythons = {version: install_peer(version, bench.work) for version in PEERS}

    def in_turn(number: int) -> Facts:
        bench.report(f"parsing with the peers, round {number + 1}")
        facts = bench.child("parse", directory=str(corpus))
        for version, python in pythons.items():
            facts[f"parse: {version}"] = ask_peer(python, "parse", str(corpus))["parse"]
        return facts

    facts = _medians(in_turn(number) for number in range(_PEER_ROUNDS))
    notes.append(
        "findingmodel 1.0.4: only parsing is compared; the package that builds its index is not published."
    )
    return facts


def _server(bench: Bench, stack: ExitStack, notes: list[str]) -> str | None:
    """Return the address of a MongoDB server, starting one if necessary; None if that fails."""
    if bench.options.mongodb:
        return str(bench.options.mongodb).rstrip("/")
    sys.path.append(str(_SCRIPTS.parent))
    try:
        servers = import_module("tests.servers")
        server = stack.enter_context(servers.running("nx"))
    except Exception as error:  # the other cases can be measured without it
        notes.append(f"No MongoDB cases: {type(error).__name__}: {str(error).splitlines()[0]}")
        return None
    notes.append(
        "MongoDB is nx-27017, a stand-in over SQLite: counts and client CPU carry over, seconds do not."
    )
    return str(server.uri).split("/?")[0].rstrip("/")


@contextmanager
def _database(uri: str) -> Iterator[str]:
    """Yield the address of a database on the server at *uri*, and drop it afterwards."""
    from pymongo import MongoClient

    name = f"bench_starts_{os.getpid()}"
    try:
        yield f"{uri}/{name}"
    finally:
        with MongoClient[Any](uri) as client:
            client.drop_database(name)


def _corpus(bench: Bench, source: Path | None, count: int) -> Path:
    """Return a new directory of finding models with old modification times."""
    directory = bench.work / f"corpus-{count}"
    shutil.rmtree(directory, ignore_errors=True)
    if source is not None:
        shutil.copytree(source, directory)
    else:
        bench.report(f"writing {count:,} models")
        program = [sys.executable, str(_SCRIPTS / "make_corpus.py"), str(count), str(directory)]
        subprocess.run(program, check=True, capture_output=True)
    for path in directory.rglob("*.fm.json"):
        os.utime(path, ns=(_LONG_AGO_NS, _LONG_AGO_NS))
    return directory


def _part(bench: Bench, corpus: Path, count: int) -> Path:
    directory = bench.work / f"part-{count}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for path in sorted(corpus.rglob("*.fm.json"))[:count]:
        shutil.copy2(path, directory)
    return directory


def _queries(corpus: Path) -> list[str]:
    """Return typical queries: two or three words of a name or a synonym, without duplicates."""
    queries: dict[str, None] = {}
    paths = sorted(corpus.rglob("*.fm.json"))
    for path in paths[:: max(1, len(paths) // _QUERIES)]:
        model = json.loads(path.read_bytes())
        for label in (model["name"], *(model.get("synonyms") or ())[:1]):
            words = label.lower().replace("(", " ").replace(")", " ").replace('"', " ").split()
            if len(words) > 1:
                queries[" ".join(words[-3:][::-1])] = None
    return list(queries)[:_QUERIES]


def _names(corpus: Path) -> list[str]:
    """Return the names of models, a thousand at most."""
    paths = sorted(corpus.rglob("*.fm.json"))
    return [json.loads(path.read_bytes())["name"] for path in paths[:: max(1, len(paths) // _QUERIES)]]


def report_peer(bench: Bench, corpus: Path, notes: list[str]) -> Facts:
    """Measure the reading of the same reports by medspaCy, with all names and synonyms as its rules."""
    bench.report("reports with medspaCy")
    models = [json.loads(path.read_bytes()) for path in sorted(corpus.rglob("*.fm.json"))]
    names = [name for model in models for name in (model["name"], *(model.get("synonyms") or ()))]
    try:
        return ask_report_peer(bench.work, names, texts(_names(corpus), _PEER_REPORTS))
    except (RuntimeError, subprocess.SubprocessError) as error:
        notes.append(f"No medspaCy: {str(error).splitlines()[0]}")
        return {}


def _medians(rounds: Iterable[Facts]) -> Facts:
    every = list(rounds)
    return {
        case: {fact: median(one[case][fact] for one in every) for fact in facts}
        for case, facts in every[0].items()
    }


def _scale(small: Mapping[str, float], large: Mapping[str, float]) -> Facts:
    """Return the growth of CPU and memory per model from 10,000 models to 100,000."""
    few, many = _LARGE
    ratio = (large["cpu"] / many) / (small["cpu"] / few)
    kilobytes = (large["peak_mb"] - small["peak_mb"]) * 1024 / (many - few)
    return {"scale: cpu": {"ratio": ratio}, "scale: memory": {"kilobytes": kilobytes}}


def _count(directory: Path) -> int:
    return sum(1 for _ in directory.rglob("*.fm.json"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--quick", action="store_true", help="one corpus, three rounds (default)")
    scope.add_argument("--full", action="store_true", help="also 10,000 and 100,000 models")
    parser.add_argument("--peers", action="store_true", help="compare with findingmodel 0.3.2 and 1.0.4")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="use a copy of these finding models")
    parser.add_argument("--mongodb", metavar="URI", help="a MongoDB server, without a database")
    parser.add_argument("--rounds", type=int, metavar="N", help="number of rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values as JSON")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a Markdown page, and plots beside it"
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="directory for temporary files; peers stay installed in it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
