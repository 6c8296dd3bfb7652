"""An experiment as one page: what was asked, how, what came out, and what it does not show.

The page loads nothing from elsewhere and runs nothing; all text in it is shown as text.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from sgt_data.experiment.measure.accuracy import PairedDifference
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.plot_style import Plot
from sgt_data.experiment.report.tables import Cell, Table, cell_text
from sgt_data.experiment.split_opening import Opening


@dataclass(frozen=True, slots=True)
class Story:
    """What an experiment is about, in plain words.

    Attributes:
        title: of the page.
        question: that it answers.
        setting: paragraphs: data, model, training, what is held equal.
        arms: what each arm does, by its name in the results.
        limits: what the numbers cannot show, one each.
        command: that does it all again.
    """

    title: str
    question: str
    setting: Sequence[str]
    arms: Mapping[str, str]
    limits: Sequence[str]
    command: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A plot with what it shows, its axes and marks explained."""

    name: str
    caption: str
    plot: Plot


HOW_TO_READ = (
    "Points and table entries are means over seeds; bars, bands and the number after ± are the "
    "standard error of that mean, and small dots are single seeds. One seed has no error, and none "
    "is shown.",
    "Intervals of single runs (in the JSON of each run) and of differences are 95 % intervals. "
    "Pictures are drawn again, not questions, for questions about one picture are not independent. "
    "Differences compare the same seeds on the same pictures; their intervals allow for both.",
    "Guessing is a random pick among each question's choices; the best constant answer is the one "
    "text that is right most often in a task. An arm that does not beat both has learnt nothing of "
    "the pictures.",
    "Many comparisons are made; one in twenty intervals misses the truth even where all is well.",
)


def page(
    story: Story,
    results: Sequence[RunResult],
    plots: Sequence[Shown],
    tables: Sequence[Table],
    opening: Opening | None = None,
    number: int = 1,
    findings: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> str:
    """The page as HTML.

    Args:
        story: in words.
        results: all runs, of one split.
        plots, tables: in the order in which they are shown.
        opening: of the test split, where the results are of it.
        number: which opening in this folder that was.
        findings: the main differences, a sentence each.
        missing: runs that are not among the results, and why.

    Raises:
        ValueError: results of the test split come without its opening.
    """
    body = [
        f"<h1>{_text(story.title)}</h1>",
        f'<p class="question">{_text(story.question)}</p>',
        f'<p class="split">{_text(split_text(results, opening, number))}</p>',
        *(f'<p class="missing">Missing: {_text(one)}</p>' for one in missing),
        *_section("Setting", _paragraphs(story.setting)),
        *_section("Arms", _terms(story.arms)),
        *_section("How to read it", _paragraphs(HOW_TO_READ)),
        *_section("What came out", [*_items(findings), *map(_figure, plots), *map(_table, tables)]),
        *_section("Limits", _items(story.limits)),
        *_section("Again", [f"<pre>{_text(story.command)}</pre>", *_paragraphs([_runs(results)])]),
    ]
    return _FRAME.format(title=_text(story.title), body="\n".join(body))


def difference_sentence(ours: str, theirs: str, found: PairedDifference) -> str:
    """A difference in words that claim no more than it shows."""
    seeds = "1 seed" if found.seeds == 1 else f"{found.seeds} seeds"
    over = f"over {seeds} and {found.pictures:,} pictures"
    text = f"{ours} less {theirs}: {found.value:+.3f} in mean accuracy"
    if found.low is None or found.high is None:
        return f"{text}, {over}; too few for an interval."
    interval = f"95 % interval {found.low:+.3f} to {found.high:+.3f}, {over}"
    if found.low <= 0 <= found.high:
        return f"{text} ({interval}): no difference is shown."
    return f"{text} ({interval})."


def split_text(results: Sequence[RunResult], opening: Opening | None, number: int) -> str:
    """On which split results were measured, and how often that one was read.

    Raises:
        ValueError: results of the test split come without its opening.
    """
    if any(one.split == "test" for one in results) and opening is None:
        raise ValueError("results of the test split are shown with the record of its opening")
    if opening is None:
        return (
            "Measured on the validation split, on which settings were chosen too: numbers lean "
            "towards what was chosen. The test split has not been read for this page."
        )
    again = f" It went on after a stop on {', '.join(opening.resumed)}." if opening.resumed else ""
    earlier = (
        " No other configuration read it in this folder."
        if number == 1
        else f" This was opening number {number} in this folder: settings may have been chosen "
        "by what an earlier one showed."
    )
    return (
        f"Measured on the test split, opened on {opening.date} for the frozen configuration "
        f"{opening.digest}, {len(opening.runs)} runs.{again}{earlier}"
    )


def _runs(results: Sequence[RunResult]) -> str:
    digests = len({one.digest for one in results})
    seconds = sum(one.seconds for one in results)
    return (
        f"{len(results)} runs of {digests} configurations, {seconds:,.0f} seconds of training in "
        "all. The configuration and every measured number of a run stand in its JSON file."
    )


def _section(title: str, parts: Sequence[str]) -> list[str]:
    return [f"<h2>{_text(title)}</h2>", *parts] if parts else []


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [f"<p>{_text(one)}</p>" for one in texts]


def _items(texts: Sequence[str]) -> list[str]:
    return ["<ul>", *(f"<li>{_text(one)}</li>" for one in texts), "</ul>"] if texts else []


def _terms(terms: Mapping[str, str]) -> list[str]:
    if not terms:
        return []
    rows = (f"<dt>{_text(name)}</dt><dd>{_text(what)}</dd>" for name, what in terms.items())
    return ["<dl>", *rows, "</dl>"]


def _figure(one: Shown) -> str:
    data = b64encode(one.plot.svg).decode()
    return (
        f'<figure><img alt="{_text(one.name)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{_text(one.caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.columns)
    rows = [_row(row, "") for row in table.rows] + [_row(row, "foot") for row in table.footers]
    return (
        f"<h3>{_text(table.title)}</h3>\n"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _row(row: Sequence[Cell], kind: str) -> str:
    first, *rest = (_text(cell_text(cell)) for cell in row)
    cells = "".join(f"<td>{one}</td>" for one in rest)
    return f'<tr class="{kind}"><th scope="row">{first}</th>{cells}</tr>'


def _text(text: str) -> str:
    """Shown as it is; control characters, which no page may hold, as a mark that says so."""
    clean = "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)
    return escape(clean, quote=True)


_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.55 system-ui, sans-serif; color: #1d1d1f; background: #fff; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; }}
h1 {{ font-size: 1.9rem; line-height: 1.2; margin-bottom: .4rem; }}
h2 {{ font-size: 1.25rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid #e3e1db; padding-bottom: .3rem; }}
h3 {{ font-size: 1rem; margin: 1.8rem 0 .4rem; }}
.question {{ font-size: 1.15rem; color: #55544f; margin-top: 0; }}
.split {{ background: #f6f4ee; border-left: 4px solid #0072B2; padding: .7rem 1rem; }}
.missing {{ background: #fbeee6; border-left: 4px solid #D55E00; padding: .7rem 1rem; }}
figure {{ margin: 1.6rem 0; }} figure img {{ max-width: 100%; height: auto; }}
figcaption {{ font-size: .9rem; color: #55544f; max-width: 46rem; }}
dt {{ font-weight: 600; margin-top: .6rem; }} dd {{ margin: 0 0 0 1.2rem; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e3e1db; }}
thead th {{ vertical-align: bottom; white-space: normal; }}
th:first-child {{ text-align: left; font-weight: 500; white-space: normal; min-width: 11rem; }}
.foot th, .foot td {{ color: #6b6a66; font-style: italic; }}
pre {{ background: #f6f4ee; padding: .8rem 1rem; overflow-x: auto; font-size: .88rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""  # noqa: E501
