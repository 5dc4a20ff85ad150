"""Normalize text: `fold` to compare names, `slug` for file names and links, `tokenize` for words."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"(?<=\w)'s?(?!\w)")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # never in a name; callers may pass them
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    r"""Return *text* for comparison: no case, no accents, single spaces.

    Compatibility forms are unified (Unicode NFKD), case is folded, combining marks are dropped. Folding twice
    changes nothing. Lone surrogates and NUL characters become spaces.

    >>> fold("  Ménière\N{RIGHT SINGLE QUOTATION MARK}s   DISEASE ")
    "meniere's disease"
    """
    if text.isascii() and "\0" not in text:
        return " ".join(text.lower().split())
    text = _NO_TEXT.sub(" ", text)
    # Case folding and our replacements may create compatibility forms again, so each is followed by NFKD.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = _NOT_ASCII.sub(_unless_combining, decomposed)
    return " ".join(unicodedata.normalize("NFKD", bare.translate(_PLAIN).casefold()).split())


def slug(text: str) -> str:
    """Return *text* for file names and links: ASCII letters, digits and single underscores.

    >>> slug("Baker's cyst (popliteal)")
    'baker_s_cyst_popliteal'
    """
    return _NOT_SLUG.sub("_", fold(text)).strip("_")


def tokenize(text: str) -> list[str]:
    """Return the words and numbers of *text*, folded, in order, without possessive endings.

    >>> tokenize("T2-weighted signal, 6 mm"), tokenize("Baker's cyst")
    (['t2', 'weighted', 'signal', '6', 'mm'], ['baker', 'cyst'])
    """
    folded = text.lower() if text.isascii() else fold(text)  # spaces do not matter here
    if "'" in folded:
        folded = _POSSESSIVE.sub("", folded)
    return _TOKEN.findall(folded)


def _unless_combining(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


_PLAIN = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
    }
)
