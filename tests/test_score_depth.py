"""Drawn depth, relative and in metres, against slow computations and `hilbertmap`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import rng

from sgt_data.errors import CorpusError
from sgt_data.geometry.colour_walk import fraction_of_metres, walk_colours
from sgt_data.pictures.grey_png import encode_coloured, encode_grey
from sgt_data.pictures.rgb_png import encode_rgb
from sgt_data.proxies.inferno import inferno
from sgt_data.scoring.dense_measures import dense_measure
from sgt_data.scoring.depth_errors import DepthErrors
from sgt_data.scoring.depth_fidelity import FARTHEST
from sgt_data.scoring.depth_measure import DepthMeasure
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.metric_depth_measure import MetricDepthMeasure

HEIGHT, WIDTH = 30, 40
SIZE = {"width": WIDTH, "height": HEIGHT}
GREY = (128, 128, 128)


def levels(top: int = 255) -> NDArray[Any]:
    ramp = np.add.outer(np.linspace(0, 0.6, HEIGHT), np.linspace(0, 0.4, WIDTH))
    return np.round(ramp * top).astype(np.uint8 if top == 255 else np.uint16)


def depth_sample(shown: NDArray[Any], low: float, high: float, **facts: Any) -> ScoredSample:
    stated = {
        "type": "depth", "size": SIZE, "scaling": {"low": low, "high": high}, "colormap": "grey",
        "bits": 16 if shown.dtype == np.uint16 else 8, "lowest_level": 0, "unit": "relative",
        **facts,
    }  # fmt: skip
    inked = stated["colormap"] == "inferno"
    target = encode_coloured(shown, inferno()) if inked else encode_grey(shown)
    return ScoredSample("k", target, stated)


def in_grey(shown: NDArray[Any]) -> NDArray[np.uint8]:
    return np.repeat(np.asarray(shown, np.uint8)[..., None], 3, axis=2)


def slow_errors(drawn: NDArray[Any], true: NDArray[Any]) -> DepthErrors:
    """The definitions, pixel by pixel."""
    pairs = list(zip(drawn.ravel().tolist(), true.ravel().tolist(), strict=True))
    count = len(pairs)
    within = [sum(max(d / t, t / d) < 1.25**k for d, t in pairs) / count for k in (1, 2, 3)]
    return DepthErrors(
        sum(abs(d - t) / t for d, t in pairs) / count,
        (within[0], within[1], within[2]),
        (sum((d - t) ** 2 for d, t in pairs) / count) ** 0.5,
        sum(abs(np.log10(d) - np.log10(t)) for d, t in pairs) / count,
        count,
        0,
    )


def assert_same(ours: DepthErrors, theirs: DepthErrors) -> None:
    assert ours.near == pytest.approx(theirs.near)
    for name in ("absolute_relative", "root_mean_square", "logarithmic", "pixels", "left_out"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name


# --- relative


@pytest.mark.parametrize("low", [0.4, 0.0])
def test_relative_depth_is_measured_after_least_squares(low: float) -> None:
    drawing = np.clip(levels() * 0.7 + rng().normal(scale=15, size=(HEIGHT, WIDTH)), 0, 255)
    drawing = in_grey(np.round(drawing))
    sample = depth_sample(levels(), low, 2.0)
    inverse = low + levels() / 255 * (2.0 - low)
    design = np.stack((drawing[..., 0].ravel() / 255, np.ones(HEIGHT * WIDTH)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, inverse.ravel(), rcond=None)
    floor = max(low, 2.0 / FARTHEST)
    fitted = np.clip(scale * drawing[..., 0] / 255 + shift, floor, 2.0)
    row = DepthMeasure().picture(drawing, sample)
    assert_same(row.errors, slow_errors(2.0 / fitted, 2.0 / np.clip(inverse, floor, 2.0)))


@pytest.mark.parametrize("colormap", ["grey", "inferno"])
def test_a_copy_of_relative_depth_is_faultless(colormap: str) -> None:
    for low, high in ((0.0, 1.0), (-0.2, 3.0), (0.02, 40.0)):
        shown = levels()
        sample = depth_sample(shown, low, high, colormap=colormap)
        drawing = inferno()[shown] if colormap == "inferno" else in_grey(shown)
        measure = dense_measure(sample.facts)
        row = measure.picture(drawing, sample)
        overall = measure.overall([row], 0)
        for name in ("AbsRel", "RMSE", "log10"):
            assert overall[name].value == pytest.approx(0, abs=1e-5), name
        for name in ("delta1", "delta2", "delta3"):
            assert overall[name].value == 1
        assert measure.quality(row) == pytest.approx(1, abs=1e-5)
        assert overall["AbsRel of a flat picture"].value > 0.1


def test_scale_shift_and_direction_of_levels_do_not_matter() -> None:
    sample = depth_sample(levels(), 0.5, 2.0)
    for drawing in (levels() // 2 + 60, 255 - levels()):
        errors = DepthMeasure().picture(in_grey(drawing), sample).errors
        assert errors.absolute_relative < 0.01
        assert errors.near[0] == 1


def test_no_drawing_is_worse_than_none_in_the_least_squares() -> None:
    sample, measure = depth_sample(levels(), 0.5, 2.0), DepthMeasure()
    absent = measure.absent(sample)
    assert absent.errors.absolute_relative == pytest.approx(absent.flat)
    assert 0 < measure.quality(absent) < 1
    for constant in (0, 97, 255):
        row = measure.picture(in_grey(np.full((7, 9), constant)), sample)
        assert row.errors == absent.errors


def test_pixels_without_a_measurement_are_left_out() -> None:
    shown = np.maximum(levels(), 1)
    shown[:10] = 0
    sample = depth_sample(shown, 0.5, 2.0, lowest_level=1)
    wrong = in_grey(shown)
    wrong[:10] = 255
    errors = DepthMeasure().picture(wrong, sample).errors
    assert (errors.left_out, errors.pixels) == (10 * WIDTH, 20 * WIDTH)
    assert errors.absolute_relative == pytest.approx(0, abs=1e-6)


def test_depth_of_16_bits_is_compared_with_drawings_of_8() -> None:
    shown = levels(65535)
    sample = depth_sample(shown, 0.5, 2.0)
    errors = DepthMeasure().picture(in_grey(np.round(shown / 257.0)), sample).errors
    assert 0 < errors.absolute_relative < 0.5 / 255 * (2.0 - 0.5) / 0.5


def test_rmse_is_in_multiples_of_the_nearest_depth_and_in_metres_where_there_are_some() -> None:
    drawing = in_grey(np.clip(levels() + rng().normal(scale=9, size=(HEIGHT, WIDTH)), 0, 255))
    measure = DepthMeasure()
    metric = measure.picture(drawing, depth_sample(levels(), 0.05, 0.25, unit="1/m"))
    relative = measure.picture(drawing, depth_sample(levels(), 5.0, 25.0))
    overall = measure.overall([metric], 0)
    assert overall["RMSE"].value == pytest.approx(relative.errors.root_mean_square, rel=1e-4)
    assert overall["RMSE in metres"].value == pytest.approx(4 * overall["RMSE"].value)
    assert "RMSE in metres" not in measure.overall([metric, relative], 0)


def test_a_drawing_of_another_size_is_sampled_under_the_centres() -> None:
    sample = depth_sample(levels(), 0.5, 2.0)
    larger = in_grey(np.kron(levels(), np.ones((3, 3))))
    assert DepthMeasure().picture(larger, sample) == DepthMeasure().picture(
        in_grey(levels()), sample
    )
    at_drawing = DepthMeasure(compare_at="drawing").picture(larger, sample)
    assert at_drawing.errors.pixels == 9 * HEIGHT * WIDTH
    assert at_drawing.errors.absolute_relative == pytest.approx(0, abs=1e-6)


def test_a_target_without_depth_is_refused() -> None:
    with pytest.raises(CorpusError, match="ends at an inverse depth of -1"):
        DepthMeasure().picture(in_grey(levels()), depth_sample(levels(), -2.0, -1.0))
    sample = depth_sample(np.zeros((HEIGHT, WIDTH), np.uint8), 1.0, 2.0, lowest_level=1)
    with pytest.raises(CorpusError, match="no measurement"):
        DepthMeasure().picture(in_grey(levels()), sample)


# --- in metres


def metres() -> NDArray[np.float64]:
    depth: NDArray[np.float64] = np.geomspace(0.5, 70, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    depth[:4] = np.inf
    depth[4:6] = 150
    return depth


def metric_sample(depth: NDArray[np.float64], **facts: Any) -> ScoredSample:
    from sgt_data.geometry.distance_scale import scale_text

    stated = {
        "type": "metric_depth", "size": SIZE, "unit": "m",
        "transform": {"lambda": -3.0, "c": 10 / 3}, "near": 0.5, "far": 150.0,
        "focal_pixels": 0.0, "invalid_color": list(GREY),
        "instruction": {"words": {"scale": scale_text(-3.0, 10 / 3, has_gaps=False)}}, **facts,
    }  # fmt: skip
    return ScoredSample("k", encode_rgb(walked(depth)), stated)


def walked(depth: NDArray[np.float64]) -> NDArray[np.uint8]:
    colours = walk_colours(fraction_of_metres(np.nan_to_num(depth, nan=1.0, posinf=np.inf)))
    colours[np.isnan(depth)] = GREY
    return colours


def test_metres_of_a_drawing_are_those_of_hilbertmap() -> None:
    """Blended, noisy and wrong colours; the target is decoded by it as well."""
    hilbertmap = pytest.importorskip("hilbertmap")
    drawing = walked(metres()[:, ::-1] * 1.1).astype(int) + rng().integers(-40, 41, (30, 40, 3))
    drawing = np.clip(drawing, 0, 255).astype(np.uint8)
    sample = metric_sample(metres())
    theirs, true = (
        np.asarray(hilbertmap.rgb_to_depth(each / 255.0), float)
        for each in (drawing, walked(metres()))
    )
    counts = np.isfinite(true) & (true <= 80)
    drawn = np.clip(np.nan_to_num(theirs[counts], posinf=80.0), 0.001, 80)
    errors = MetricDepthMeasure().picture(drawing, sample).errors
    slow = slow_errors(drawn, true[counts])
    # theirs walks on between the points of 8 bits, ours takes the nearest point
    assert errors.absolute_relative == pytest.approx(slow.absolute_relative, rel=0.01)
    assert errors.root_mean_square == pytest.approx(slow.root_mean_square, rel=0.01)
    assert errors.logarithmic == pytest.approx(slow.logarithmic, rel=0.01)
    assert errors.near == pytest.approx(slow.near, abs=0.01)
    assert errors.pixels == counts.sum()


def test_a_copy_of_metric_depth_is_faultless() -> None:
    sample = metric_sample(metres())
    measure = dense_measure(sample.facts)
    row = measure.picture(walked(metres()), sample)
    overall = measure.overall([row], 0)
    assert [overall[name].value for name in ("AbsRel", "RMSE", "log10")] == [0, 0, 0]
    assert [overall[f"delta{k}"].value for k in (1, 2, 3)] == [1, 1, 1]
    assert overall["far IoU"].value == 1
    assert measure.quality(row) == 1


def test_nothing_is_fitted_to_metric_depth() -> None:
    depth = np.full((HEIGHT, WIDTH), 4.0)
    overall = MetricDepthMeasure().overall(
        [MetricDepthMeasure().picture(walked(1.5 * depth), metric_sample(depth))], 0
    )
    assert overall["AbsRel"].value == pytest.approx(0.5, abs=0.01)
    assert overall["RMSE"].value == pytest.approx(2.0, abs=0.02)
    assert overall["log10"].value == pytest.approx(np.log10(1.5), abs=0.01)
    assert (overall["delta1"].value, overall["delta2"].value) == (0, 1)
    assert "far IoU" not in overall


def test_sky_is_left_out_and_has_a_measure_of_its_own() -> None:
    depth = np.full((HEIGHT, WIDTH), 4.0)
    depth[:10] = np.inf
    drawn = np.full((HEIGHT, WIDTH), 4.0)
    drawn[:5] = 200.0
    measure = MetricDepthMeasure()
    row = measure.picture(walked(drawn), metric_sample(depth))
    assert (row.errors.pixels, row.errors.left_out) == (20 * WIDTH, 10 * WIDTH)
    assert measure.overall([row], 0)["AbsRel"].value == 0
    assert measure.overall([row], 0)["far IoU"].value == 0.5
    nothing_near = metric_sample(np.full((HEIGHT, WIDTH), np.inf))
    sky = measure.picture(walked(np.full((HEIGHT, WIDTH), np.inf)), nothing_near)
    assert measure.quality(sky) == 1
    assert measure.overall([row, sky], 0)["AbsRel"].count == 1
    with pytest.raises(CorpusError, match="none of the 1 depth targets has a pixel that counts"):
        measure.overall([sky], 0)


def test_gaps_of_metric_depth_are_left_out() -> None:
    depth = metres()
    depth[10:12] = np.nan
    drawing = walked(depth)
    drawing[10:12] = 255  # nothing is known of it, so it is no sky either
    row = MetricDepthMeasure().picture(drawing, metric_sample(depth))
    assert row.errors.left_out == 8 * WIDTH
    assert row.errors.absolute_relative == 0
    assert row.far_either == 6 * WIDTH


def test_a_missing_drawing_of_metric_depth_is_as_wrong_as_can_be() -> None:
    sample, measure = metric_sample(metres()), MetricDepthMeasure()
    absent = measure.absent(sample)
    assert measure.quality(absent) < 0.01
    assert absent.errors.near == (0, 0, 0)
    for drawn in (
        np.full((HEIGHT, WIDTH), 3.0),
        np.full((HEIGHT, WIDTH), 1e-9),
        np.full((HEIGHT, WIDTH), 1e9),
    ):
        row = measure.picture(walked(drawn), sample)
        assert row.errors.logarithmic <= absent.errors.logarithmic
        assert row.far_shared / max(row.far_either, 1) >= absent.far_shared / absent.far_either


def test_wrong_distances_are_refused() -> None:
    with pytest.raises(ValueError, match="nearest_metres is 5 and farthest_metres 2"):
        MetricDepthMeasure(nearest_metres=5, farthest_metres=2)
