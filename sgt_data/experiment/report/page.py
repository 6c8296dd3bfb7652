"""The page of an experiment: what was asked, how, the results, and what they do not show.

The page is one HTML file. It loads nothing from elsewhere and runs nothing; all text in it is shown
as text (the template `templates/page.html.j2` escapes every value).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.report.description import Description
from sgt_data.experiment.report.figures import CaptionedPlot
from sgt_data.experiment.report.outcome import Outcome, split_text
from sgt_data.experiment.report.table_text import cell_text
from sgt_data.experiment.report.tables import Table
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from jinja2 import Template

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


def render_page(
    description: Description,
    outcome: Outcome,
    figures: Sequence[CaptionedPlot],
    tables: Sequence[Table],
    comparisons: Sequence[str] = (),
) -> str:
    """Render the page as HTML.

    Args:
        description: the experiment in words.
        outcome: results of all runs, of one split.
        figures: plots in the order of the page.
        tables: tables in the order of the page.
        comparisons: the main comparisons, one sentence each.

    Raises:
        ValueError: results are of the test split, and the record of its opening is missing.
    """
    return _template().render(
        description=description,
        split_text=split_text(outcome),
        missing=outcome.missing,
        how_to_read=HOW_TO_READ,
        comparisons=comparisons,
        figures=figures,
        tables=tables,
        runs_text=_runs_text(outcome.results),
    )


def _runs_text(results: Sequence[RunResult]) -> str:
    digests = len({result.digest for result in results})
    seconds = sum(result.seconds for result in results)
    return (
        f"{counted(len(results), 'run')} of {counted(digests, 'configuration')}, {seconds:,.0f} "
        "s of training in "
        "all. The configuration and every measured number of a run stand in its JSON file."
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sgt_data.experiment.report"),
        autoescape=True,
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_without_control_characters,
    )
    environment.filters |= {"cell_text": cell_text, "base64": _base64}
    return environment.get_template("page.html.j2")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _without_control_characters(value: Any) -> Any:
    """A text with `�` for each control character, which HTML must not contain; else the value."""
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value  # Markup is what a macro of the template made, and is clean
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in value)
