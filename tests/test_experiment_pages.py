"""The results, tables, plots and page of an experiment: results come back unchanged, tables and
plots have the same bytes each time, and the page shows text as text."""

from __future__ import annotations

import base64
import csv
import io
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_runs import PROXIES, RATIO, SCALE, estimate, run, runs
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.drawn_examples import (
    DrawnExamples,
    read_drawn_examples,
    write_drawn_examples,
)
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.run_result import RunResult, decode_result, encode_result
from sgt_data.experiment.plan.arms import BLIND
from sgt_data.experiment.report.description import Description
from sgt_data.experiment.report.examples_plot import examples_plot
from sgt_data.experiment.report.figures import CaptionedPlot
from sgt_data.experiment.report.groups import (
    accuracy_measures,
    chance_levels,
    groups_of,
    mean_accuracy_of,
    probe_measures,
)
from sgt_data.experiment.report.outcome import Outcome
from sgt_data.experiment.report.page import HOW_TO_READ, render_page
from sgt_data.experiment.report.plot_style import COLOURS, Plot, spread_heights
from sgt_data.experiment.report.table_text import _without_formula, to_csv, to_markdown
from sgt_data.experiment.report.tables import tables_of

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

HOSTILE = '<script>alert("1")</script> $x^$ | `a` \n=SUM(A1) </svg> {x} & --> \x00\x1b \\frac'
LADDER = [arm for arm in SCALE if arm[0] == "entity"]


def renamed(results: list[RunResult], name: str) -> list[RunResult]:
    return [replace(result, arm=name) if result.arm == BLIND else result for result in results]


# --- results -------------------------------------------------------------------------------------


def test_results_come_back_as_they_were_in_the_same_bytes() -> None:
    for x in (0, 1024, "2:1", None):
        result = run("entity", x, 1, 0.5)
        data = encode_result(result)
        assert decode_result(data, "a.json") == result
        assert encode_result(decode_result(data, "a.json")) == data
        assert encode_result(run("entity", x, 1, 0.5)) == data


def test_a_number_that_is_none_is_not_kept_as_nothing() -> None:
    result = run("entity", 0, 0, 0.5)
    for broken in (
        replace(result, training_accuracy=float("nan")),
        replace(result, layout={"depth": {"AbsRel": estimate(float("inf"))}}),
    ):
        with pytest.raises((ValueError, CorpusError)):
            encode_result(broken)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: b"", "a.json is no result"),
        (lambda d: d[:-40], "a.json is no result"),
        (lambda d: b"[1]", "no version and result"),
        (lambda d: d.replace(b'"version":2', b'"version":9'), "has version 9"),
        (lambda d: d.replace(b'"seconds"', b'"secunds"'), "seconds"),
        (lambda d: d.replace(b'"split":"validation"', b'"split":"training"'), "split"),
        (lambda d: d.replace(b'"seed":3', b'"seed":"x"'), "seed"),
    ],
)
def test_a_damaged_result_is_named(change: Any, message: str) -> None:
    data = encode_result(run("entity", 0, 3, 0.5))
    damaged = change(data)
    assert damaged != data
    with pytest.raises(CorpusError, match=message):
        decode_result(damaged, "a.json")


# --- series and tables ---------------------------------------------------------------------------


def test_seeds_are_brought_together_by_arm_and_place() -> None:
    results = runs(LADDER)
    groups = groups_of(list(reversed(results[:6])) + results[6:])
    assert [(group.arm, group.x, len(group.runs)) for group in groups] == [
        ("entity", x, 3) for x in (128, 1024, 4096, 16384)
    ]
    mean = groups[0].over_seeds(mean_accuracy_of)
    assert mean is not None
    values = [result.mean.value for result in results[:3]]
    assert mean.mean == pytest.approx(np.mean(values))
    assert mean.error == pytest.approx(np.std(values, ddof=1) / 3**0.5)


def test_runs_that_do_not_belong_together_are_refused() -> None:
    results = runs(LADDER)
    with pytest.raises(CorpusError, match="no results"):
        groups_of([])
    with pytest.raises(CorpusError, match="is there twice"):
        groups_of([*results, results[0]])
    with pytest.raises(CorpusError, match="some on the test split"):
        groups_of([replace(results[0], split="test"), *results[1:]])
    fewer = {name: accuracy for name, accuracy in results[0].accuracy.items() if name != "count"}
    with pytest.raises(CorpusError, match="same numbers of questions"):
        groups_of([replace(results[0], accuracy=fewer), *results[1:]])


def test_csv_holds_every_number_with_its_error_and_seeds() -> None:
    results = runs(SCALE)
    rows = list(csv.DictReader(io.StringIO(to_csv(tables_of(results, "pictures")))))
    assert len(rows) == len(SCALE)
    assert all(None not in row and None not in row.values() for row in rows)
    for row, group in zip(rows, groups_of(results), strict=True):
        mean = group.over_seeds(accuracy_measures(results)["count"])
        assert mean is not None
        assert float(row["count"]) == pytest.approx(mean.mean, rel=1e-5)
        assert float(row["count, s.e."]) == pytest.approx(mean.error, rel=1e-5)
        assert row["count, seeds"] == "3"


def test_one_seed_has_no_error_and_none_is_made_up() -> None:
    results = runs(SCALE, seeds=1)
    markdown = to_markdown(tables_of(results, "pictures"))
    assert "±" not in markdown
    rows = list(csv.DictReader(io.StringIO(to_csv(tables_of(results, "pictures")))))
    assert {row["count, s.e."] for row in rows} == {""}


def test_tables_say_what_guessing_scores_and_how_many_runs_lifted_off() -> None:
    results = runs(SCALE)
    markdown = to_markdown(tables_of(results, "pictures"))
    assert "| guessing |" in markdown
    assert "| the best constant answer |" in markdown
    assert "| the commonest class |" in markdown
    assert "3 of 3" in markdown
    assert "0 of 3" in markdown
    assert f"{chance_levels(results)['mean']:.3f}" in markdown


@pytest.mark.parametrize("text", ["=1", "@x", "+1+cmd|' /C calc'!A0", "-2+3", "+x", "\tx"])
def test_a_formula_is_shown_as_text_and_a_number_stays_one(text: str) -> None:
    assert _without_formula(text) == f"'{text}"
    for number in ("-2", "+3.5", "-1e-05", "x=1"):
        assert _without_formula(number) == number


def test_hostile_names_break_no_table() -> None:
    results = renamed(runs(SCALE), HOSTILE)
    tables = tables_of(results, "=pictures")
    rows = list(csv.reader(io.StringIO(to_csv(tables))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "@")]
    lines = [line for line in to_markdown(tables).splitlines() if line.startswith("|")]
    assert not [line for line in lines if "<" in line]
    bars = {line.replace("\\|", "").count("|") - 1 for line in lines}
    assert bars == {len(table.columns) for table in tables}


# --- plots ---------------------------------------------------------------------------------------


def every_plot(results: list[RunResult], axis: str = "pictures") -> dict[str, Plot]:
    from sgt_data.experiment.report.bar_plot import bar_plot
    from sgt_data.experiment.report.plots import curve_plot, panel_plot
    from sgt_data.experiment.report.run_plots import attention_plot, learning_plot

    levels = chance_levels(results)
    return {
        "curve": curve_plot(results, mean_accuracy_of, axis, axis, levels["mean"]),
        "panels": panel_plot(results, accuracy_measures(results), axis, axis, levels),
        "bars": bar_plot(results, probe_measures(results), axis, {}),
        "attention": attention_plot(results, axis),
        "learning": learning_plot(results, axis),
    }


def test_plots_are_the_same_bytes_in_any_process() -> None:
    code = (
        "import sys, hashlib; sys.path.insert(0, 'tests')\n"
        "from made_up_runs import runs, RATIO\n"
        "from sgt_data.experiment.report.plots import curve_plot\n"
        "from sgt_data.experiment.report.groups import mean_accuracy_of\n"
        "plot = curve_plot(runs(RATIO), mean_accuracy_of, 'Accuracy', 'ratio', 0.4)\n"
        "print(hashlib.sha256(plot.svg + plot.png).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
            env={"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": when, "PATH": ""},
        ).stdout
        for seed, when in (("1", "1"), ("2", "999999999"))
    }  # fmt: skip
    assert len(digests) == 1


def test_every_plot_is_a_picture_in_both_forms_that_loads_nothing() -> None:
    for plan in (SCALE[1:6], PROXIES[:3]):
        for name, plot in every_plot(runs(plan, seeds=2)).items():
            with Image.open(io.BytesIO(plot.png), formats=["PNG"]) as image:
                assert min(image.size) > 300, name
                assert "Software" not in image.info
            root = ElementTree.fromstring(plot.svg)
            links = [
                value for element in root.iter() for key, value in element.attrib.items()
                if key.endswith("href")
            ]  # fmt: skip
            assert all(link.startswith("#") for link in links), name
            assert b"<dc:date>" not in plot.svg


def test_nothing_stands_at_its_place_on_a_log_axis() -> None:
    from sgt_data.experiment.report.plots import _axis_places

    places = _axis_places(groups_of(runs(SCALE, seeds=1)))
    assert list(places) == [0, 128, 1024, 4096, 16384]
    across = list(places.values())
    assert across == sorted(across)
    assert across[1:] == pytest.approx(np.log10([128, 1024, 4096, 16384]).tolist())
    labels = _axis_places(groups_of(runs(RATIO, seeds=1)))
    assert list(labels.items())[0:2] == [("1:4", 0.0), ("1:2", 1.0)]


def test_hostile_names_break_no_plot() -> None:
    for plot in every_plot(renamed(runs(SCALE[-3:], seeds=1), HOSTILE), HOSTILE).values():
        root = ElementTree.fromstring(plot.svg)
        assert not [element for element in root.iter() if element.tag.lower().endswith("script")]


def test_a_users_own_style_changes_no_plot_and_no_plot_changes_it() -> None:
    import matplotlib

    from sgt_data.experiment.report.run_plots import attention_plot

    before = attention_plot(runs(RATIO, seeds=1), "Attention")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        again = attention_plot(runs(RATIO, seeds=1), "Attention")
        assert matplotlib.rcParams["font.size"] == 30
    assert again == before


def test_colours_differ_for_every_common_kind_of_eye() -> None:
    """By simulation (Machado, Oliveira and Fernandes 2009, full severity)."""
    kinds = {
        "all": np.eye(3),
        "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
        "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    }  # fmt: skip
    levels = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in COLOURS]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    for name, matrix in kinds.items():
        seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.4)
        gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(COLOURS))
        assert gaps[:5, :5].min() > 0.25, name
        assert gaps[:7, :7].min() > 0.2, name


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(-10, 10), max_size=9), st.floats(0.01, 2))
def test_labels_are_spread_apart_in_their_order(heights: list[float], gap: float) -> None:
    spread = spread_heights(heights, gap)
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    ordered = [spread[place] for place in order]
    assert all(b - a > gap - 1e-6 for a, b in pairwise(ordered))
    if all(b - a > gap for a, b in pairwise(sorted(heights))):
        assert spread == pytest.approx(heights)


# --- the page ------------------------------------------------------------------------------------

DESCRIPTION = Description(
    title="How accuracy grows with pictures",
    question="Does drawing more segmentations make a model answer better?",
    setting=("A small model.", "Everything else is held equal."),
    arms={"entity": "draws", BLIND: "sees grey"},
    limits=("Drawn scenes only.",),
    command="sgt-data experiment scale --output DIR",
)


class _Reader(HTMLParser):
    """Tags, attributes and text of a page, and whether its tags are nested as they should be."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "img", "br", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        assert self._open == []


def read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader


def made_page(
    results: list[RunResult], description: Description = DESCRIPTION, name: str = "curve"
) -> str:
    plot = CaptionedPlot(name, f"{name}: accuracy against pictures.", Plot(b"", b"<svg/>"))
    tables = tables_of(results, "pictures")
    return render_page(description, Outcome(results), [plot], tables)


def test_the_page_shows_its_whole_description_and_loads_nothing() -> None:
    results = runs(SCALE)
    html = made_page(results)
    reader = read(html)
    texts = (
        DESCRIPTION.title, DESCRIPTION.question, *DESCRIPTION.setting, *DESCRIPTION.arms,
        *DESCRIPTION.arms.values(), *DESCRIPTION.limits, DESCRIPTION.command, *HOW_TO_READ,
        "guessing", "33 runs",
    )  # fmt: skip
    for text in texts:
        assert text in reader.text, text
    assert reader.links
    assert all(link.startswith("data:image/") for link in reader.links)
    assert base64.b64encode(b"<svg/>").decode() in html
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html
    assert made_page(runs(SCALE)) == html


def test_hostile_text_is_shown_and_never_run() -> None:
    hostile = Description(
        HOSTILE, HOSTILE, (HOSTILE,), {HOSTILE: HOSTILE, '" onload="x': "y"}, (HOSTILE,), HOSTILE
    )
    plain = read(made_page(runs(SCALE)))
    reader = read(made_page(renamed(runs(SCALE), HOSTILE), hostile, '" onerror="alert(1)'))
    assert "script" not in reader.tags
    assert reader.handlers == []
    assert set(reader.tags) == set(plain.tags)
    assert 'alert("1")' in reader.text
    assert not [sign for sign in reader.text if ord(sign) < 32 and sign not in "\n\t"]


def test_a_page_of_the_test_split_says_when_it_was_opened_and_how_often() -> None:
    results = [replace(result, split="test") for result in runs(SCALE, seeds=1)]
    tables = tables_of(results, "pictures")
    with pytest.raises(ValueError, match="record of its opening"):
        render_page(DESCRIPTION, Outcome(results), [], tables)
    opening = Opening("0123abcd", "2026-01-05", {"a": None}, ("2026-01-06",))
    outcome = Outcome(results, opening=opening)
    text = read(render_page(DESCRIPTION, outcome, [], tables)).text
    for part in ("2026-01-05", "0123abcd", "2026-01-06", "No other configuration"):
        assert part in text


def test_a_page_of_the_validation_split_says_so() -> None:
    assert "validation split, on which settings were chosen" in made_page(runs(SCALE, seeds=1))


def test_measuring_and_showing_load_their_libraries_when_they_are_used() -> None:
    code = (
        "import sys, importlib\n"
        "for name in ('torch', 'sklearn', 'scipy', 'matplotlib'): sys.modules[name] = None\n"
        "names = '''measure.accuracy measure.attention measure.contrast measure.drawn_examples\n"
        "measure.fidelity measure.holm\n"
        "measure.seed_means measure.lift_off measure.probe_examples measure.probes\n"
        "measure.run_result\n"
        "report.bar_plot report.contrast_tables report.examples_plot report.groups report.page\n"
        "report.plot_style report.plots report.results_json report.findings\n"
        "report.run_plots report.tables report.table_text split_opening'''.split()\n"
        "for name in names: importlib.import_module('sgt_data.experiment.' + name)\n"
        "for name in ('layout', 'depth', 'edge'):\n"
        "    importlib.import_module(f'sgt_data.scoring.{name}_fidelity')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_results_file_holds_its_whole_configuration() -> None:
    document = orjson.loads(encode_result(run("entity", 0, 0, 0.5)))
    assert document["result"]["config"] == {"arm": "entity", "seed": 0}


def test_examples_of_a_run_come_back_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    strips = [rng.integers(0, 256, (8, 24, 3), dtype=np.uint8) for _ in range(3)]
    examples = DrawnExamples(*strips, texts=("the ball", HOSTILE, "übrig"))
    write_drawn_examples(tmp_path / "a.png", examples)
    again = read_drawn_examples(tmp_path / "a.png")
    assert again is not None and again.texts == examples.texts
    for name in ("pictures", "targets", "generated"):
        np.testing.assert_array_equal(getattr(again, name), getattr(examples, name))
    plot = examples_plot(
        {HOSTILE: {"arm": examples, HOSTILE: examples}, "depth": {"arm": examples}}
    )
    assert not [
        element for element in ElementTree.fromstring(plot.svg).iter() if "script" in element.tag
    ]
    assert read_drawn_examples(tmp_path / "b.png") is None
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-60])
    with pytest.raises(CorpusError, match=r"a\.png holds no examples"):
        read_drawn_examples(tmp_path / "a.png")
