"""Where work runs that nobody has placed: small work in this process, the rest on a Ray.

Ray's first shard begins after about 6 seconds (benchmarks/ray_build.py).
"""

from __future__ import annotations

import sys

from sgt_data.corpus.paths import INPUT
from sgt_data.engine.cluster import IN_PROCESS, THIS_MACHINE, Cluster
from sgt_data.engine.forecast import forecast
from sgt_data.engine.listing import Listing
from sgt_data.proxies.generate import GenerateProxy

SMALL_SECONDS = 60.0
"""Work of one core that is done in this process. `benchmarks/small_builds.py` compares."""

# seconds of one core, rounded up from what `python benchmarks/small_builds.py` prints
_SECONDS_PER_MEGAPIXEL, _SECONDS_PER_SOURCE_MEGABYTE = 0.025, 0.01
# of a model on one core; the threads of this process share one model
ANNOTATED_SECONDS = 5.0


def core_seconds(listing: Listing) -> float:
    """About how long one core works on a whole build."""
    manifest, seconds = listing.manifest, 0.0
    proxies = {proxy.name: proxy for proxy in manifest.proxies}
    sources = {source.name: source for source in manifest.typed_sources()}
    annotated = set()
    for row in forecast(listing):
        width, height = manifest.pictures.output_size(*listing.inventories[row.source].typical_size)
        if row.proxy != INPUT and not isinstance(proxies[row.proxy], GenerateProxy):
            seconds += row.pictures * width * height / 1e6 * _SECONDS_PER_MEGAPIXEL
            annotator = manifest.annotator_of(proxies[row.proxy], sources[row.source])
            if annotator is not None and (annotator.name, row.source) not in annotated:
                annotated.add((annotator.name, row.source))
                seconds += row.pictures * ANNOTATED_SECONDS
    for inventory in listing.inventories.values():
        nbytes = sum(piece.nbytes for piece in inventory.slices)
        seconds += nbytes / 1e6 * _SECONDS_PER_SOURCE_MEGABYTE
    return seconds


def place_of_work(cluster: Cluster, seconds: float) -> Cluster:
    """Where work runs: where it was asked to, or else by its size.

    Args:
        cluster: what was asked for.
        seconds: about how long one core works on it.
    """
    small = cluster == THIS_MACHINE and seconds <= SMALL_SECONDS and not _has_session()
    return IN_PROCESS if small else cluster


def place_note(asked: Cluster, chosen: Cluster) -> str:
    """What to tell a person of the choice; empty where it was not ours."""
    if chosen == asked:
        return ""
    return "note: so little work is done in this process, without Ray (--workers N starts a Ray)"


def _has_session() -> bool:
    """Whether this process is connected to a Ray, which then need not start."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())
