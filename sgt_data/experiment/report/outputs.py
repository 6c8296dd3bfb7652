"""The files of an experiment for its readers, of one split: plan, tables, plots and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import orjson
import yaml

from sgt_data.experiment.measure.generation_bounds import BOUNDS_FILE, read_generation_bounds
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.report.contrast_tables import contrast_tables
from sgt_data.experiment.report.description import ExperimentFacts, describe
from sgt_data.experiment.report.figures import figures_of
from sgt_data.experiment.report.findings import findings_of
from sgt_data.experiment.report.outcome import Outcome, split_text
from sgt_data.experiment.report.page import render_page
from sgt_data.experiment.report.results_json import encode_results
from sgt_data.experiment.report.sentences import family_sentence, finding_sentences
from sgt_data.experiment.report.table_text import markdown_text, to_csv, to_markdown
from sgt_data.experiment.report.tables import tables_of
from sgt_data.files.writing import write_atomic

_AXIS_COLUMNS: Mapping[ExperimentKind, str] = {
    "scale": "pictures",
    "proxies": "",
    "ratio": "drawings : questions",
}
"""Name of the axis in tables."""


def write_outputs(folder: Path, facts: ExperimentFacts, outcome: Outcome) -> list[str]:
    """Write all files; the same results give the same bytes.

    Args:
        folder: folder to write to; ceiling and floor of generation are read from it.
        facts: the experiment.
        outcome: results on one split.

    Returns:
        What was found, one sentence for each comparison, the primary one first.
    """
    kind, results = facts.kind, outcome.results
    findings = findings_of(kind, results, facts.plan.primary)
    sentences = finding_sentences(findings, facts.plan.primary is not None)
    family = family_sentence(findings)
    bounds = read_generation_bounds(folder / BOUNDS_FILE)
    by_arm = tables_of(results, _AXIS_COLUMNS[kind], bounds)
    tables = [*contrast_tables(findings, results), *by_arm]
    figures = figures_of(kind, results, outcome.examples)
    description = describe(facts)
    for figure in figures:
        write_atomic(str(folder / "plots" / f"{figure.name}.png"), figure.plot.png)
        write_atomic(str(folder / "plots" / f"{figure.name}.svg"), figure.plot.svg)
    write_atomic(str(folder / "plan.yaml"), plan_text(facts.plan).encode())
    write_atomic(str(folder / "results.csv"), to_csv(by_arm).encode())
    write_atomic(str(folder / "results.json"), encode_results(kind, results, findings, bounds))
    notes = [*(f"Missing: {run}" for run in outcome.missing), *facts.notes]
    opening = [description.question, split_text(outcome), *notes]
    parts = [
        f"# {description.title}",
        *map(markdown_text, opening),
        "\n".join(f"- {markdown_text(sentence)}" for sentence in sentences),
        markdown_text(family),
        to_markdown(tables),
    ]
    write_atomic(str(folder / "results.md"), "\n\n".join(filter(None, parts)).encode())
    page = render_page(description, outcome, figures, tables, [*sentences, family])
    write_atomic(str(folder / "index.html"), page.encode())
    return sentences


def plan_text(plan: Plan) -> str:
    """A plan as YAML that `parse_plan` reads."""
    document = orjson.loads(orjson.dumps(asdict(plan)))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
