"""Read one sentence: the findings that it names, how certain each is, and what is said of it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.anchors import anchors_of
from findingmodel.reports.certainty import ABSENT, HISTORICAL, IGNORED, PRESENT, Judgement, cues_of
from findingmodel.reports.contexts import context_of
from findingmodel.reports.document import DATA
from findingmodel.reports.linking import status_of
from findingmodel.reports.measures import change_of, levels, measurements, owner_of, side_of
from findingmodel.reports.parts import Kind, chunks_of, is_boundary, parts_of
from findingmodel.reports.values import Mention, MentionHit, NormalStatement, Quote
from findingmodel.text.cues import CueTable
from findingmodel.text.tables import sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.reports.anchors import Anchor
    from findingmodel.reports.certainty import SentenceCues
    from findingmodel.reports.contexts import Context
    from findingmodel.reports.document import Sentence
    from findingmodel.reports.exams import Exam
    from findingmodel.reports.lexicon import Lexicon
    from findingmodel.reports.linking import Linker, Ranking
    from findingmodel.reports.parts import Chunk
    from findingmodel.reports.values import Measurement

_STATED = 0.6  # a concept of the phrase, of one attached to it, or a whole that these imply
_NEAR = 0.8  # a concept of the same phrase, or of one attached to it
_STRONG_STATE = 1.15  # the raw score of a label that makes a finding of a state and a place
_BARE_STATE = 0.85
_WEAK = 1.15
_STRONG = "strong"  # words such as "normal", in ``normal.txt``
_HEADING_GAP = 3  # characters between a heading and its first word
_JOINS = ("and", "or", "with", "but")
_FEW_WORDS = 4
_PARTS = ("and", "but", "with", "without", "while")
_LEADS = (*_JOINS, "in", "of")
_SIDE_OR_LEVEL = re.compile(r"left|right|[ctls]\d{1,2}")
_GENERIC = frozenset(("abnormality", "abnormalities", "disease", "process", "injury", "syndrome", "finding"))


class Candidate(NamedTuple):
    """A mention of a sentence before overlaps are resolved."""

    start: int  # words
    end: int
    anchor: Anchor
    ranking: list[Ranking]


@cache
def _normal_words() -> CueTable:
    table = dict(sections(DATA / "normal.txt"))
    return CueTable({_STRONG: table[_STRONG], "words": table["words"]})


class SentenceReader:
    """Reads one sentence."""

    def __init__(
        self,
        lexicon: Lexicon,
        linker: Linker,
        text: str,
        sentence: Sentence,
        exam: Exam,
        carried: Mapping[int, float],
    ) -> None:
        self._lexicon = lexicon
        self._linker = linker
        sentence = _with_heading(sentence, lexicon)
        self._text = text
        self._sentence = sentence
        self._words = sentence.words
        self._exam = exam
        self._carried = carried
        concepts = lexicon.concepts
        shouts = all(word.capitals for word in self._words if word.text.isalpha()) and len(self._words) > 3
        capitals = [word.capitals and not (shouts and len(word.text) > 4) for word in self._words]
        terms = concepts.terms([word.stem for word in self._words], capitals)
        self._parts = parts_of(self._words, terms, lexicon)
        self._chunks = chunks_of(self._words, self._parts)
        self._topic = concepts.terms([word.stem for word in sentence.topic])
        self._cues: SentenceCues = cues_of(sentence)
        self._normal = _normal_words().cues([word.text for word in self._words])

    # mentions

    def mentions(self, limit: int) -> list[Mention]:
        """Return the mentions of the sentence."""
        candidates = list(self._candidates())
        kept = _without_overlaps(candidates)
        found = []
        sizes = measurements(self._text, self._sentence.start, self._sentence.end)
        spans = [(self._words[one.start].start, self._words[one.end - 1].end) for one in kept]
        owners = [owner_of(size, spans, self._text) for size in sizes]
        for number, candidate in enumerate(kept):
            judgement = self._judged(candidate)
            if judgement.certainty == IGNORED or self._is_generic(candidate, judgement):
                continue
            lost = [one for one in candidates if one not in kept and _overlap(one, candidate)]
            mention = self._mention(candidate, judgement, limit, lost)
            own = tuple(size for size, owner in zip(sizes, owners, strict=True) if owner == number)
            found.append(self._described(mention, candidate, kept, own))
        return found

    def _judged(self, candidate: Candidate) -> Judgement:
        judgement = self._cues.judge(candidate.start, candidate.end)
        head = self._words[candidate.anchor.head.start].text
        if judgement.certainty == PRESENT and head in self._lexicon.kinds.removals:
            return Judgement(HISTORICAL)
        return judgement

    def _candidates(self) -> Iterator[Candidate]:
        stems = [word.stem for word in self._words]
        for anchor in anchors_of(self._chunks, self._topic, self._lexicon):
            chunk = self._chunks[anchor.chunk]
            last = self._words[anchor.head.end - 1].text
            context = context_of(
                anchor,
                self._lexicon.kinds,
                self._exam,
                stems=stems,
                carried=self._carried,
                is_plural=last.endswith("s") and not last.endswith("ss"),
            )
            ranking = self._linker.rank(context)
            if self._is_finding(anchor, chunk, ranking, context):
                start, end = self._span(anchor, chunk, ranking)
                yield Candidate(start, end, anchor, ranking)

    def _is_finding(self, anchor: Anchor, chunk: Chunk, ranking: list[Ranking], context: Context) -> bool:
        if not (anchor.is_state or anchor.is_weak):
            return not self._is_normal(chunk)
        if self._is_normal(chunk):
            return False
        if anchor.is_state and self._is_strong(anchor):
            return True
        if not ranking:
            return False
        best = ranking[0]
        stated = all(
            context.concepts.get(concept, 0.0) >= _STATED or concept in context.related
            for concept in best.label.core
        )
        if anchor.is_state:
            has_place = any(concept in self._lexicon.kinds.places for concept in best.label.core)
            return stated and best.raw >= (_STRONG_STATE if has_place else _BARE_STATE)
        return stated and best.raw >= _WEAK and len(best.label.core) > 1

    def _is_strong(self, anchor: Anchor) -> bool:
        """Return whether a place is described in a way that is a finding whatever the index has."""
        kinds = self._lexicon.kinds
        return not kinds.strong.isdisjoint(anchor.head.concepts) and any(
            quality >= _NEAR and concept in kinds.places for concept, quality in anchor.concepts.items()
        )

    def _is_normal(self, chunk: Chunk) -> bool:
        """Return whether the statement that *chunk* belongs to calls its subject normal."""
        start, end = self._statement(chunk)
        kinds = [cue.kind for cue in self._normal if start <= cue.start < end]
        if not kinds or not chunk.has_head:
            return bool(kinds)
        devices = self._lexicon.kinds.devices
        is_device = any(not devices.isdisjoint(part.term.concepts) for part in chunk.heads)
        return _STRONG in kinds and not is_device

    def _statement(self, chunk: Chunk) -> tuple[int, int]:
        """Return the words of the statement around *chunk*: from comma or "and" to comma or "and"."""
        start, end = 0, len(self._words)
        for position, word in enumerate(self._words):
            if word.mark in (",", ";", ":") or word.text in _PARTS:
                if position <= chunk.start:
                    start = position
                elif position >= chunk.end:
                    end = position
                    break
        return start, end

    def _is_generic(self, candidate: Candidate, judgement: Judgement) -> bool:
        """Return whether only something general is denied: "no acute abnormality"."""
        word = self._words[candidate.anchor.head.end - 1].text
        return word in _GENERIC and judgement.certainty == ABSENT

    def _span(self, anchor: Anchor, chunk: Chunk, ranking: list[Ranking]) -> tuple[int, int]:
        """Return the words from the first to the last that name the finding."""
        needed = set(ranking[0].label.core) if ranking else set()
        start, end = anchor.head.start, anchor.head.end
        for part in chunk.parts:
            if part.kind == Kind.HEAD or (needed.intersection(part.term.concepts)):
                start, end = min(start, part.term.start), max(end, part.term.end)
        for concept in needed:
            term = anchor.places.get(concept)
            if term is not None and anchor.concepts[concept] >= _NEAR:
                start, end = min(start, term.start), max(end, term.end)
        return start, end

    def _mention(
        self, candidate: Candidate, judgement: Judgement, limit: int, lost: Sequence[Candidate]
    ) -> Mention:
        first, last = self._words[candidate.start], self._words[candidate.end - 1]
        names = self._lexicon.concepts.name
        models = self._lexicon.models
        hits = tuple(
            MentionHit(
                models[one.model].oifm_id,
                models[one.model].name,
                one.score,
                " ".join(names(concept) for concept in one.label.core),
            )
            for one in candidate.ranking[:limit]
        )
        others = [models[one.ranking[0].model].oifm_id for one in lost if one.ranking]
        return Mention(
            first.start,
            last.end,
            self._text[first.start : last.end],
            judgement.certainty,
            self._sentence.section,
            self._quote(judgement),
            hits,
            status_of(candidate.ranking),
            alternatives=tuple(dict.fromkeys(others)),
        )

    def _quote(self, judgement: Judgement) -> Quote | None:
        cue = judgement.cue
        if cue is None:
            return None
        start, end = self._words[cue.start].start, self._words[cue.end - 1].end
        return Quote(start, end, self._text[start:end])

    # what is said of a mention

    def _described(
        self, mention: Mention, candidate: Candidate, kept: Sequence[Candidate], own: tuple[Measurement, ...]
    ) -> Mention:
        start, end = self._reach(candidate, kept)
        words = self._words[start:end]
        side = side_of(words) or side_of(self._sentence.topic)
        stated = list(levels(words)) or list(levels(self._sentence.topic))
        return mention._replace(
            laterality=side,
            level=", ".join(level.text for level in stated),
            change=change_of(words),
            measurements=own,
            clause=(words[0].start, words[-1].end),
        )

    def _reach(self, candidate: Candidate, kept: Sequence[Candidate]) -> tuple[int, int]:
        """Return the words around a mention, up to the neighbors' phrases."""
        before = max((one.end for one in kept if one.end <= candidate.start), default=0)
        after = min((one.start for one in kept if one.start >= candidate.end), default=len(self._words))
        start = candidate.start
        while start > before and not self._ends_before(start):
            start -= 1
        while candidate.end < after < len(self._words) and not self._words[after].mark:
            if self._words[after - 1].text in _LEADS:
                break
            after -= 1
        return start, after

    def _ends_before(self, position: int) -> bool:
        """Return whether the phrase of the word at *position* begins there; "right and left" go together."""
        if self._words[position].mark:
            return self._words[position].mark != "," or not self._is_adjectives(position)
        if self._words[position - 1].text not in _JOINS:
            return False
        return position < 2 or not _SIDE_OR_LEVEL.fullmatch(self._words[position - 2].text)

    def _is_adjectives(self, position: int) -> bool:
        """Return whether the words before the comma at *position* go on after it: "smooth, lobulated"."""
        before = self._words[max(position - _FEW_WORDS, 0) : position]
        return len(before) < _FEW_WORDS and not any(word.mark or is_boundary(word.text) for word in before)

    # the rest

    def normal(self) -> list[NormalStatement]:
        """Return the statements of the sentence that something is normal."""
        found = []
        for cue in self._normal:
            chunk = next((one for one in self._chunks if one.start <= cue.start <= one.end), None)
            if chunk is None:
                continue
            start, end = self._statement(chunk)
            if self._words[start].text in _PARTS:
                start += 1
            if start < end:
                first, last = self._words[start].start, self._words[end - 1].end
                found.append(NormalStatement(first, last, self._text[first:last]))
        return list(dict.fromkeys(found))

    def places(self) -> dict[int, float]:
        """Return the places that the sentence names, for the next one."""
        found: dict[int, float] = {}
        kinds = self._lexicon.kinds
        for part in self._parts:
            for concept in part.term.concepts:
                if concept in kinds.regions:
                    found[concept] = 0.42
                    for whole in kinds.wholes.get(concept, ()):
                        found.setdefault(whole, 0.4)
        return found


def _with_heading(sentence: Sentence, lexicon: Lexicon) -> Sentence:
    """Return *sentence* with the heading before it if that names a finding: "Effusion: none."."""
    topic = sentence.topic
    if not topic or sentence.words[0].start - topic[-1].end > _HEADING_GAP:
        return sentence
    terms = lexicon.concepts.terms([word.stem for word in topic], [word.capitals for word in topic])
    devices = lexicon.kinds.devices
    heads = [part.term.concepts for part in parts_of(topic, terms, lexicon) if part.kind == Kind.HEAD]
    if all(not devices.isdisjoint(concepts) for concepts in heads):
        return sentence  # a place, or "LINES AND TUBES"
    first = sentence.words[0]._replace(mark=":")
    return sentence._replace(start=topic[0].start, words=(*topic, first, *sentence.words[1:]), topic=())


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.start < other.end and other.start < one.end


def _without_overlaps(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that win: named over described ones, then the longer, then the better."""
    ordered = sorted(
        candidates,
        key=lambda one: (
            one.anchor.is_weak,
            one.anchor.is_state,
            -(one.end - one.start),
            -(one.ranking[0].raw if one.ranking else 0.0),
            one.start,
        ),
    )
    kept: list[Candidate] = []
    for candidate in ordered:
        if not any(_overlap(candidate, other) for other in kept):
            kept.append(candidate)
    return sorted(kept, key=lambda one: one.start)
