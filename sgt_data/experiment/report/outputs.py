"""What an experiment leaves for its readers, of one split: the plan, tables, plots and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson
import yaml

from sgt_data.experiment.arms import Plan
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.comparisons import baseline_of, findings_of
from sgt_data.experiment.report.description import Setting, story_of
from sgt_data.experiment.report.drawn_examples import Examples
from sgt_data.experiment.report.figures import COLUMNS, figures_of
from sgt_data.experiment.report.page import page, split_text
from sgt_data.experiment.report.tables import (
    markdown_text,
    tables_of,
    to_csv,
    to_markdown,
)
from sgt_data.experiment.split_opening import Opening
from sgt_data.files.writing import write_atomic


def write_outputs(
    folder: Path,
    setting: Setting,
    results: Sequence[RunResult],
    examples: Mapping[str, Mapping[str, Examples]],
    missing: Sequence[str],
    opening: Opening | None,
    number: int,
) -> list[str]:
    """Write them; the same bytes for the same results.

    Args:
        folder: to write.
        setting: in words.
        results: those that are there, of one split, in order of the arms.
        examples: generated targets by proxy and arm.
        missing: runs without a result, and why.
        opening, number: of the test split, see `page`.

    Returns:
        The main differences in words.
    """
    findings = findings_of(setting.kind, results)
    tables = tables_of(
        results, COLUMNS[setting.kind], baseline_of(setting.kind, results)
    )  # fmt: skip
    plots = figures_of(setting.kind, results, examples)
    story = story_of(setting)
    for one in plots:
        write_atomic(str(folder / "plots" / f"{one.name}.png"), one.plot.png)
        write_atomic(str(folder / "plots" / f"{one.name}.svg"), one.plot.svg)
    write_atomic(str(folder / "plan.yaml"), plan_text(setting.plan).encode())
    write_atomic(str(folder / "results.csv"), to_csv(tables).encode())
    notes = [*(f"Missing: {one}" for one in missing), *setting.notes]
    paragraphs = [story.question, split_text(results, opening, number), *notes]
    told = [f"# {story.title}", *map(markdown_text, paragraphs)]
    told += ["\n".join(f"- {markdown_text(one)}" for one in findings), to_markdown(tables)]
    write_atomic(str(folder / "results.md"), "\n\n".join(one for one in told if one).encode())
    text = page(story, results, plots, tables, opening, number, findings, missing)
    write_atomic(str(folder / "index.html"), text.encode())
    return findings


def plan_text(plan: Plan) -> str:
    """A plan as YAML that `parse_plan` takes."""
    document = orjson.loads(orjson.dumps(asdict(plan)))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
