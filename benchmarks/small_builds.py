"""How long small builds take in this process and on a Ray that starts: where is the break-even?

    python benchmarks/small_builds.py [--images 32 128 512]

Draws scenes, builds the shipped manifest `demo` from them both ways, and prints for each size the
estimate of `engine.place_of_work`, the CPU seconds that one process took, and both wall times.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time

from sgt_data import Cluster, build_corpus, list_inputs, load_manifest, write_samples
from sgt_data.engine.place_of_work import core_seconds


def main() -> None:
    """Print a line of JSON for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[32, 128, 512])
    for images in parser.parse_args().images:
        with tempfile.TemporaryDirectory() as folder:
            write_samples(f"{folder}/sources", images)
            places = {
                "sources.sa1b.tars": "sa1b/sa_*.tar", "sources.sa1b.depth": "depth",
                "sources.coco.root": "coco", "sources.coco.depth": "depth",
                "sources.sa1b.normals": "normals", "sources.coco.normals": "normals",
                "sources.sa1b.intrinsics": "intrinsics.json",
                "sources.coco.intrinsics": "intrinsics.json",
            }  # fmt: skip
            changes = [f"{field}={folder}/sources/{place}" for field, place in places.items()]
            manifest = load_manifest("demo", changes)
            estimate = core_seconds(list_inputs(manifest))
            cpu, here = time.process_time(), time.monotonic()
            build_corpus(manifest, f"{folder}/here", cluster=Cluster(workers=0))
            cpu, here = time.process_time() - cpu, time.monotonic() - here
            ray = time.monotonic()
            build_corpus(manifest, f"{folder}/ray", cluster=Cluster(workers=os.cpu_count()))
            ray = time.monotonic() - ray
        row = {"images": images, "estimate": estimate, "cpu": cpu, "in_process": here, "ray": ray}
        print(json.dumps({name: round(number, 1) for name, number in row.items()}))


if __name__ == "__main__":
    main()
