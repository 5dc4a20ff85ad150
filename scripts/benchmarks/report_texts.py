"""Texts that look like radiology reports, made of the names of a corpus, to measure reading them."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SENTENCES_PER_REPORT", "texts"]

_SENTENCES = (
    "No {}.",
    "There is a 6 mm {} in the left side, unchanged.",
    "Possible {} or {}.",
    "No evidence of {}, {} or effusion.",
    "The heart is normal in size and the lungs are clear.",
    "Stable {}, measuring 2.1 x 1.4 cm.",
    "History of {}.",
    "The liver, the spleen and the kidneys are unremarkable.",
    "Mild {} with {}.",
    "Recommend follow-up to evaluate for {}.",
)
SENTENCES_PER_REPORT = len(_SENTENCES)


def texts(names: Sequence[str], count: int) -> list[str]:
    """Return *count* reports of ten sentences with *names*, the same for the same names.

    >>> texts(["Lung nodule", "PE"], 1)[0][:27]
    'FINDINGS: No lung nodule. T'
    """
    following = cycle([name if name.isupper() else name.lower() for name in names])
    reports = []
    for _ in range(count):
        filled = [sentence.format(*islice(following, sentence.count("{}"))) for sentence in _SENTENCES]
        reports.append("FINDINGS: " + " ".join(filled))
    return reports
