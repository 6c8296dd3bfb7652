"""What a page claims: every printed figure can be computed again from results.json, and no sentence
says more than its interval, its seeds and the number of tests allow."""

from __future__ import annotations

import html
import zlib
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
from made_up_runs import PROXIES, RATIO, SCALE, estimate, run, runs

from sgt_data.errors import RequestError
from sgt_data.experiment.measure.generation_bounds import (
    BOUNDS_FILE,
    GenerationBounds,
    write_generation_bounds,
)
from sgt_data.experiment.measure.run_result import Plateau, RunResult
from sgt_data.experiment.plan.arms import TrainingData
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, parse_plan
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast, check_primary
from sgt_data.experiment.plan.proxy_names import with_corpus_proxies
from sgt_data.experiment.report.contrast_tables import contrast_tables
from sgt_data.experiment.report.description import ExperimentFacts
from sgt_data.experiment.report.findings import Findings, findings_of
from sgt_data.experiment.report.groups import groups_of
from sgt_data.experiment.report.outcome import Outcome
from sgt_data.experiment.report.outputs import write_outputs
from sgt_data.experiment.report.results_json import encode_results
from sgt_data.experiment.report.sentences import (
    family_sentence,
    finding_sentences,
    p_text,
)
from sgt_data.experiment.report.table_text import to_csv, to_markdown
from sgt_data.experiment.report.tables import tables_of

stats = pytest.importorskip("scipy.stats")

PRIMARY = PrimaryContrast("entity", "questions alone")
CLAIMS = ("is higher", "is lower", "rises", "falls", "the same within")
BOUNDS: Any = SimpleNamespace(
    ceiling={"class map": {"mean": estimate(0.95)}, "picture": {"mean": estimate(0.9)}},
    floor={"class map": {"mean": estimate(0.125)}},
    mean_iou=0.85, gate=0.8, picture_problem=None,
)  # fmt: skip


def compared(
    results: Sequence[RunResult],
    kind: ExperimentKind = "proxies",
    primary: PrimaryContrast | None = PRIMARY,
) -> Findings:
    return findings_of(kind, results, primary)


def sentences(results: Sequence[RunResult], kind: ExperimentKind = "proxies") -> list[str]:
    return finding_sentences(compared(results, kind), named_primary=True)


# --- a blind reader ------------------------------------------------------------------------------


def cells(markdown: str, title: str) -> list[dict[str, str]]:
    """The rows of a table of a page, by its columns."""
    lines = markdown.split(f"## {title}\n")[1].split("\n## ")[0].splitlines()
    table = [
        [cell.strip().replace("&lt;", "<") for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    return [dict(zip(table[0], row, strict=True)) for row in table[2:]]


class Reader:
    """Computes from results.json alone, as its `how_to_read` says, with numpy and scipy."""

    def __init__(self, data: bytes) -> None:
        self.document = orjson.loads(data)
        self.runs = {(run["arm"], run["x"], run["seed"]): run for run in self.document["runs"]}

    def answers(self, key: tuple[Any, ...], name: str) -> tuple[Any, Any]:
        questions = self.document["questions"][name]
        shape = (len(questions["tasks"]), questions["pictures"])
        return tuple(
            np.frombuffer(zlib.decompress(b64decode(text)), np.uint8).reshape(shape).astype(float)
            for text in (self.runs[key]["answers"][name], questions["asked"])
        )  # type: ignore[return-value]

    def mean_accuracy(self, key: tuple[Any, ...], name: str = "answers") -> float:
        right, asked = self.answers(key, name)
        return float((right.sum(axis=1) / asked.sum(axis=1)).mean())

    def parts(self, key: tuple[Any, ...], name: str) -> Any:
        right, asked = self.answers(key, name)
        total, share = asked.sum(axis=1), right.sum(axis=1) / asked.sum(axis=1)
        pictures = asked.shape[1]
        return np.mean([
            share[t] + pictures * (right[t] - share[t] * asked[t]) / total[t]
            for t in range(len(total))
        ], axis=0)  # fmt: skip

    def comparison(self, each: Any) -> tuple[float, float, float, float]:
        """Value, ends of the interval, and p."""
        quantity, arms, seeds = each["quantity"], each["arms"], each["seeds"]

        def weighted(of_run: Any) -> Any:
            return np.array([
                sum(arm["weight"] * of_run((arm["arm"], arm["x"], seed)) for arm in arms)
                for seed in seeds
            ])  # fmt: skip

        if quantity.startswith("captions drawn right"):
            output = quantity.split("(")[1].rstrip(")")
            own, others = (
                weighted(lambda key, kind=kind: self.runs[key]["generation"][kind]["mean"])
                for kind in (output, f"{output}, captions shuffled")
            )
            by_seed = own - others
        elif quantity.startswith("attention"):
            by_seed = weighted(
                lambda key: np.mean([share for share, _ in self.runs[key]["attention"]])
            )
        else:
            name = quantity.removeprefix("accuracy on ")
            name = name if name in self.document["questions"] else "answers"
            cell = weighted(lambda key: self.parts(key, name))
            of_seeds = cell.mean(axis=1).var(ddof=1) / len(seeds)
            of_pictures = cell.mean(axis=0).var(ddof=1) / cell.shape[1]
            both = of_seeds + of_pictures
            freedom = both**2 / (
                of_seeds**2 / (len(seeds) - 1) + of_pictures**2 / (cell.shape[1] - 1)
            )
            value, error = cell.mean(), both**0.5
            low, high = stats.t.interval(0.95, freedom, value, error)
            return value, low, high, 2 * stats.t.sf(abs(value) / error, freedom)
        test = stats.ttest_1samp(by_seed, 0)
        interval = test.confidence_interval()
        return float(by_seed.mean()), interval.low, interval.high, float(test.pvalue)


@pytest.mark.parametrize(
    ("kind", "plan"), [("scale", SCALE), ("proxies", PROXIES), ("ratio", RATIO)]
)
def test_a_blind_reader_computes_every_comparison_again(
    kind: ExperimentKind, plan: list[Any]
) -> None:
    results = runs(plan)
    found = compared(results, kind)
    reader = Reader(encode_results(kind, results, found, BOUNDS))
    markdown = to_markdown([*contrast_tables(found, results), *tables_of(results, "pictures")])
    told = " ".join(finding_sentences(found, named_primary=True))
    comparisons = reader.document["comparisons"]
    computed = [reader.comparison(each) for each in comparisons]
    in_family = [place for place, each in enumerate(comparisons) if each["kind"] == "family"]
    p_values = np.array([computed[place][3] for place in in_family])
    order = np.argsort(p_values, kind="stable")
    holm = np.empty(len(order))
    holm[order] = np.maximum.accumulate(
        np.minimum(1, p_values[order] * np.arange(len(order), 0, -1))
    )
    adjusted = dict(zip(in_family, holm, strict=True))
    rows = cells(markdown, "Comparisons")
    assert len(rows) == len(comparisons) > 10
    for place, (row, each, figures) in enumerate(zip(rows, comparisons, computed, strict=True)):
        value, low, high, p = figures
        digits = 4 if "doubling" in each["quantity"] else 3
        assert (row["comparison"], row["quantity"]) == (each["name"], each["quantity"])
        printed = [row["difference"], *row["95 % interval"].split(" to ")]
        assert [float(text) for text in printed] == pytest.approx(
            [value, low, high], abs=0.5001 * 10**-digits
        )
        assert f"{row['difference']} in {each['quantity']}" in told
        assert f"interval {row['95 % interval']}" in told
        if each["kind"] != "negative control":
            assert row["p"] == p_text(p)
        assert row["adjusted p"] == (p_text(adjusted[place]) if place in adjusted else "")
    for row in cells(markdown, "Accuracy")[: len(groups_of(results))]:
        x = next(run.x for run in results if run.arm == row["arm"] or f"{run.arm} †" == row["arm"])
        if kind != "proxies" and x is not None:
            continue
        arm = row["arm"].removesuffix(" †")
        values = [reader.mean_accuracy((arm, None, seed)) for seed in range(3)]
        assert row["mean of tasks"] == f"{np.mean(values):.3f} ± {stats.sem(values):.3f}"


def test_slopes_are_those_of_numpys_lines_seed_by_seed() -> None:
    """The ladder of equal epochs ends on the top rung of the other."""
    results = runs(SCALE)
    found = compared(results, "scale")
    slopes = {
        each.comparison.name: each.contrast
        for each in found.family
        if each.comparison.name.startswith("slope")
    }
    ladders = {
        "slope of entity": [("entity", x) for x in (128, 1024, 4096, 16384)],
        "slope of entity, equal epochs": [
            ("entity, equal epochs", 128), ("entity, equal epochs", 1024), ("entity", 16384),
        ],
    }  # fmt: skip
    assert set(slopes) == set(ladders)
    by_key = {(run.arm, run.x, run.seed): run.mean.value for run in results}
    for name, rungs in ladders.items():
        contrast = slopes[name]
        assert contrast is not None
        for seed, slope in enumerate(contrast.by_seed):
            heights = [by_key[*rung, seed] for rung in rungs]
            line = np.polyfit(np.log2([x for _, x in rungs]), heights, 1)
            assert slope == pytest.approx(line[0])


def test_results_of_a_hundred_runs_are_small_enough_to_keep_in_a_repository() -> None:
    """Of as many pictures as the shipped plans ask about."""
    results = [run("entity", x, seed, 0.5, pictures=1200) for x in (1, 2) for seed in range(50)]
    found = compared(results, "scale")
    data = encode_results("scale", results, found, None)
    assert len(data) < 500_000
    assert data == encode_results("scale", results, found, None)


# --- which comparisons ---------------------------------------------------------------------------


def names(results: Sequence[RunResult], kind: ExperimentKind) -> list[str]:
    return [
        each.comparison.name
        for each in compared(results, kind).family
        if each.comparison.quantity.name == "mean accuracy"
    ]


def test_a_ladder_tests_neighbouring_rungs_and_its_top_against_each_control() -> None:
    assert names(runs(SCALE), "scale") == [
        "entity, 128 less questions alone, 0",
        "entity, 1,024 less entity, 128",
        "entity, 4,096 less entity, 1,024",
        "entity, 16,384 less entity, 4,096",
        "entity, equal epochs, 128 less questions alone, 0",
        "entity, equal epochs, 1,024 less entity, equal epochs, 128",
        "entity, 16,384 less entity, equal epochs, 1,024",
        *(f"entity, 16,384 less {name}" for name in (
            "questions alone, equal compute", "labels as questions, 16,384",
            "pictures of questions hidden", "base",
        )),
    ]  # fmt: skip


def test_a_ladder_of_one_rung_has_no_slope_and_is_tested_against_each_control() -> None:
    results = [each for each in runs(SCALE) if each.arm != "entity, equal epochs"]
    short = [each for each in results if each.arm != "entity" or each.x == 128]
    assert names(short, "scale") == [
        f"entity, 128 less {name}"
        for name in (
            "questions alone, equal compute", "labels as questions, 16,384",
            "pictures of questions hidden", "base",
        )
    ]  # fmt: skip
    assert not [each for each in sentences(short, "scale") if "Slope" in each]


def test_proxies_are_tested_against_the_baseline_and_against_the_primary_arm() -> None:
    others = [arm for arm, _, _ in PROXIES if arm not in ("entity", "questions alone")]
    assert names(runs(PROXIES), "proxies") == [
        *(f"{arm} less questions alone" for arm in others),
        *(f"entity less {arm}" for arm in others),
    ]


def test_ratios_are_tested_against_the_baseline_and_against_their_neighbours() -> None:
    primary = PrimaryContrast("entity, 2:1", "questions alone")
    found = compared(runs(RATIO), "ratio", primary)
    assert found.primary is not None
    assert found.primary.comparison.name == "entity, 2:1 less questions alone"
    family = [each.comparison.name for each in found.family]
    assert "entity, 4:1 less entity, 2:1" in family
    assert "entity, 1:4 less questions alone" in family
    assert "entity, 2:1 less questions alone" not in family[:8]


def test_the_family_is_stated_with_its_number_of_tests() -> None:
    found = compared(runs(PROXIES))
    with_p = [each for each in found.family if each.adjusted is not None]
    assert f"over the {len(with_p)} tests" in family_sentence(found)
    few = runs(PROXIES[:3], seeds=2)
    assert "No other comparison has the 3 seeds" in family_sentence(compared(few))
    mixed = [*runs(PROXIES[:3]), *runs(PROXIES[3:4], seeds=2)]
    assert "2 comparisons with too few seeds are not tested" in family_sentence(compared(mixed))


def test_without_a_primary_contrast_every_comparison_is_adjusted() -> None:
    found = compared(runs(PROXIES), primary=None)
    assert found.primary is None
    assert "entity less questions alone" in [each.comparison.name for each in found.family]
    assert all(each.adjusted is not None for each in found.family)
    assert "names no primary contrast" in finding_sentences(found, named_primary=False)[0]
    half = compared(runs(PROXIES[1:]))
    assert "not known yet" in finding_sentences(half, named_primary=True)[0]


# --- what is said --------------------------------------------------------------------------------


def test_one_seed_has_no_interval_and_fewer_than_three_have_no_claim() -> None:
    for seeds in (1, 2):
        told = sentences(runs(PROXIES, seeds=seeds))
        assert not [text for text in told if any(claim in text for claim in CLAIMS)]
        assert not [text for text in told if "p =" in text or "p <" in text]
        assert all(("95 % interval" in text) == (seeds == 2) for text in told)
        assert all("a test needs 3 seeds" in text or "a test 3" in text for text in told)
    assert [text for text in sentences(runs(PROXIES)) if "is higher" in text]


def test_tables_of_one_seed_print_no_interval() -> None:
    results = runs(PROXIES, seeds=1)
    markdown = to_markdown([*contrast_tables(compared(results), results), *tables_of(results, "")])
    assert " to +" not in markdown and " to -" not in markdown
    assert "±" not in markdown


def test_a_claim_needs_its_adjusted_p() -> None:
    for each, text in zip(
        [*(found := compared(runs(PROXIES))).family], sentences(runs(PROXIES))[1:], strict=False
    ):
        assert each.contrast is not None and each.adjusted is not None
        assert any(claim in text for claim in CLAIMS) == (each.adjusted < 0.05)
        if each.contrast.p is not None and each.contrast.p < 0.05 <= each.adjusted:
            assert "no difference is shown once p is adjusted" in text
    assert found.primary is not None and found.primary.adjusted is None


def test_arms_that_did_not_lift_off_or_reach_a_plateau_are_marked_wherever_they_stand() -> None:
    results = [
        replace(result, lift_off=None, plateau=Plateau(0.5, 0.04, result.seed > 1))
        if result.arm == "depth"
        else replace(result, lift_off=100)
        for result in runs(PROXIES)
    ]
    for text in sentences(results):
        stated = "Note: depth lifted off in 0 of 3 seeds and reached a plateau in 1 of 3 seeds."
        assert (stated in text) == ("depth" in text.split(":")[0]), text
    tables = tables_of(results, "")
    assert len(tables) == 8
    for table in tables:
        markdown = to_markdown([table])
        assert "| depth †‡ |" in markdown and "| entity |" in markdown
        assert "‡ in fewer runs than all" in markdown
    training = next(row for row in cells(to_markdown(tables), "Training") if "depth" in row["arm"])
    assert training["lifted off (of seeds)"] == "0 of 3"
    assert training["plateau reached (of seeds)"] == "1 of 3"
    assert training["plateau"].startswith("0.5")
    assert training["step of lift-off"] == ""
    assert "†" not in to_csv(tables)
    row = next(row for row in to_markdown(contrast_tables(compared(results), results)).splitlines()
               if row.startswith("| depth less"))  # fmt: skip
    assert "lifted off in 0 of 3 seeds" in row


def test_a_negative_control_is_flat_only_within_the_margin() -> None:
    def with_arithmetic(reach: float) -> list[RunResult]:
        changed = []
        for place, result in enumerate(runs(PROXIES[:2])):
            right = 500 + round(1000 * reach) * (result.arm == "entity") + place % 3
            made = result.others["arithmetic"]
            marks = {"sum": {str(k): (int(k < right), 1) for k in range(1000)}}
            others = {**result.others, "arithmetic": replace(made, marks=marks)}
            changed.append(replace(result, others=others))
        return changed

    flat, not_flat = (
        next(text for text in sentences(with_arithmetic(reach)) if "negative control" in text)
        for reach in (0.002, 0.05)
    )
    assert flat.endswith("the same within ±0.03.")
    assert not_flat.endswith("not shown to be the same within ±0.03.")
    assert "no difference" not in flat + not_flat
    few_questions = next(text for text in sentences(runs(PROXIES)) if "negative control" in text)
    assert "interval -" in few_questions and "to +" in few_questions
    assert few_questions.endswith("not shown to be the same within ±0.03.")
    family = compared(runs(PROXIES)).family
    assert not [each for each in family if "arithmetic" in each.comparison.quantity.name]


def test_arms_without_a_common_seed_are_not_compared() -> None:
    results = [run("questions alone", None, 0, 0.2), run("entity", None, 1, 0.5)]
    assert "share no seed" in sentences(results)[0]
    assert to_markdown(contrast_tables(compared(results), results))


def test_a_p_value_near_the_limit_tells_its_side() -> None:
    assert p_text(0.0499) == "0.0499"
    assert p_text(0.04996) == "0.04996"
    assert p_text(0.0503) == "0.0503"
    assert p_text(0.12) == "0.120"
    assert p_text(1e-9) == "< 0.001"


def test_generation_and_attention_stand_beside_what_they_could_be() -> None:
    markdown = to_markdown(tables_of(runs(PROXIES), "", BOUNDS))
    rows = cells(markdown, "Captions drawn right: class map")
    by_arm = {row["arm"]: row["class map: mean"] for row in rows}
    assert by_arm["ceiling: the true drawings"] == "0.950"
    assert by_arm["floor: drawings of other captions"] == "0.125"
    assert "mean IoU of 0.850" in markdown
    even = cells(markdown, "Share of the answer's attention that goes to the picture")[-1]
    assert (even["arm"], even["attention, layer 2"]) == ("even attention", "0.700")
    tables = to_markdown(contrast_tables(compared(runs(PROXIES)), runs(PROXIES)))
    layers = [row["layer"] for row in cells(tables, "Attention to the picture: entity less "
                                            "questions alone")]  # fmt: skip
    assert layers == ["layer 1", "layer 2", "layer 3", "layer 4", "mean"]


# --- the files -----------------------------------------------------------------------------------


def test_the_files_of_an_experiment_tell_the_same_findings(tmp_path: Path) -> None:
    results = runs([*PROXIES[:2], PROXIES[-1]])
    plan = parse_plan(
        "{train: {drawings: 16, captions: 8, model: {init: base.pt}}, proxies: [entity],"
        "primary: {arm: entity, baseline: questions alone}}"
    )
    data = TrainingData("corpus", 1024, "questions", captions=["captions.jsonl"])
    facts = ExperimentFacts(
        kind="proxies",
        plan=plan,
        corpus="corpus",
        folder=Path("folder"),
        data=data,
        arms=arms_of("proxies", plan, data),
        confused_categories=None,
        question_counts={"train": {"count": {"questions": 5}}},
        notes=["1 opening of the test split recorded."],
        test=False,
    )
    bounds = GenerationBounds(
        "validation", BOUNDS.ceiling, BOUNDS.floor, 0.75, {"ball": 0.75}, 0.8, "It is too low."
    )
    write_generation_bounds(tmp_path / BOUNDS_FILE, bounds)
    findings = write_outputs(tmp_path, facts, Outcome(results))
    markdown, page = ((tmp_path / name).read_text() for name in ("results.md", "index.html"))
    page = html.unescape(page)
    assert findings[0].startswith("Primary contrast: entity less questions alone: +")
    for text in (*findings, "Holm's method over the", "1 opening of the test split recorded."):
        assert text in page
        assert text in html.unescape(markdown)
    assert "It is too low." in page and "floor: drawings of other captions" in page
    assert "starts from the weights of base.pt" in page and "8 captions are replayed" in page
    document = orjson.loads((tmp_path / "results.json").read_bytes())
    assert document["generation_bounds"]["ceiling"]["picture"] == {"mean": 0.9}
    assert len(document["runs"]) == len(results)
    plots = {path.name for path in (tmp_path / "plots").iterdir()}
    assert {"accuracy.svg", "generation.png", "attention.png", "training.png"} <= plots


# --- the plan ------------------------------------------------------------------------------------


def test_a_primary_contrast_names_two_arms_that_exist() -> None:
    text = "{train: {}, proxies: [a], primary: {arm: entity, baseline: %s}}"
    assert parse_plan(text % "questions alone").primary == PRIMARY
    with pytest.raises(RequestError, match="primary: arm and baseline are the same"):
        parse_plan(text % "entity")
    check_primary(PRIMARY, ["entity", "questions alone"])
    check_primary(None, [])
    with pytest.raises(RequestError, match=r"primary.arm: found 'entity'; allowed: edge"):
        check_primary(PRIMARY, ["edge", "questions alone"])


def test_a_primary_contrast_follows_the_names_of_the_corpus() -> None:
    """Where it needs a proxy that the corpus lacks, no other contrast takes its place."""
    plan = parse_plan(
        "{train: {}, proxies: [semantic, edge],primary: {arm: semantic, baseline: questions alone}}"
    )
    semantic = {"type": "segmentation", "variant": "semantic", "name": "classes"}
    named, _ = with_corpus_proxies(plan, [semantic, {"type": "edge", "name": "edge"}])
    assert named.primary == PrimaryContrast("classes", "questions alone")
    on_edges = replace(
        plan, primary=PrimaryContrast("edge", "questions alone"), leave_out_missing=True
    )
    without, notes = with_corpus_proxies(on_edges, [semantic])
    assert without.primary is None
    assert "primary: the corpus has no proxy edge; no contrast is primary" in notes
