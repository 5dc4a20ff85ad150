"""Learn how search weighs evidence, from judged queries.

    python scripts/train_rank.py QRELS.jsonl... --models DIR --without-table FILE [--output FILE] [--ablate]

QRELS are judged queries as for `relevance.py`. Queries about a dropped synonym use FILE, a table of meanings
that has not seen the synonyms (`train_meaning.py --without`). Every figure printed is of queries that the
model has not seen: MRR@10 and recall@10 by category, the calibration of likelihoods, and the share of right
answers among those called "matched". Written is the model of all queries. Exit codes: 0 done, 2 bad usage or
input.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from judging.cases import collect
from judging.fitting import Answer, cross_validated, fit, targets
from judging.measures import calibration_error, mean_reciprocal_rank, recall
from judging.queries import read_judged, read_models

from findingmodel.errors import FindingModelError
from findingmodel.search import meaning
from findingmodel.search.rank import DECIDING, INPUTS, Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from judging.cases import Case

    from findingmodel.search.rank import Model

__all__ = ["main"]

_OUTPUT = Path(meaning.PATH).with_name("ranking.txt")
_PRECISION = 0.95  # of "matched"
_UNMATCHED = 0.8  # no hit is hardly less likely to be right than one
_DIGITS = 4
_HEADER = """\
# How search weighs evidence; written by scripts/train_rank.py, which explains it. Do not edit.
# Weights of findingmodel.search.rank.Evidence by kind of query, then of likelihood_inputs; then the
# likelihoods of the best hit from which a query is "matched", and below which it is "unmatched".
"""


class First(NamedTuple):
    """The first hit of a query without an exact match.

    Attributes:
        likelihood: that it is right.
        any_likelihood: that one of the first `DECIDING` hits is right.
        right: whether it is.
        answerable: whether any model answers the query.
    """

    likelihood: float
    any_likelihood: float
    right: bool
    answerable: bool


def first_hits(found: Sequence[Answer]) -> list[First]:
    """Return the first hits that are not exact matches, the likeliest first."""
    firsts = [
        First(
            answer.likelihoods[0],
            sum(answer.likelihoods[:DECIDING]),
            answer.ids[0] in targets(answer.case),
            bool(answer.case.judged.relevant),
        )
        for answer in found
        if answer.likelihoods and not answer.case.exact
    ]
    return sorted(firsts, key=lambda first: -first.likelihood)


def lowest_matched(firsts: Sequence[First]) -> float:
    """Return the lowest likelihood from which `_PRECISION` of the first hits are right."""
    matched, right = 1.0, 0
    for count, first in enumerate(firsts, 1):
        right += first.right
        if right / count >= _PRECISION:
            matched = first.likelihood
    return round(matched, 3)


def show(found: Sequence[Answer]) -> None:
    """Print the measures by category."""
    by_category: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for answer in found:
        if relevant := answer.case.judged.relevant:
            row = (mean_reciprocal_rank(relevant, answer.ids), recall(relevant, answer.ids))
            by_category[answer.case.judged.category].append(row)
    for category, rows in sorted(by_category.items()):
        rank, found_share = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        print(f"{category:<22}{len(rows):>6}{rank:>9.3f}{found_share:>9.3f}")


def show_likelihoods(firsts: Sequence[First], matched: float, unmatched: float) -> None:
    """Print how likely first hits were said to be, and how many were right."""
    print(f"\n{'likelihood':<14}{'hits':>6}{'mean':>8}{'right':>8}")
    for tenth in range(10):
        own = [first for first in firsts if tenth <= first.likelihood * 10 < tenth + 1]
        if own:
            mean, right = (
                sum(one.likelihood for one in own) / len(own),
                sum(one.right for one in own) / len(own),
            )
            print(f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}{len(own):>10}{mean:>8.2f}{right:>8.2f}")
    error = calibration_error([(one.likelihood, one.right) for one in firsts])
    sure = [one for one in firsts if one.likelihood >= matched]
    nothing = [one for one in firsts if not one.answerable]
    told = sum(one.likelihood < 0.5 and one.any_likelihood < unmatched for one in nothing)
    lost = sum(one.likelihood < 0.5 and one.any_likelihood < unmatched for one in firsts) - told
    print(f"expected calibration error {error:.3f}")
    print(
        f"matched from {matched}: {len(sure)} of {len(firsts)}, "
        f"right {sum(one.right for one in sure) / max(len(sure), 1):.3f}"
    )
    print(f"unmatched below {unmatched}: {told} of {len(nothing)} queries without an answer, {lost} with")


def text_of(model: Model) -> str:
    """Return *model* as the file in the package."""
    parts: list[tuple[str, Sequence[str], Sequence[float]]] = [
        ("key words", Evidence._fields, model.key_words),
        ("sentence", Evidence._fields, model.sentence),
        ("likelihood", INPUTS, model.likelihood),
        ("status", ("matched", "unmatched"), (model.matched, model.unmatched)),
    ]
    lines = [
        f"\n[{title}]\n"
        + "".join(f"{name} {value:.{_DIGITS}f}\n" for name, value in zip(names, values, strict=True))
        for title, names, values in parts
    ]
    return _HEADER + "".join(lines)


def train(cases: Sequence[Case]) -> Model:
    """Print how well a model generalises, and return that of all *cases*."""
    found = cross_validated(cases)
    show(found)
    firsts = first_hits(found)
    matched = lowest_matched(firsts)
    show_likelihoods(firsts, matched, _UNMATCHED)
    return fit(cases)._replace(matched=matched, unmatched=_UNMATCHED)


def ablate(cases: Sequence[Case]) -> None:
    """Print the mean reciprocal rank without each kind of evidence."""
    print("\nwithout")
    for name in ("", *Evidence._fields):
        found = [one for one in cross_validated(cases, [name]) if one.case.judged.relevant]
        ranks = [mean_reciprocal_rank(one.case.judged.relevant, one.ids) for one in found]
        print(f"{name or '(nothing)':<16}{sum(ranks) / len(ranks):.4f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("qrels", nargs="+", type=Path, help="judged queries, JSON Lines")
    parser.add_argument("--models", required=True, type=Path, metavar="DIR", help="the finding models")
    parser.add_argument(
        "--without-table", required=True, type=Path, metavar="FILE", help="for dropped synonyms"
    )
    parser.add_argument(
        "--output", type=Path, default=_OUTPUT, help="the file to write (default: the package's)"
    )
    parser.add_argument("--ablate", action="store_true", help="also measure without each kind of evidence")
    options = parser.parse_args(arguments)
    try:
        judged, models = read_judged(options.qrels), read_models(options.models)
        cases = collect(judged, models, meaning.PATH, options.without_table)
        options.output.write_text(text_of(train(cases)), encoding="utf-8")
    except (FindingModelError, OSError, ValueError) as error:
        print(f"train_rank: {error}", file=sys.stderr)
        return 2
    if options.ablate:
        ablate(cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
