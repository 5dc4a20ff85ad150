"""Measure how well reports are read, on reports with judged mentions.

    python scripts/reports_quality.py JUDGED.jsonl --models DIR [--worst 10] [--json]

JUDGED has one report per line: {"rid", "text", "mentions": [{"start", "end", "models": {ID: grade},
"certainty"}], "normal": [{"start", "end"}]}. Grade 2 is a right model, grade 1 a broader, narrower or else
useful one; "models" is empty where no model exists. The reader of findingmodel is compared with a dictionary:
every name and synonym as it is written, longest first, and always present.

A mention that is found is matched to the judged mention that it overlaps most, one to one. Measures:

    detection    precision, recall and F1 of judged mentions with a model; mentions on others are ignored
    right        of the matched ones with a model of grade 2: the first model has grade 2, or one of the
                 first five has
    certainty    of the matched ones: share that is right, and macro-F1 over the classes
    end to end   F1 of matched, first model of grade 2, and certainty right
    on normal    present findings on statements of normality, per 100 of these

Exit codes: 0 done, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel import Index
from findingmodel.errors import FindingModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Found", "Judged", "main", "measure"]

CERTAINTIES = ("present", "absent", "possible", "historical", "indication")
_FIRST = 5
_AROUND = 40  # characters of the report that are shown around a mistake
_MISTAKES = 12  # of a report that are shown


class Found(NamedTuple):
    """A mention that a reader found: its offsets, its models, best first, and its certainty."""

    start: int
    end: int
    models: tuple[str, ...]
    certainty: str


class Truth(NamedTuple):
    """A judged mention."""

    start: int
    end: int
    models: Mapping[str, int]
    certainty: str

    @property
    def right(self) -> frozenset[str]:
        """The models of grade 2."""
        return frozenset(model for model, grade in self.models.items() if grade == 2)


class Judged(NamedTuple):
    """A report with judged mentions and statements of normality."""

    rid: str
    text: str
    mentions: tuple[Truth, ...]
    normal: tuple[tuple[int, int], ...]


class Mistake(NamedTuple):
    """What is wrong with a mention: "missed", "extra", "model" or "certainty"."""

    kind: str
    start: int
    end: int
    detail: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("judged", metavar="JUDGED", type=Path, nargs="+")
    parser.add_argument("--models", metavar="DIR", type=Path, required=True, help="directory of the models")
    parser.add_argument("--worst", metavar="N", type=int, default=0, help="show the N worst reports")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    try:
        reports = [report for path in options.judged for report in read_judged(path)]
        readers = asyncio.run(_read(options.models, reports))
    except (OSError, ValueError, KeyError, FindingModelError) as error:
        print(f"reports_quality: {error}", file=sys.stderr)
        return 2
    figures = {name: measure(reports, found) for name, found in readers.items()}
    print(json.dumps(figures, indent=1) if options.json else _table(figures))
    for line in _worst(reports, readers["findingmodel"], options.worst):
        print(line)
    return 0


def read_judged(path: Path) -> list[Judged]:
    """Return the reports of a file.

    Raises:
        ValueError: a line is not a report; the message names it.
    """
    reports = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                reports.append(_judged(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number} is not a judged report: {error!r}") from error
    if not reports:
        raise ValueError(f"{path} has no reports")
    return reports


def _judged(row: dict[str, Any]) -> Judged:
    mentions = tuple(
        Truth(one["start"], one["end"], one["models"], one["certainty"]) for one in row["mentions"]
    )
    return Judged(
        row["rid"], row["text"], mentions, tuple((one["start"], one["end"]) for one in row["normal"])
    )


async def _read(models: Path, reports: Sequence[Judged]) -> dict[str, list[list[Found]]]:
    """Return what each reader finds in each report."""
    async with Index("sqlite://") as index:
        await index.update_from_directory(models)
        ours = []
        for report in reports:
            reading = await index.read_report(report.text)
            ours.append(
                [
                    Found(one.start, one.end, tuple(hit.oifm_id for hit in one.hits), one.certainty)
                    for one in reading.mentions
                ]
            )
        dictionary = _Dictionary(
            [(entry.oifm_id, [entry.name, *(entry.synonyms or ())]) async for entry in index]
        )
    return {"findingmodel": ours, "dictionary": [dictionary.read(report.text) for report in reports]}


class _Dictionary:
    """Finds names and synonyms as they are written, in any case, longest first; a plural s may follow."""

    def __init__(self, models: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._models: dict[str, list[str]] = {}
        for oifm_id, names in models:
            for name in names:
                self._models.setdefault(" ".join(name.lower().split()), []).append(oifm_id)
        names = sorted(map(re.escape, self._models), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)({'|'.join(names)})s?(?!\w)", re.IGNORECASE)

    def read(self, text: str) -> list[Found]:
        return [
            Found(*match.span(), tuple(self._models[match[1].lower()]), "present")
            for match in self._pattern.finditer(text)
        ]


def overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Return how many characters two spans share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def match(truth: Sequence[Truth], found: Sequence[Found]) -> dict[int, int]:
    """Return which judged mention each found one is matched to: one to one, the longest overlap first."""
    pairs = sorted(
        (-shared, not true.models, true.start, one.start, number, at)
        for number, true in enumerate(truth)
        for at, one in enumerate(found)
        if (shared := overlap(true[:2], one[:2]))
    )
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for *_, number, at in pairs:
        if number not in taken and at not in matched:
            taken.add(number)
            matched[at] = number
    return matched


def measure(reports: Sequence[Judged], found: Sequence[Sequence[Found]]) -> dict[str, float]:
    """Return the figures of one reader."""
    counts: Counter[str] = Counter()
    classes: Counter[tuple[str, str]] = Counter()
    for report, mentions in zip(reports, found, strict=True):
        _count(report, mentions, counts, classes)
    f1 = _f1(counts["hit"], counts["found"], counts["judged"])
    return {
        "precision": _share(counts["hit"], counts["found"]),
        "recall": _share(counts["hit"], counts["judged"]),
        "detection F1": f1,
        "right first": _share(counts["first"], counts["linkable"]),
        "right in 5": _share(counts["five"], counts["linkable"]),
        "certainty": _share(sum(classes[one, one] for one in CERTAINTIES), classes.total()),
        "certainty macro-F1": _macro(classes),
        "end to end F1": _f1(counts["whole"], counts["found 2"], counts["judged 2"]),
        "on normal": 100 * _share(counts["on normal"], counts["normal"]),
    }


def _count(
    report: Judged, found: Sequence[Found], counts: Counter[str], classes: Counter[tuple[str, str]]
) -> None:
    matched = match(report.mentions, found)
    counts["judged"] += sum(bool(true.models) for true in report.mentions)
    counts["judged 2"] += sum(bool(true.right) for true in report.mentions)
    counts["normal"] += len(report.normal)
    for at, one in enumerate(found):
        touched = [true for true in report.mentions if overlap(true[:2], one[:2])]
        counts["on normal"] += one.certainty == "present" and any(
            overlap(one[:2], span) for span in report.normal
        )
        if at not in matched:
            counts["found"] += all(true.models for true in touched)
            counts["found 2"] += all(true.right for true in touched)
            continue
        true = report.mentions[matched[at]]
        if not true.models:
            continue
        counts["hit"] += 1
        counts["found"] += 1
        classes[true.certainty, one.certainty] += 1
        if true.right:
            is_first = one.models[:1] != () and one.models[0] in true.right
            counts["linkable"] += 1
            counts["found 2"] += 1
            counts["first"] += is_first
            counts["five"] += not true.right.isdisjoint(one.models[:_FIRST])
            counts["whole"] += is_first and one.certainty == true.certainty


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _f1(hits: int, found: int, judged: int) -> float:
    return 2 * hits / (found + judged) if found + judged else 0.0


def _macro(classes: Mapping[tuple[str, str], int]) -> float:
    """Return the mean F1 of the classes that occur."""
    scores = []
    for one in CERTAINTIES:
        judged = sum(count for (true, _), count in classes.items() if true == one)
        found = sum(count for (_, said), count in classes.items() if said == one)
        if judged or found:
            scores.append(_f1(classes.get((one, one), 0), found, judged))
    return sum(scores) / len(scores) if scores else 0.0


def _table(figures: Mapping[str, Mapping[str, float]]) -> str:
    names = list(figures)
    rows = [f"{'':20}" + "".join(f"{name:>14}" for name in names)]
    for measure_name in figures[names[0]]:
        cells = [figures[name][measure_name] for name in names]
        form = ".1f" if measure_name == "on normal" else ".3f"
        rows.append(f"{measure_name:20}" + "".join(f"{cell:>14{form}}" for cell in cells))
    return "\n".join(rows)


def mistakes(report: Judged, found: Sequence[Found]) -> list[Mistake]:
    """Return what is wrong in one report, in the order of the text."""
    matched = match(report.mentions, found)
    wrong = [
        Mistake("missed", true.start, true.end, true.certainty)
        for number, true in enumerate(report.mentions)
        if true.models and number not in matched.values()
    ]
    for at, one in enumerate(found):
        if at not in matched:
            if all(true.models for true in report.mentions if overlap(true[:2], one[:2])):
                wrong.append(Mistake("extra", one.start, one.end, one.certainty))
            continue
        true = report.mentions[matched[at]]
        if true.right and (not one.models or one.models[0] not in true.right):
            got, want = (one.models or ("nothing",))[0], sorted(true.right)[0]
            wrong.append(Mistake("model", one.start, one.end, f"{got} instead of {want}"))
        if true.models and one.certainty != true.certainty:
            detail = f"{one.certainty} instead of {true.certainty}"
            wrong.append(Mistake("certainty", one.start, one.end, detail))
    return sorted(wrong, key=lambda one: (one.start, one.kind))


def _worst(reports: Sequence[Judged], found: Sequence[Sequence[Found]], most: int) -> Iterable[str]:
    """Yield a picture of each of the worst reports: the words around each mistake, with the mistake below."""
    ranked = sorted(
        ((mistakes(report, own), report) for report, own in zip(reports, found, strict=True)),
        key=lambda pair: (-len(pair[0]), pair[1].rid),
    )
    for wrong, report in ranked[: max(most, 0)]:
        yield f"\n{report.rid}: {len(wrong)} of {len(report.mentions)} mentions"
        for one in wrong[:_MISTAKES]:
            start = max(one.start - _AROUND, 0)
            words = " ".join(report.text[start : one.end + _AROUND].split())
            place = words.find(" ".join(report.text[one.start : one.end].split()))
            yield f"    {words}"
            yield f"    {' ' * max(place, 0)}{'^' * max(one.end - one.start, 1)} {one.kind}: {one.detail}"


if __name__ == "__main__":
    sys.exit(main())
