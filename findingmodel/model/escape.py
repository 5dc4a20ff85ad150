"""Text made safe for Markdown: shown as it is, and never taken for markup, HTML or a line of its own.

The rules are those of CommonMark 0.31 (https://spec.commonmark.org/0.31.2/), plus ``~`` and ``$``, which have
a meaning on GitHub. Only what would be taken for markup is escaped, so that "< 3 cm" stays readable.
"""

from __future__ import annotations

import re

__all__ = ["escape_destination", "escape_paragraph", "escape_text"]

_BIDIRECTIONAL = (
    0x61C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)  # reorder what is read
_CONTROLS = {
    number: None
    for number in (*range(0x20), *range(0x7F, 0xA0), *_BIDIRECTIONAL)
    if not chr(number).isspace()
}
_MARKUP = re.compile(r"([\\`*\[\]#~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")  # head_neck stays as it is
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]+;)")
_BLOCK_START = re.compile(r"^([0-9]{1,9}(?=[.)])|(?=[-+>]))")
_UNSAFE_IN_DESTINATION = re.compile(f'[{re.escape("".join(map(chr, _CONTROLS)))}\\s\\\\<>()"`]')


def escape_text(text: str) -> str:
    r"""Return *text* for use inside a line; white space becomes single spaces, control characters go.

    >>> print(escape_text("T2* < 3 cm,\n<b>not</b> [x](y)"))
    T2\* < 3 cm, &lt;b>not&lt;/b> \[x\](y)
    """
    line = " ".join(text.translate(_CONTROLS).split())
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", _MARKUP.sub(r"\\\1", line)))


def escape_paragraph(text: str) -> str:
    r"""Return *text* for use as a paragraph, which must not become a list or a quotation.

    >>> print(escape_paragraph("1. not a list"))
    1\. not a list
    """
    return _BLOCK_START.sub(r"\1\\", escape_text(text))


def escape_destination(url: str) -> str:
    """Return *url* for use as the destination of a link: what could end it is percent-encoded (RFC 3986).

    >>> escape_destination("https://example.org/a_(b)?x=1&y=2")
    'https://example.org/a_%28b%29?x=1&amp;y=2'
    """
    return _UNSAFE_IN_DESTINATION.sub(_percent_encoded, url).replace("&", "&amp;")


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
