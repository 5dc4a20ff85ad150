"""The table of lint rules: the code, the level, the message and an example of each.

The reference page of the rules and the tests read this table; the modules beside it find the violations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findingmodel.author.lint.rule import Example, Level, Rule, Violation

if TYPE_CHECKING:
    from findingmodel.author.lint.edits import Edit


def violation(code: str, pointer: str, *edits: Edit, **facts: Any) -> Violation:
    """Return the violation of the rule *code* at *pointer*, with *facts* in its message."""
    return Violation(pointer, code, RULES[code].message.format(**facts), edits)


_ERROR, _WARNING, _REVIEW = Level

RULES: dict[str, Rule] = {
    # values and ranges
    "empty-range": Rule(
        _ERROR,
        "The minimum of a number is not above its maximum.",
        "no number is valid, because minimum {minimum} is above maximum {maximum}: correct one of them",
        Example("/attributes/2", {"minimum": 30, "maximum": 3}, {"minimum": 3, "maximum": 30}),
    ),
    "max-selected": Rule(
        _ERROR,
        "No more values can be selected than an attribute has.",
        "{limit} values may be selected, but the attribute has only {count}: lower max_selected",
        Example("/attributes/3", {"max_selected": 9}, {"max_selected": 2}),
        fixable=True,
    ),
    "repeated-attribute": Rule(
        _ERROR,
        "The attributes of a model have different names.",
        "{name} is also the name of the attribute at {first}: rename or merge one of them",
        Example("/attributes/3/name", "Size", "side"),
    ),
    "repeated-value": Rule(
        _ERROR,
        "The values of an attribute have different names.",
        "{name} is also the name of the value at {first}: rename or remove one of them",
        Example("/attributes/3/values/1/name", "Left", "right"),
    ),
    "value-code": Rule(
        _ERROR,
        "The code of a value starts with the id of its attribute.",
        "{found} is a value of another attribute: give it a code that starts with {expected}.",
        Example("/attributes/3/values/0/value_code", "OIFMA_TEST_000012.0", "OIFMA_TEST_000013.0"),
    ),
    # synonyms
    "repeated-synonym": Rule(
        _WARNING,
        "A model has each synonym once.",
        "{found} repeats the synonym at {first}: remove it",
        Example("/synonyms/1", "pe", "lung embolus"),
        fixable=True,
    ),
    "synonym-is-name": Rule(
        _WARNING,
        "A synonym is not the name of its own model.",
        "{found} is the model's own name: remove it from the synonyms",
        Example("/synonyms/1", "Pulmonary Embolism", "lung embolus"),
        fixable=True,
    ),
    "synonym-shared": Rule(
        _REVIEW,
        "Two models seldom have the same synonym.",
        "{found} is also a synonym of {others}: keep it where readers mean it, or merge duplicates",
        Example("/synonyms/1", "DVT", "lung embolus"),
    ),
    "synonym-taken": Rule(
        _WARNING,
        "A synonym is not the name of another model.",
        "{found} is the name of {others}: remove the synonym, or merge the models",
        Example("/synonyms/1", "deep vein thrombosis", "lung embolus"),
    ),
    # tags
    "empty-tag": Rule(
        _WARNING,
        "A tag has text.",
        "the tag has no text: remove it",
        Example("/tags/1", " ", "chest"),
        fixable=True,
    ),
    "repeated-tag": Rule(
        _WARNING,
        "A model has each tag once, whatever its case, hyphens and underscores.",
        "{found} repeats the tag at {first}: remove it",
        Example("/tags/1", "ct", "chest"),
        fixable=True,
    ),
    "tag-spelling": Rule(
        _WARNING,
        "A tag is written as in most models of the collection.",
        "{found} is written {usual} in most models of the collection: write it the same way",
        Example("/tags/0", "Ct", "CT"),
        fixable=True,
    ),
    # ontology codes and units
    "gamuts-code": Rule(
        _ERROR,
        "A code of the Gamuts ontology is a whole number.",
        "{found} cannot be a code of the Gamuts ontology: it must be a whole number, such as 4312",
        Example(
            "/index_codes/0",
            {"system": "GAMUTS", "code": "RID4834"},
            {"system": "GAMUTS", "code": "4312"},
        ),
    ),
    "loinc-code": Rule(
        _ERROR,
        "A LOINC code has the right form and check digit.",
        "{found} cannot be a LOINC code: {reason}",
        Example(
            "/index_codes/0",
            {"system": "LOINC", "code": "24627-3"},
            {"system": "LOINC", "code": "24627-2"},
        ),
    ),
    "radelement-code": Rule(
        _ERROR,
        "A RadElement id is RDE, RDES or RDEM and a number.",
        "{found} cannot be a RadElement id: it must be RDE, RDES or RDEM and a number, such as RDES195",
        Example(
            "/index_codes/0",
            {"system": "RADELEMENT", "code": "195"},
            {"system": "RADELEMENT", "code": "RDES195"},
        ),
    ),
    "radlex-code": Rule(
        _ERROR,
        "A RadLex code is RID and a number, or RPID and a number for a procedure.",
        "{found} cannot be a RadLex code: it must be RID and a number, such as RID4834",
        Example(
            "/index_codes/0",
            {"system": "RADLEX", "code": "59282003"},
            {"system": "RADLEX", "code": "RID4834"},
        ),
    ),
    "repeated-code": Rule(
        _WARNING,
        "A model, attribute or value has each code once.",
        "{found} repeats the code at {first}: remove it",
        Example(
            "/index_codes",
            [{"system": "SNOMED", "code": "59282003"}, {"system": "SNOMED", "code": "59282003"}],
            [{"system": "SNOMED", "code": "59282003"}, {"system": "RADLEX", "code": "RID4834"}],
        ),
        fixable=True,
    ),
    "snomed-code": Rule(
        _ERROR,
        "A SNOMED CT code has the form of a concept's id and the right check digit.",
        "{found} cannot be a SNOMED CT concept: {reason}",
        Example(
            "/index_codes/0",
            {"system": "SNOMED", "code": "59282030"},
            {"system": "SNOMED", "code": "59282003"},
        ),
    ),
    "system-spelling": Rule(
        _WARNING,
        "An ontology is called by one name.",
        "{found} is the system that collections call {usual}: write it that way",
        Example("/index_codes/0/system", "SNOMED-CT", "SNOMED"),
        fixable=True,
    ),
    "unit-not-ucum": Rule(
        _WARNING,
        "A unit is written in UCUM, the Unified Code for Units of Measure.",
        "{found} is not a unit of UCUM: {advice}",
        Example("/attributes/2/unit", "cm^3", "cm3"),
        fixable=True,
    ),
    "unknown-system": Rule(
        _REVIEW,
        "Codes are of ontologies whose form is known.",
        "{found} is not a system whose codes can be checked ({known}): check its spelling",
        Example(
            "/index_codes/0",
            {"system": "RADLEXX", "code": "RID4834"},
            {"system": "RADLEX", "code": "RID4834"},
        ),
    ),
    # how text is written
    "placeholder": Rule(
        _ERROR,
        "No text is left to be written, such as TODO.",
        "{found} is placeholder text: replace it",
        Example("/description", "TODO: say what the finding is.", "A clot in an artery of the lung."),
    ),
    "spaces": Rule(
        _WARNING,
        "Text has no white space at its ends, no double spaces and no tabs.",
        "{found} has white space at its start or end, or twice in a row: remove it",
        Example("/name", "pulmonary  embolism ", "pulmonary embolism"),
        fixable=True,
    ),
    "underscore": Rule(
        _WARNING,
        "Names and synonyms have spaces instead of underscores.",
        "{found} has underscores: write spaces",
        Example("/attributes/2/name", "short_axis", "short axis"),
        fixable=True,
    ),
    # names of models
    "description-is-name": Rule(
        _REVIEW,
        "A description says more than the name.",
        "the description only repeats the name: say in one or two sentences what the finding is",
        Example("/description", "Pulmonary embolism.", "A clot in an artery of the lung."),
    ),
    "name-abbreviation": Rule(
        _WARNING,
        "An abbreviation is a synonym, not a part of the name in parentheses.",
        "{found} has the abbreviation {short} in parentheses: make it a synonym",
        Example("/name", "pulmonary embolism (PE)", "pulmonary embolism"),
    ),
    "name-and-or": Rule(
        _WARNING,
        "A name is of one finding, without and/or.",
        "{found} names several findings with and/or: choose one, or write a model of each",
        Example("/name", "embolism and/or infarction", "pulmonary embolism"),
    ),
    "name-list": Rule(
        _REVIEW,
        "A name is of one finding, not of several in a list.",
        "{found} may be a list of several findings: choose one, or write a model of each",
        Example("/name", "embolism, infarction, or edema", "pulmonary embolism"),
    ),
    "name-long": Rule(
        _REVIEW,
        "A name has at most 60 characters.",
        "the name has {length} characters: shorten it to {limit}, and leave details to the description",
        Example(
            "/name",
            "obstruction of one or several branches of a pulmonary artery by a clot",
            "pulmonary embolism",
        ),
    ),
    "name-parentheses": Rule(
        _REVIEW,
        "A name has no parentheses.",
        "{found} has parentheses: leave details to attributes, and other names to synonyms",
        Example("/name", "pulmonary embolism (segmental)", "pulmonary embolism"),
    ),
    "name-population": Rule(
        _WARNING,
        "A name does not limit the finding to patients, such as children.",
        "{found} limits the finding to patients, by the words {words!r}: leave them to the description",
        Example("/name", "pulmonary embolism in a child", "pulmonary embolism"),
    ),
    "name-slash": Rule(
        _REVIEW,
        "A name has no slash between words.",
        "{found} has a slash: choose one name, and make the other a synonym",
        Example("/name", "pulmonary embolism/infarction", "pulmonary embolism"),
    ),
    "name-with": Rule(
        _REVIEW,
        "A name is of one finding, not of one with another.",
        "{found} combines findings with the word 'with': name one of them, or use attributes",
        Example("/name", "pulmonary embolism with infarction", "pulmonary embolism"),
    ),
    "title-case": Rule(
        _WARNING,
        "A name is in lower case, except proper names and abbreviations.",
        "{found} is in title case: write words in lower case, except proper names and abbreviations",
        Example("/name", "Acute Pulmonary Embolism", "acute pulmonary embolism"),
    ),
    # attributes that every model has
    "associated-findings": Rule(
        _WARNING,
        "A model has at most one attribute for associated findings.",
        "{found} is one more attribute for associated findings, as at {first}: merge them",
        Example("/attributes/3/name", "Associated Finding", "side"),
    ),
    "attribute-order": Rule(
        _WARNING,
        "The first attributes are 'presence' and 'change from prior'.",
        "'{name}' is attribute {found}: move it to place {expected}, where readers expect it",
        Example(
            "/attributes",
            [{"name": "change from prior"}, {"name": "presence"}],
            [{"name": "presence"}, {"name": "change from prior"}],
        ),
        fixable=True,
    ),
    "change-values": Rule(
        _WARNING,
        "'change from prior' has unchanged, stable, new and resolved, and otherwise pairs of opposites.",
        "the values of 'change from prior' are not standard: {reason}",
        Example("/attributes/1/values/0/name", "same", "unchanged"),
    ),
    "missing-change": Rule(
        _WARNING,
        "A model has an attribute 'change from prior'.",
        "the model has no attribute 'change from prior': add it (findingmodel model change-from-prior)",
        Example("/attributes/1/name", "evolution", "change from prior"),
    ),
    "missing-presence": Rule(
        _WARNING,
        "A model has an attribute 'presence'.",
        "the model has no attribute 'presence': add it as the first one",
        Example("/attributes/0/name", "existence", "presence"),
    ),
    "presence-values": Rule(
        _WARNING,
        "'presence' has the values absent, present, indeterminate and unknown.",
        "the values of 'presence' are not standard: {reason}",
        Example("/attributes/0/values/0/name", "no", "absent"),
    ),
    "standard-name": Rule(
        _WARNING,
        "'presence' and 'change from prior' are written in lower case, with spaces.",
        "{found} is the standard attribute {usual}: write it that way",
        Example("/attributes/0/name", "Presence", "presence"),
        fixable=True,
    ),
    # fields
    "misspelt-field": Rule(
        _ERROR,
        "A field that is not known is not a typo of one that is missing.",
        "{found} is not a field, and nothing reads it; if {meant} is meant, rename it",
        Example("/attributes/2", {"descriptio": "Its longest axis"}, {"description": "Its longest axis"}),
        fixable=True,
    ),
}
"""All rules by code, in groups."""
