"""The page of an experiment: what was asked, how, the results, and what they do not show.

The page is one HTML file. It loads nothing from elsewhere and runs nothing; all text in it is shown
as text (the template `templates/page.html.j2` escapes every value).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sgt_data.experiment.measure.lift_off import MARGIN, WINDOW
from sgt_data.experiment.measure.run_result import PLATEAU_RISE, RunResult
from sgt_data.experiment.report.description import Description
from sgt_data.experiment.report.figures import CaptionedPlot
from sgt_data.experiment.report.outcome import Outcome, split_text
from sgt_data.experiment.report.table_text import cell_text, flagged_rows
from sgt_data.experiment.report.tables import Table
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from jinja2 import Template

HOW_TO_READ = (
    "Table entries are means over seeds; the number after ± is the standard error of that mean. In "
    "plots, bars are its 95 % interval over seeds (Student's t), and small dots are "
    "single seeds. One seed has neither, and none is shown.",
    "One comparison is primary: the plan named it before any result was there, and its p-value is "
    "not adjusted. All other p-values are adjusted for their number by Holm's method. A difference "
    "counts as shown where p is below 0.05. Fewer than two seeds have no interval, fewer than "
    "three no test and no claim.",
    "Comparisons pair the runs of a seed, and the answers to a picture. Their 95 % intervals allow "
    "for other seeds and for other pictures of this kind; where no number of pictures is stated, "
    "for other seeds alone. In simulations they hold the truth in 92 to 99 % of cases with three "
    "or five seeds, and in 86 to 98 % with two.",
    "Guessing is a random pick among each question's choices; the best constant answer is the one "
    "text that is right most often in a task.",
    "Plateau is the mean validation accuracy over the last quarter of training; it is reached "
    f"where that mean rose by less than {PLATEAU_RISE} from the quarter before. Lift-off is the "
    f"first step from which validation accuracy, a mean of {WINDOW} measurements, stays more than "
    f"{MARGIN} above that of the model with which training began (for random weights: above "
    "guessing). An arm may lift off early and end low: the two are told apart.",
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
        comparisons: what the comparisons show, one sentence each.

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
        sheets=outcome.sheets,
        tables=tables,
        runs_text=_runs_text(outcome.results),
    )


def _runs_text(results: Sequence[RunResult]) -> str:
    digests = len({result.digest for result in results})
    seconds = sum(result.seconds for result in results)
    return (
        f"{counted(len(results), 'run')} of {counted(digests, 'configuration')}, {seconds:,.0f} "
        "s of training in "
        "all. results.json beside this page holds the numbers from which every figure here can be "
        "computed again; the JSON file of a run also holds its configuration, curves and intervals."
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
    environment.filters |= {"cell_text": cell_text, "base64": _base64, "flagged_rows": flagged_rows}
    return environment.get_template("page.html.j2")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _without_control_characters(value: Any) -> Any:
    """A text with `�` for each control character, which HTML must not contain; else the value."""
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value  # Markup is what a macro of the template made, and is clean
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in value)
