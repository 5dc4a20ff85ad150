"""Show readings as one HTML page: the text with its findings marked, and a table; no script, no network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.reports.values import FilledAttribute, Mention, ReportReading

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --line: #d5dde5; --back: #fff;
  --present: #ffe08a; --absent: #d9e2ea; --possible: #ffd0b0; --historical: #e0d4f5; --indication: #cfe8ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --line: #3a4653; --back: #12181f;
  --present: #6b5200; --absent: #36424e; --possible: #6e3d16; --historical: #4a3a6b;
  --indication: #1d4a70; } }
body { font: 16px/1.6 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2.5rem; }
.report { white-space: pre-wrap; border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
mark { color: inherit; border-radius: .2rem; padding: 0 .1rem; position: relative; cursor: help; }
mark.present { background: var(--present); } mark.absent { background: var(--absent); }
mark.possible { background: var(--possible); } mark.historical { background: var(--historical); }
mark.indication { background: var(--indication); }
mark sup { font-size: .65em; }
mark .card { display: none; position: absolute; left: 0; top: 1.6em; z-index: 1; width: max-content;
  max-width: min(24rem, 80vw); white-space: normal; font-size: .85rem; line-height: 1.4;
  background: var(--back); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem;
  box-shadow: 0 2px 8px #0003; }
mark:hover .card, mark:focus .card, mark:focus-within .card { display: block; }
.card b, .card span { display: block; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; margin-top: .8rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); }
.error { border-left: 3px solid #c0392b; padding-left: .8rem; }
@media print { body { max-width: none; margin: 0; } mark .card { display: none !important; }
  mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; } tr { break-inside: avoid; } }
"""
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{legend}</p>
"""
_CERTAINTIES = ("present", "absent", "possible", "historical", "indication")
_COLUMNS = ("#", "words", "certainty", "model", "said of it", "attributes")


def page_start(title: str) -> str:
    """Return the beginning of a page: its head, its title and a legend."""
    legend = " ".join(f'<mark class="{name}">{name}</mark>' for name in _CERTAINTIES)
    return _HEAD.format(title=escape(title), style=_STYLE, legend=legend)


def page_end() -> str:
    """Return the end of a page."""
    return "</body>\n</html>\n"


def report_html(name: str, reading: ReportReading) -> str:
    """Return a section of a page for one report.

    >>> from findingmodel.reports.values import ReportReading
    >>> "<h2>a &lt;b&gt;</h2>" in report_html("a <b>", ReportReading("No <PE>."))
    True
    """
    rows = "".join(_table_row(number, mention) for number, mention in enumerate(reading.mentions, 1))
    heading = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    table = f"<table>\n<tr>{heading}</tr>\n{rows}</table>\n" if rows else "<p>No findings named.</p>\n"
    return f'<h2>{escape(name)}</h2>\n<div class="report">{"".join(_marked(reading))}</div>\n{table}'


def error_html(name: str, message: str) -> str:
    """Return a section of a page for a report that could not be read."""
    return f'<h2>{escape(name)}</h2>\n<p class="error">{escape(message)}</p>\n'


def _marked(reading: ReportReading) -> Iterator[str]:
    last = 0
    for number, mention in enumerate(reading.mentions, 1):
        yield escape(reading.text[last : mention.start])
        yield (
            f'<mark class="{escape(mention.certainty)}" tabindex="0">'
            f"{escape(reading.text[mention.start : mention.end])}<sup>{number}</sup>"
            f'<span class="card">{_card(mention)}</span></mark>'
        )
        last = mention.end
    yield escape(reading.text[last:])


def _card(mention: Mention) -> str:
    best = mention.best
    title = f"{best.name} ({best.oifm_id}, {best.score:.2f})" if best else "no model in the index"
    cue = f", by “{mention.cue.text}”" if mention.cue else ""
    lines = [
        f"{mention.certainty}{cue}",
        mention.section,
        *_said(mention),
        *map(_attribute, mention.attributes),
    ]
    return f"<b>{escape(title)}</b>" + "".join(f"<span>{escape(line)}</span>" for line in lines if line)


def _table_row(number: int, mention: Mention) -> str:
    best = mention.best
    cue = f" (“{mention.cue.text}”)" if mention.cue else ""
    cells = (
        str(number),
        mention.text,
        mention.certainty + cue,
        f"{best.name} {best.oifm_id}" if best else "",
        ", ".join(_said(mention)),
        "; ".join(map(_attribute, mention.attributes)),
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n"


def _said(mention: Mention) -> list[str]:
    sizes: Iterable[str] = (measurement.text for measurement in mention.measurements)
    return [part for part in (mention.laterality, mention.level, mention.change, *sizes) if part]


def _attribute(filled: FilledAttribute) -> str:
    value = filled.value if filled.number is None else f"{filled.number:g} {filled.unit}"
    return f"{filled.name}: {value}"
