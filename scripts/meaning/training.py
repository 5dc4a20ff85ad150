"""Learn vectors of words so that labels of one thing lie close together.

A label is the sum of its words' vectors. A word's vector is a vector of its own plus those of its letters
(all runs of three to five), times a weight; so words that look alike begin alike. Contrastive learning
(InfoNCE, van den Oord et al. 2018, arXiv:1807.03748): of two labels of a group, each shall find the other
among those of all groups of a batch, and not the label with one word turned into its opposite. Optimised by
Adam (Kingma and Ba 2014, arXiv:1412.6980). All numbers are 64-bit and all sums in a fixed order, so that one
seed gives one table.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from findingmodel.text.opposites import opposites
from findingmodel.text.stem import analyze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Label = tuple[str, ...]

__all__ = ["Options", "Words", "learn", "runs"]

_GRAM_LENGTHS = (3, 4, 5)
_LETTERS = 0.5  # the share of a word's letters
_DROPPED = 0.15  # of the words' own vectors in each step, so that letters learn to stand for them
_SMALL = 1e-9


class Options(NamedTuple):
    """How to learn.

    Attributes:
        dimensions: numbers per word.
        epochs, batch, rate, temperature, seed: of the optimisation; the rate falls to a twentieth.
        least: words in fewer labels are left to their letters.
        buckets: vectors for runs of letters, which share them by hash.
    """

    dimensions: int = 128
    epochs: int = 14
    batch: int = 512
    rate: float = 3e-3
    temperature: float = 0.07
    seed: int = 0
    least: int = 2
    buckets: int = 8_192


class Words(NamedTuple):
    """What was learned.

    Attributes:
        words: in alphabetical order.
        vectors: a row for each word.
        letters: a row for each bucket of runs of letters; the vector of another word is the sum of its runs'
        rows,
            divided by the square root of their number.
    """

    words: list[str]
    vectors: Floats
    letters: Floats


def learn(
    groups: Iterable[Sequence[str]], kept: Iterable[str], options: Options, tell: Callable[[str], None]
) -> Words:
    """Return vectors of the words of *groups*, sets of labels that mean the same.

    Args:
        groups: a group that is in the list several times weighs more.
        kept: texts whose words are kept however rare they are.
        options: how.
        tell: is told the loss of each epoch.
    """
    return _Model(_Corpus(groups, kept, options), options).learn(tell)


class _Corpus:
    """Labels and words as numbers, and sparse matrices between labels, words, and runs of letters."""

    def __init__(self, groups: Iterable[Sequence[str]], kept: Iterable[str], options: Options) -> None:
        numbers: dict[Label, int] = {}
        self.groups: list[list[int]] = []
        for group in groups:
            labels = list(dict.fromkeys(label for text in group if (label := tuple(analyze(text)))))
            if len(labels) > 1:
                self.groups.append([numbers.setdefault(label, len(numbers)) for label in labels])
        self.counts = Counter(word for label in numbers for word in set(label))
        self.words = sorted(self.counts)
        self.labels = len(numbers)
        self.opposites = self._add_opposites(numbers)
        number_of = {word: number for number, word in enumerate(self.words)}
        self.of_label = _matrix([[number_of[word] for word in label] for label in numbers], len(self.words))
        often = {word for word, count in self.counts.items() if count >= options.least}
        often.update(word for text in kept for word in analyze(text))
        self.has_own = np.array([word in often for word in self.words], dtype=np.float64)
        found = [[zlib.crc32(run.encode()) % options.buckets for run in runs(word)] for word in self.words]
        scale = sparse.diags([_LETTERS / len(row) ** 0.5 for row in found])
        self.letters = (scale @ _matrix(found, options.buckets)).tocsr()

    def _add_opposites(self, numbers: dict[Label, int]) -> NDArray[np.int64]:
        """Return for each label the number of one with an opposite word, which is added; else -1."""
        found = np.full(self.labels, -1)
        for label, number in list(numbers.items()):
            for place, word in enumerate(label):
                other = min((one for one in opposites(word) if one in self.counts), default=None)
                if other is not None and other not in label:
                    turned = (*label[:place], other, *label[place + 1 :])
                    found[number] = numbers.setdefault(turned, len(numbers))
                    break
        return found


def _matrix(rows: Sequence[Sequence[int]], columns: int) -> Any:
    """Return the sparse matrix that counts in each row the columns it lists."""
    starts = np.cumsum([0, *map(len, rows)])
    listed = np.array([column for row in rows for column in row])
    found = sparse.csr_matrix((np.ones(len(listed)), listed, starts), shape=(len(rows), columns))
    found.sum_duplicates()
    return found


def runs(word: str) -> list[str]:
    """Return all runs of three to five letters of *word*, whose ends are marked."""
    bounded = f"<{word}>"
    return [bounded[at : at + size] for size in _GRAM_LENGTHS for at in range(len(bounded) - size + 1)]


class _Parameter:
    """Numbers that are learned, with the moments of Adam; only the rows that a step touches are changed."""

    def __init__(self, values: Floats, rate: float) -> None:
        self.values, self._rate = values, rate
        self._first, self._second = np.zeros_like(values), np.zeros_like(values)

    def step(self, rows: NDArray[np.int64], gradient: Floats, number: int, share: float) -> None:
        first = self._first[rows] = 0.9 * self._first[rows] + 0.1 * gradient
        second = self._second[rows] = 0.999 * self._second[rows] + 0.001 * gradient**2
        size = self._rate * share / (np.sqrt(second / (1 - 0.999**number)) + _SMALL)
        self.values[rows] -= size * first / (1 - 0.9**number)


class _Model:
    """The vectors of words and of runs of letters, and the weights of words."""

    def __init__(self, corpus: _Corpus, options: Options) -> None:
        self._corpus, self._options = corpus, options
        self._random = np.random.default_rng(options.seed)
        size = options.dimensions**-0.5
        shape = (len(corpus.words), options.dimensions)
        self._own = _Parameter(self._random.normal(scale=size, size=shape), options.rate)
        shape = (options.buckets, options.dimensions)
        self._of_letters = _Parameter(self._random.normal(scale=size, size=shape), options.rate)
        counts = np.array([corpus.counts[word] for word in corpus.words])
        rarity = 1 - np.log(counts) / np.log(corpus.labels)
        self._weights = _Parameter(np.log(np.clip(rarity, 0.1, 1)), options.rate * 5 / 3)

    def learn(self, tell: Callable[[str], None]) -> Words:
        batches = len(self._corpus.groups) // self._options.batch
        steps, number = batches * self._options.epochs, 0
        order = np.arange(len(self._corpus.groups))
        for epoch in range(self._options.epochs):
            self._random.shuffle(order)
            loss = 0.0
            for batch in range(batches):
                number += 1
                share = min(1, number / 50) * (1 - 0.95 * number / steps)
                loss += self._step(order[batch * self._options.batch :][: self._options.batch], number, share)
            tell(f"epoch {epoch + 1} of {self._options.epochs}: loss {loss / batches:.3f}")
        return self._learned()

    def _learned(self) -> Words:
        corpus = self._corpus
        own = self._own.values * corpus.has_own[:, None]
        vectors = (own + corpus.letters @ self._of_letters.values) * np.exp(self._weights.values)[:, None]
        kept = corpus.has_own > 0
        rare = float(np.exp(self._weights.values[~kept]).mean()) if not kept.all() else 1.0
        letters = self._of_letters.values * (_LETTERS * rare)
        return Words(
            [word for word, has in zip(corpus.words, kept, strict=True) if has], vectors[kept], letters
        )

    def _step(self, chosen: NDArray[np.int64], number: int, share: float) -> float:
        """Improve by one batch of groups, and return its loss."""
        corpus, size = self._corpus, len(chosen)
        pairs = [self._random.choice(corpus.groups[group], 2, replace=False) for group in chosen]
        one, two = np.array(pairs).T
        turned = corpus.opposites[one]
        has_turned = turned >= 0
        labels = np.concatenate([one, two, turned[has_turned]])
        texts = corpus.of_label[labels]
        words = np.unique(texts.indices)
        texts = texts[:, words]
        own = sparse.diags(corpus.has_own[words] * (self._random.random(len(words)) > _DROPPED))
        letters, weight = corpus.letters[words], np.exp(self._weights.values[words])[:, None]
        vectors = own @ self._own.values[words] + letters @ self._of_letters.values
        sums = texts @ (vectors * weight)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True) + _SMALL
        points = sums / lengths
        loss, pull = self._pull(points, size, one, two, has_turned)
        back = (pull - points * (pull * points).sum(1, keepdims=True)) / lengths
        back = texts.T @ back
        self._weights.step(words, (back * vectors).sum(1) * weight[:, 0], number, share)
        back *= weight
        self._own.step(words, own @ back, number, share)
        buckets = np.unique(letters.indices)
        self._of_letters.step(buckets, (letters.T @ back)[buckets], number, share)
        return loss

    def _pull(
        self,
        points: Floats,
        size: int,
        one: NDArray[np.int64],
        two: NDArray[np.int64],
        has_turned: NDArray[np.bool_],
    ) -> tuple[float, Floats]:
        """Return the loss, and its gradient by the *points* of the labels one, two, and turned."""
        heat = self._options.temperature
        first, second, turned = points[:size], points[size : 2 * size], points[2 * size :]
        alike = first @ second.T / heat
        same = one[:, None] == two[None, :]
        np.fill_diagonal(same, val=False)
        alike[same] = -np.inf
        against = np.full((size, 1), -np.inf)
        against[has_turned, 0] = (first[has_turned] * turned).sum(1) / heat
        forth = _softmax(np.hstack([alike, against]))
        back = _softmax(alike.T).T
        gradient = (forth[:, :size] + back - 2 * np.eye(size)) / (2 * size * heat)
        repelled = forth[has_turned, size:] / (2 * size * heat)
        pull = np.vstack([gradient @ second, gradient.T @ first, repelled * first[has_turned]])
        pull[:size][has_turned] += repelled * turned
        return -float(np.log(np.diag(forth[:, :size]) + _SMALL).mean()), pull


def _softmax(rows: Floats) -> Floats:
    powers = np.exp(rows - rows.max(1, keepdims=True))
    shares: Floats = powers / powers.sum(1, keepdims=True)
    return shares
