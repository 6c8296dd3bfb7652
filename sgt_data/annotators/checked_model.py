"""The model of an annotator of own code, whose results are checked before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.annotators.base import Annotator, LoadedModel, Setup, View
from sgt_data.errors import AnnotationError
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.plugins.member import is_own
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.records import DEPTH_LAYERS, LAYERS
from sgt_data.sources.dense_maps import parse_dense
from sgt_data.sources.sa1b_annotation import parse_annotation
from sgt_data.value_text import cut

_METHODS = ("prepare", "run", "finish")


def loaded(annotator: Annotator, path: str, setup: Setup) -> LoadedModel:
    """Load the model of an annotator.

    Raises:
        RequestError: the weights are not of this kind.
        OwnCodeError: own code made a mistake, or returned no model.
    """
    with own_code(annotator, "load"):
        model: Any = annotator.load(path, setup)
    if not is_own(type(annotator)):
        checked: LoadedModel = model
        return checked
    if missing := [name for name in _METHODS if not callable(getattr(model, name, None))]:
        raise mistake(
            annotator, "load", path or "no weights",
            f"it returned {cut(model, 60)}, which has no method {missing[0]}; right is an object "
            "with prepare, run and finish (see sgt_data.annotators.base.LoadedModel)",
        )  # fmt: skip
    return CheckedModel(annotator, model)


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model whose mistakes are named.

    Attributes:
        annotator: whose model it is.
        model: the model.
    """

    annotator: Annotator
    model: LoadedModel

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        """Decode and resize a picture; see `LoadedModel.prepare`."""
        with own_code(self.annotator, "load(...).prepare"):
            view: Any = self.model.prepare(picture, rule, max_pixels)
        pixels = getattr(view, "pixels", None)
        if not (
            isinstance(view, View)
            and isinstance(pixels, np.ndarray)
            and (pixels.dtype, pixels.ndim, pixels.shape[-1]) == (np.dtype(np.uint8), 3, 3)
        ):
            raise self._mistake(
                "prepare",
                f"{cut(view, 60)}; right is a View, whose pixels are [H, W, 3] uint8 RGB",
            )
        checked: View = view
        return checked

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        """Results of a forward pass; see `LoadedModel.run`."""
        with own_code(self.annotator, "load(...).run"):
            results: Any = self.model.run(views)
        count = len(results) if hasattr(results, "__len__") else None
        if count != len(views):
            what = (
                f"{type(results).__name__} of {count}"
                if count is not None
                else f"{cut(results, 40)}"
            )
            raise self._mistake(
                "run", f"{what}; right is one result for each of {len(views)} views"
            )
        checked: Sequence[Any] = results
        return checked

    def finish(self, view: View, result: Any) -> bytes:
        """Bytes of the layer; see `LoadedModel.finish`."""
        with own_code(self.annotator, "load(...).finish"):
            data: Any = self.model.finish(view, result)
        if not isinstance(data, bytes):
            raise self._mistake(
                "finish",
                f"{type(data).__name__}; right are bytes of the layer, such as those of "
                "sgt_data.sources.dense_maps.encode_dense",
            )
        if problem := _layer_problem(self.annotator.layer, data, view):
            raise self._mistake("finish", problem)
        return data

    def _mistake(self, method: str, what: str) -> Exception:
        return mistake(self.annotator, f"load(...).{method}", "a picture", f"it returned {what}")


def _layer_problem(layer: str, data: bytes, view: View) -> str | None:
    """Why proxies could not read a layer that this package knows."""
    if layer not in LAYERS:
        return None
    try:
        if layer not in (*DEPTH_LAYERS, "edges"):
            parse_annotation(data)
            return None
        dense = parse_dense(data)
        height, width = dense.codes.shape
    except AnnotationError as why:
        return f"{cut(data, 16)}, which is no layer of {layer}: {why}"
    if layer == "metric_depth" and not dense.is_metric:
        return (
            "a map without a unit; right are bytes of "
            "sgt_data.sources.dense_maps.encode_inverse_metres"
        )
    if (width, height) != view.output:
        return (
            f"a map of {width}x{height} pixels; right is the output's size, view.output: "
            f"{view.output[0]}x{view.output[1]}"
        )
    return None
