"""Depth files of a source: what their codes mean is stated, drawn truthfully, and decodes back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import SMALL, built, encoded, jpeg, ledger_in, manifest_of, samples_in
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, verify_corpus
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.listing import list_inputs
from sgt_data.errors import CorpusError, ManifestError
from sgt_data.proxies.depth import DepthProxy
from sgt_data.questions.picture_facts import PictureFacts, VisibleSegment, nearness
from sgt_data.questions.question_tasks import LeftOut
from sgt_data.questions.questioner import Questioner
from sgt_data.referring.segment_facts import NamedCategory
from sgt_data.scoring.depth_fidelity import depth_error

SIZE = 64, 48
LOOKS: list[dict[str, Any]] = [{"bits": 8}, {"bits": 16}, {"colormap": "inferno"}]


def metres(seed: int, gaps: float) -> NDArray[np.float64]:
    """Depth of a floor that rises from 1.2 m to 6 m, with a box at 0.8 m; 0 where unmeasured."""
    width, height = SIZE
    rng = np.random.default_rng(seed)
    depth = np.tile(np.linspace(6.0, 1.2, height)[:, None], (1, width))
    depth[20:30, 10:30] = 0.8
    depth += rng.uniform(0, 0.05, depth.shape)
    depth[rng.random(depth.shape) < gaps] = 0
    return depth


def write_depth(
    root: Path, depths: dict[str, NDArray[np.float64]], unit: float, **fields: Any
) -> dict[str, Any]:
    """A folder source whose depth files hold codes of `unit` metres."""
    (root / "pictures").mkdir(parents=True)
    (root / "depth").mkdir()
    for number, (name, depth) in enumerate(depths.items()):
        (root / "pictures" / f"{name}.jpg").write_bytes(jpeg(*SIZE, seed=number))
        codes = np.rint(depth / unit).astype(np.uint16)
        (root / "depth" / f"{name}.png").write_bytes(encoded(Image.fromarray(codes), "PNG"))
    return {
        "type": "folder", "pictures": f"{root}/pictures", "depth": f"{root}/depth", **fields,
    }  # fmt: skip


def shown(stored: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The pixels under the centres of the output's pixels."""
    rows = np.floor((np.arange(height) + 0.5) * stored.shape[0] / height).astype(int)
    columns = np.floor((np.arange(width) + 0.5) * stored.shape[1] / width).astype(int)
    return np.asarray(stored[rows][:, columns])


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("unit", [0.001, 1 / 5000, 1 / 256])
def test_metric_depth_is_drawn_near_bright_and_decodes_back_to_metres(
    tmp_path: Path, look: dict[str, Any], unit: float
) -> None:
    depths = {"whole": metres(1, 0.0), "gaps": metres(2, 0.2)}
    source = write_depth(tmp_path, depths, unit, depth_is="metric", depth_unit=unit)
    proxy = {"type": "depth", "percentiles": [1, 99]} | look
    assert built(tmp_path / "out", source, [proxy]).succeeded
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    samples = samples_in(tmp_path / "out", "depth")
    assert len(samples) == 2
    for name, depth in depths.items():
        members = samples[f"folder_{name}"]
        facts = json.loads(members["json"])
        decoded = decode(members["target.png"], facts)
        height, width = decoded.inverse_depth.shape
        codes = shown(np.rint(depth / unit), height, width)
        measured = codes > 0
        inverse = 1 / (codes[measured] * unit)
        low, high = np.percentile(inverse, (1, 99), method="inverted_cdf")
        assert (decoded.low, decoded.high) == pytest.approx((low, high))
        assert (np.isnan(decoded.inverse_depth) == ~measured).all()
        error = np.abs(decoded.inverse_depth[measured] - np.clip(inverse, low, high))
        assert error.max() <= decoded.step / 2 + 1e-6
        assert (decoded.metres()[measured] == 1 / decoded.inverse_depth[measured]).all()
        assert facts["holds"] == "metric depth" and facts["unit"] == "1/m"
        assert facts["metres_per_code"] == unit
        assert facts["invalid"] == np.count_nonzero(~measured)
        brightness = np.asarray(
            Image.open(io.BytesIO(members["target.png"])).convert("RGB")
        ).astype(int).sum(2)  # fmt: skip
        if look != {"bits": 16}:
            assert (brightness[~measured] < brightness[measured].min()).all(), "gaps are darkest"
            middle = slice(int(width * 0.2), int(width * 0.4))
            assert brightness[height // 2, middle].min() > np.median(brightness[measured])


def test_inverse_depth_stays_as_it_was_drawn_and_may_have_gaps(tmp_path: Path) -> None:
    """Without depth_invalid, code 0 means infinitely far; with it, no measurement."""
    codes = np.tile(np.linspace(0, 60000, SIZE[0]), (SIZE[1], 1))
    source = write_depth(tmp_path, {"a": codes}, 1.0)
    proxies = [{"type": "depth", "percentiles": [0, 100]}]
    built(tmp_path / "far", source, proxies)
    built(tmp_path / "gap", source | {"depth_invalid": [0]}, proxies)
    far, gap = (samples_in(tmp_path / name, "depth")["folder_a"] for name in ("far", "gap"))
    facts = json.loads(far["json"])
    assert (facts["lowest_level"], facts["invalid"], facts["unit"]) == (0, 0, "relative")
    assert (facts["holds"], facts["metres_per_code"]) == ("inverse depth", 0.0)
    drawn = decode(far["target.png"], facts)
    assert drawn.inverse_depth[0, 0] == 0 and not np.isnan(drawn.inverse_depth).any()
    drawn = decode(gap["target.png"], json.loads(gap["json"]))
    height, width = drawn.inverse_depth.shape
    assert (np.isnan(drawn.inverse_depth) == (shown(np.rint(codes), height, width) == 0)).all()


def test_a_picture_with_too_many_gaps_is_left_out_and_says_so(tmp_path: Path) -> None:
    depths = {"good": metres(1, 0.3), "sparse": metres(2, 0.95), "empty": metres(3, 1.0)}
    source = write_depth(tmp_path, depths, 0.001, depth_is="metric", depth_unit=0.001)
    built(tmp_path / "out", source, [{"type": "depth"}])
    rows = {row["member"]: row for row in ledger_in(tmp_path / "out", "depth")}
    assert sorted(samples_in(tmp_path / "out", "depth")) == ["folder_good"]
    assert {row["kind"] for row in rows.values()} == {"filtered"}
    assert "95% of the file's pixels have no measurement" in rows["sparse.jpg"]["reason"]
    assert "depth_max_invalid is 0.5" in rows["sparse.jpg"]["reason"]
    built(tmp_path / "all", source | {"depth_max_invalid": 1}, [{"type": "depth"}])
    assert len(samples_in(tmp_path / "all", "depth")) == 2
    (row,) = ledger_in(tmp_path / "all", "depth")
    assert row["kind"] == "damaged" and "no pixel has a measurement" in row["reason"]


def test_deep_verification_finds_facts_that_do_not_fit_the_gaps(tmp_path: Path) -> None:
    source = write_depth(
        tmp_path, {"a": metres(1, 0.2)}, 0.001, depth_is="metric", depth_unit=0.001
    )
    built(tmp_path / "out", source, [{"type": "depth"}])
    members = samples_in(tmp_path / "out", "depth")["folder_a"]
    facts = json.loads(members["json"])
    target = members["target.png"]
    assert DepthProxy.contradictions(target, facts) == []
    (problem,) = DepthProxy.contradictions(target, facts | {"invalid": 3})
    assert "its facts say 3" in problem
    for unit in (0.0013, 0, "metre", None):
        (problem,) = DepthProxy.contradictions(target, facts | {"metres_per_code": unit})
        assert f"{unit!r}" in problem
    del facts["invalid"]
    (problem,) = DepthProxy.contradictions(target, facts)
    assert "its facts say 0" in problem
    broken: dict[str, Any]
    for broken in ({"lowest_level": 2}, {"lowest_level": []}, {"unit": "m"}, {"unit": {}}):
        with pytest.raises(CorpusError, match="do not describe a depth target"):
            DepthProxy.decode(target, facts | broken)


def test_what_depth_files_hold_belongs_to_the_identity_of_depth_alone(tmp_path: Path) -> None:
    source = write_depth(tmp_path, {"a": metres(1, 0.0)}, 0.001)
    proxies = [{"type": "depth"}, {"type": "reconstruction"}]

    def fingerprints(**fields: Any) -> dict[str, str]:
        manifest = manifest_of(source | fields, proxies)
        return dict(plan_build(list_inputs(manifest), InProcessEngine().set_up).recipe.fingerprints)

    plain, metric = fingerprints(), fingerprints(depth_is="metric", depth_unit=0.001)
    assert plain == fingerprints(depth_is="inverse", depth_max_invalid=0.5)
    assert plain["depth"] != metric["depth"]
    assert plain["reconstruction"] == metric["reconstruction"]
    assert metric != fingerprints(depth_is="metric", depth_unit=0.002)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth_is": "metric"}, "depth_unit: metres per code"),
        ({"depth_unit": 0.001}, "depth_is: metric"),
        ({"depth_is": "disparity"}, "allowed: inverse, metric"),
        ({"depth_is": "metric", "depth_unit": 0}, "must be more than 0"),
        ({"depth_invalid": [70000]}, "65535"),
    ],
)
def test_what_the_manifest_says_of_depth_files_must_fit(
    fields: dict[str, Any], message: str
) -> None:
    source = {"type": "folder", "pictures": "/p", "depth": "/d", **fields}
    with pytest.raises(ManifestError, match=message):
        manifest_of(source, [{"type": "depth"}])


def test_fields_of_depth_files_without_depth_files_are_refused() -> None:
    source = {"type": "folder", "pictures": "/p", "depth_is": "metric", "depth_unit": 0.001}
    with pytest.raises(ManifestError, match="depth: a folder"):
        manifest_of(source, [{"type": "reconstruction"}])


def test_a_folder_of_other_files_names_what_is_read(tmp_path: Path) -> None:
    source = write_depth(tmp_path, {"a": metres(1, 0.0)}, 0.001)
    (tmp_path / "depth" / "a.png").unlink()
    np.save(tmp_path / "depth" / "a.npy", metres(1, 0.0))
    with pytest.raises(Exception, match=r"16-bit grey PNG.*a\.npy"):
        built(tmp_path / "out", source, [{"type": "depth"}])


def test_the_measure_of_depth_leaves_gaps_out(tmp_path: Path) -> None:
    source = write_depth(
        tmp_path, {"a": metres(1, 0.2)}, 0.001, depth_is="metric", depth_unit=0.001
    )
    built(tmp_path / "out", source, [{"type": "depth"}], pictures=SMALL)
    members = samples_in(tmp_path / "out", "depth")["folder_a"]
    decoded = decode(members["target.png"], members["json"])
    size = decoded.inverse_depth.shape
    levels = (decoded.inverse_depth - decoded.low) / (decoded.high - decoded.low)
    spoiled = np.where(np.isnan(levels), 1, levels) * 2 - 1  # gaps generated as nearest
    generated = np.broadcast_to(spoiled, (3, *size)).astype(np.float32)
    error, flat = depth_error(generated, decoded)
    assert error < 1e-3 < flat


def test_nothing_is_asked_of_depth_that_was_not_measured() -> None:
    depth = np.full((4, 4), 2.0, np.float32)
    depth[:, :3] = np.nan
    thing = NamedCategory("dog", True), False, 1.0, (0.0, 0.0, 1.0, 1.0), (0, 0, 4, 4)
    few, labels = VisibleSegment(1, *thing), np.ones((4, 4), np.uint16)
    assert np.isnan(nearness(few, labels, depth, 1.0, 3.0))
    depth[:, 1:3] = 3.0
    assert nearness(few, labels, depth, 1.0, 3.0) == 1.0
    cat = VisibleSegment(2, NamedCategory("cat", True), *thing[1:])
    picture = PictureFacts(
        "k", "coco", (4, 4), {few.category: (few,), cat.category: (cat,)}, frozenset(), False, 0.0
    )
    unmeasured = float("nan")
    (left_out,) = Questioner({}, seed=0).nearers(
        picture, lambda thing: [0.9, unmeasured][thing.label - 1]
    )
    assert left_out == LeftOut("nearer", "depth not measured")
