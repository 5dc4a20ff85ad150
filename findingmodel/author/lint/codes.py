"""Rules for codes of ontologies, which have a form and often a check digit, and for units of measure."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.author.lint.edits import Remove, SetValue
from findingmodel.author.lint.rules import violation
from findingmodel.model.finding import ChoiceAttributeIded, NumericAttributeIded
from findingmodel.model.rules import shown
from findingmodel.text.terms import code_facet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.author.lint.rule import Violation
    from findingmodel.model.finding import Coded, FindingModelFull, IndexCode

# The Verhoeff scheme: a digit is multiplied in the dihedral group D5 after a permutation by its position.
# fmt: off
_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567",
    "4012395678", "5987604321", "6598710432", "7659821043",
    "8765932104", "9876543210",
)
_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)
# fmt: on


def has_verhoeff_digit(number: str) -> bool:
    """Return whether the last digit of *number* is its Verhoeff check digit, as in ids of SNOMED CT.

    >>> has_verhoeff_digit("59282003"), has_verhoeff_digit("59282030")
    (True, False)
    """
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_PRODUCT[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0


def has_luhn_digit(code: str) -> bool:
    """Return whether the last digit of *code* is its check digit by the scheme of Luhn, as in LOINC codes.

    Letters, as in answers (LA) and parts (LP), count as their ASCII code minus 48.

    >>> has_luhn_digit("246272"), has_luhn_digit("246273"), has_luhn_digit("LA67517")
    (True, False, True)
    """
    values = [ord(letter) - ord("0") for letter in reversed(code)]
    doubled = [2 * value - value // 5 * 9 if place % 2 else value for place, value in enumerate(values)]
    return sum(doubled) % 10 == 0


_WRONG_DIGIT = "its check digit is wrong, so a digit is missing or mistyped"


def _snomed(code: str) -> str | None:
    # SNOMED International, Technical Implementation Guide, section SCTID: 6 to 18 digits; the two digits
    # before the check digit are 00 or 10 for concepts.
    if not re.fullmatch(r"[1-9][0-9]{5,17}", code):
        return "it must be a number of 6 to 18 digits"
    if not has_verhoeff_digit(code):
        return _WRONG_DIGIT
    return None if code[-3:-1] in ("00", "10") else "it is the id of a description or a relationship"


def _loinc(code: str) -> str | None:
    # LOINC Users' Guide: up to seven digits, or LA, LP, LL or LG and up to seven digits; a hyphen; a digit.
    if not re.fullmatch(r"(?:L[AGLP])?[0-9]{1,7}-[0-9]", code):
        return "it must be a number, a hyphen and a check digit, such as 24627-2, or start with LA or LP"
    return None if has_luhn_digit(code.replace("-", "")) else _WRONG_DIGIT


def _form(pattern: str) -> Callable[[str], str | None]:
    return lambda code: None if re.fullmatch(pattern, code) else "it has another form"


class _System(NamedTuple):
    name: str  # as collections write it
    rule: str
    why_not: Callable[[str], str | None]  # why a code is impossible; None if it may exist


_SYSTEMS = {
    "gamuts": _System("GAMUTS", "gamuts-code", _form("[0-9]{1,7}")),
    "loinc": _System("LOINC", "loinc-code", _loinc),
    "radelement": _System("RADELEMENT", "radelement-code", _form("RDE[SM]?[0-9]{1,7}")),
    "radlex": _System("RADLEX", "radlex-code", _form("RP?ID[0-9]{1,7}")),
    "snomedct": _System("SNOMED", "snomed-code", _snomed),
}
"""The systems whose codes can be checked, by the key of their names."""

_KNOWN = ", ".join(system.name for system in _SYSTEMS.values())


@lru_cache(maxsize=256)
def _key(system: str) -> str:
    """Return the same for all names of one system; "" for a name with more in it, such as a version."""
    return "" if ":" in system else code_facet(system, "0", "model").split(":")[1]


def _names_only_system(system: str) -> bool:
    """Return whether *system* says no more than the usual name: not "SNOMEDCT_US", which is an edition."""
    bare = "".join(filter(str.isalnum, system.lower()))
    return bare in (_key(system), "snomed", "sct")


@lru_cache(maxsize=16_384)
def _why_impossible(key: str, code: str) -> str | None:
    """Return why *code* cannot belong to the system; models repeat the codes of their values."""
    return _SYSTEMS[key].why_not(code)


def check_codes(model: FindingModelFull) -> Iterator[Violation]:
    """Yield codes that cannot exist, that repeat each other, or whose system is unknown."""
    yield from _check_part("", model)
    for place, attribute in enumerate(model.attributes):
        yield from _check_part(f"/attributes/{place}", attribute)
        if isinstance(attribute, ChoiceAttributeIded):
            for number, value in enumerate(attribute.values):
                yield from _check_part(f"/attributes/{place}/values/{number}", value)


def _check_part(pointer: str, part: Coded) -> Iterator[Violation]:
    first: dict[tuple[str, str], tuple[str, IndexCode]] = {}
    for place, held in enumerate(part.index_codes or ()):
        here = f"{pointer}/index_codes/{place}"
        yield from _check_code(here, held)
        there, same = first.setdefault((_key(held.system) or held.system, held.code), (here, held))
        if there != here:
            facts = {"found": f"{held.system} {held.code}", "first": there}
            edits = [Remove(here)] if _adds_nothing(held, same) else []
            yield violation("repeated-code", here, *edits, **facts)


def _check_code(pointer: str, held: IndexCode) -> Iterator[Violation]:
    system = _SYSTEMS.get(_key(held.system))
    if system is None:
        yield violation("unknown-system", f"{pointer}/system", found=shown(held.system), known=_KNOWN)
        return
    if held.system != system.name:
        place = f"{pointer}/system"
        edits = [SetValue(place, system.name)] if _names_only_system(held.system) else []
        yield violation("system-spelling", place, *edits, found=shown(held.system), usual=system.name)
    if reason := _why_impossible(_key(held.system), held.code):
        yield violation(system.rule, f"{pointer}/code", found=shown(held.code), reason=reason)


def _adds_nothing(held: IndexCode, same: IndexCode) -> bool:
    """Return whether all that *held* states of a code is in *same*, too."""
    stated = held.model_dump(exclude={"system"}, exclude_none=True)
    return _names_only_system(held.system) and stated.items() <= same.model_dump().items()


_SAME_UNIT = {
    "%": "percent, percentage, per cent",
    "1": "dimensionless, ratio, unitless",
    "a": "year, years, yr, yrs",
    "cm/s": "cm per sec, cm/sec",
    "cm3": "cm^3, cc, ccm, cm\N{SUPERSCRIPT THREE}",
    "cm2": "cm^2, cm\N{SUPERSCRIPT TWO}",
    "cm[H2O]": "cm h2o, cmh2o",
    "d": "day, days",
    "deg": "degree, degrees, \N{DEGREE SIGN}",
    "h": "hour, hours, hr, hrs",
    "kPa": "kpa",
    "mL/(100.g.min)": "ml/100g/min, ml/100 g/min, ml/min/100g",
    "mL/s": "ml per sec, ml/sec",
    "mm2": "mm^2, mm\N{SUPERSCRIPT TWO}",
    "mm3": "mm^3, mm\N{SUPERSCRIPT THREE}",
    "mm[Hg]": "mmhg, mm hg",
    "min": "minute, minutes",
    "mo": "month, months",
    "s": "second, seconds, sec, secs",
    "ug": "mcg",
    "ug/dL": "mcg/dl",
    "um": "micron, microns",
    "wk": "week, weeks",
}
"""Other spellings of units, in lower case, that mean exactly the same."""

_SAME = {spelling: unit for unit, spellings in _SAME_UNIT.items() for spelling in spellings.split(", ")}
_READABLE = {
    "[Ch]": "fr, french",
    "[hnsf'U]": "hu, hounsfield unit, hounsfield units, hu (hounsfield units)",
}
"""Units that readers know by another name, so that a person decides how to write them."""

_CALLED = {name: unit for unit, names in _READABLE.items() for name in names.split(", ")}


_LONGEST_UNIT = 100  # characters; parsing takes time for each


@cache
def _parser() -> Callable[[str], object] | None:
    """Return a parser of UCUM, which takes a tenth of a second to make; None if it is not installed."""
    try:
        from ucumvert import get_ucum_parser
    except ImportError:
        return None
    parse: Callable[[str], object] = get_ucum_parser().parse
    return parse


def can_check_units() -> bool:
    """Return whether units are checked, which needs the extra "lint"."""
    return _parser() is not None


@lru_cache(maxsize=1_024)
def is_ucum(unit: str) -> bool:
    """Return whether *unit* is a unit of UCUM; True if nothing can tell.

    >>> is_ucum("mm"), is_ucum("cm^3")
    (True, False)
    """
    parse = _parser()
    if parse is None or len(unit) > _LONGEST_UNIT:
        return parse is None
    from lark.exceptions import LarkError

    try:
        parse(unit)
    except LarkError:
        return False
    return True


def _as_ucum(unit: str) -> str | None:
    """Return what means exactly the same in UCUM, if that is known.

    >>> _as_ucum("Degrees"), _as_ucum("mm/year"), _as_ucum("points")
    ('deg', 'mm/a', None)
    """
    if unit.lower() in _SAME:
        return _SAME[unit.lower()]
    parts = [part.strip() for part in unit.split("/")]
    same = "/".join(_SAME.get(part.lower(), part) for part in parts)
    return same if same != unit and is_ucum(same) else None


def check_units(model: FindingModelFull) -> Iterator[Violation]:
    """Yield units that are not written in UCUM."""
    for place, attribute in enumerate(model.attributes):
        if not isinstance(attribute, NumericAttributeIded) or attribute.unit is None:
            continue
        unit = attribute.unit.strip()
        if is_ucum(unit):
            continue
        pointer = f"/attributes/{place}/unit"
        same, called = _as_ucum(unit), _CALLED.get(unit.lower())
        if same or called:
            advice = f"write {same or called}"
        else:
            advice = "write one, such as mm, or a word in braces for what has no unit, such as {score}"
        edits = [SetValue(pointer, same)] if same else []
        yield violation("unit-not-ucum", pointer, *edits, found=shown(attribute.unit), advice=advice)
