"""Metrics of the workers of a Ray cluster: samples, bytes, losses, and the seconds of each stage.

Ray exports them on every node in Prometheus' form, as `ray_sgt_data_...`, beside its own. A shard
that Ray works on again, as after the loss of a node, is counted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ray.util.metrics import Counter, Histogram

from sgt_data.engine.outcomes import CommittedShard, Outcome, OutputRefused
from sgt_data.result import Failure

_BOUNDARIES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
"""Upper bounds of the histogram, in seconds per shard."""


@dataclass(frozen=True, slots=True)
class _Metrics:
    samples: Counter
    nbytes: Counter
    quarantined: Counter
    shards: Counter
    failures: Counter
    stages: Histogram


@cache
def _metrics() -> _Metrics:
    """Those of this process; Ray takes each name once."""
    folder = ("folder",)
    return _Metrics(
        Counter("sgt_data_samples", "Samples of committed shards", folder),
        Counter("sgt_data_bytes", "Bytes of committed tars", folder),
        Counter("sgt_data_quarantined", "Inputs that became no sample", (*folder, "kind")),
        Counter("sgt_data_shards", "Committed shards", folder),
        Counter("sgt_data_failures", "Shards that failed, or that the output refused"),
        Histogram("sgt_data_stage_seconds", "Seconds of a shard", _BOUNDARIES, ("stage",)),
    )


def count_outcome(outcome: Outcome) -> None:
    """Count what came of a shard, in this worker."""
    metrics = _metrics()
    if isinstance(outcome, Failure | OutputRefused):
        metrics.failures.inc()
    if not isinstance(outcome, CommittedShard):
        return
    for receipt in outcome.receipts:
        folder = {"folder": str(receipt.get("proxy", "masks"))}
        metrics.shards.inc(1, folder)
        if receipt["samples"]:
            metrics.samples.inc(receipt["samples"], folder)
        if receipt["tar"]:
            metrics.nbytes.inc(receipt["tar"]["bytes"], folder)
        for kind in ("damaged", "filtered"):
            if count := receipt.get(kind):
                metrics.quarantined.inc(count, {**folder, "kind": kind})
    for stage, seconds in outcome.times.stages.items():
        metrics.stages.observe(seconds, {"stage": stage})
