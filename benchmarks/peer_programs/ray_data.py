"""Ray Data: `read_webdataset`, `map` of pycocotools and Pillow, `write_webdataset`.

A rerun begins anew (`SaveMode.OVERWRITE`): with the default, `APPEND`, it writes every sample once
more. Ray's `CheckpointConfig`, which is to leave out what is written, is not used.
"""

from __future__ import annotations

from typing import Any

import ray
from job import CORES, Job
from ray.data import DataContext, SaveMode


def main() -> None:
    job = Job.of_arguments()
    ray.init(num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    DataContext.get_current().enable_progress_bars = False

    def draw(row: dict[str, Any]) -> dict[str, Any]:
        drawn = job.sample(row["__key__"].removeprefix("./"), row["jpg"], row["json"])
        return {**drawn, "__key__": row["__key__"]}

    pairs = ray.data.read_webdataset(
        list(job.tars), decoder=None, suffixes=["jpg", "json"], override_num_blocks=len(job.tars)
    )
    pairs.map(draw).write_webdataset(str(job.output), encoder=None, mode=SaveMode.OVERWRITE)


if __name__ == "__main__":
    main()
