"""Every rule that a finding model file can break: its code and its sentence, in one table.

The codes are stable, so that scripts can rely on them; the sentences are for people and may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findingmodel.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EXPECTED_FORMATS",
    "EXPECTED_TYPES",
    "MOST_LISTED",
    "SENTENCES",
    "SHOWN_LENGTH",
    "first",
    "problem",
    "shown",
]

MOST_LISTED = 1_000
"""More problems than this in one file are counted, not listed."""

SHOWN_LENGTH = 60
"""At most so many characters of a file's content are quoted in a sentence."""

SENTENCES = {
    "bom": "begins with a byte order mark, which is ignored: save the file as UTF-8 without it",
    "duplicate-attribute-id": "must be an id of its own, but {found} is used at {first} too",
    "duplicate-value-code": "must be a code of its own, but {found} is used at {first} too",
    "empty": "must be one JSON object, but the file is empty",
    "invalid": "cannot be used: {reason}; found {found}",
    "lone-surrogate": "must be text, but holds half of a surrogate pair: write the character itself",
    "many-problems": "has {count} problems; these are the first {listed}",
    "missing": "must be present: {field} is required",
    "not-finite": "must be a number below 1.8e308 in size, which NaN and infinities are not; found {found}",
    "not-json": "must be JSON, but is broken at line {line}, column {column}: {reason}",
    "not-object": "must be one JSON object, written in braces; found {found}",
    "not-utf8": "must be UTF-8, but byte {byte} at offset {offset} is not: save the file as UTF-8",
    "nul-character": "must not hold the character NUL (\\u0000), at which databases cut text: remove it",
    "number-too-long": "must hold no number of more than 4,300 digits, but line {line}, column {column} does",
    "too-deep": "must not nest lists and objects more than {limit} deep, but {place} does",
    "too-big": "must be smaller: a file may hold {limit} values in all, and this one holds more",
    "too-few": "must have at least {min_length} items; found {actual_length}",
    "too-long": "must have at most {max_length} characters; found {length}: {found}",
    "too-short": "must have at least {min_length} characters; found {found}",
    "too-small": "must be at least {ge}; found {found}",
    "unknown-field": "is kept, but {field} is no field of a finding model: is it spelled right?",
    "unknown-type": 'must be "choice" or "numeric"; found {found}',
    "wrong-format": "must be {expected}; found {found}",
    "wrong-type": "must be {expected}; found {found}",
}

EXPECTED_FORMATS = {
    "code": "three or four capital letters, such as ABCD",
    "email": "an e-mail address, such as name@example.org",
    "oifm_id": "an id such as OIFM_ABCD_123456, three or four letters and six digits",
    "oifma_id": "an id such as OIFMA_ABCD_123456, three or four letters and six digits",
    "organization_code": "three or four capital letters, such as ABCD",
    "url": "a web address that begins with http:// or https://",
    "value_code": "a code such as OIFMA_ABCD_123456.1, the attribute's id, a dot and a number",
}
"""What a field must look like, by its name."""

EXPECTED_TYPES = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "number_type": "a number",
    "string_type": "text in quotes",
}
"""What a value must be, by the type of the validator's error."""


def problem(code: str, pointer: str, /, **facts: Any) -> Problem:
    """Make the problem *code* at *pointer*, its sentence filled in with *facts*."""
    return Problem(pointer, code, SENTENCES[code].format(**facts))


def first(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return *problems*; of very many only the first, and one more that says how many there are."""
    if len(problems) <= MOST_LISTED:
        return tuple(problems)
    more = problem("many-problems", "", count=f"{len(problems):,}", listed=f"{MOST_LISTED:,}")
    return (*problems[:MOST_LISTED], more)


def shown(value: Any) -> str:
    """Write what a file holds, in one short line that is safe to print: quoted, escaped and cut.

    >>> shown("lung" * 99)
    "'lunglunglunglunglunglunglunglunglunglunglunglunglunglunglung'…"
    >>> shown(None), shown([1, 2]), shown(10**99)
    ('null', 'a list of 2', 'a number of 329 bits')
    """
    match value:
        case dict():
            return f"an object of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return repr(value[:SHOWN_LENGTH]) + "…" * (len(value) > SHOWN_LENGTH)
        case int() if value.bit_length() > 128:  # Python refuses to write out the longest
            return f"a number of {value.bit_length()} bits"
    return str(value).replace("inf", "Infinity").replace("nan", "NaN")
