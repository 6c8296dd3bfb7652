"""Daft: a table of tars, and a class of two processes that writes the shard of a row.

Daft 0.7.26 reads WebDataset tars (`read_webdataset`), but a table of two tars or more never came
to an end on two cores, with or without a function of ours; and it has no writer of tars.
"""

from __future__ import annotations

import daft
from job import CORES, Job, write_shard


def main() -> None:
    job = Job.of_arguments()

    @daft.cls(max_concurrency=CORES, use_process=True)
    class Draw:
        @daft.method(return_dtype=daft.DataType.string())  # type: ignore[untyped-decorator]
        def shard(self, tar: str) -> str:
            return str(write_shard(job, tar))

    tars = daft.from_pydict({"tar": list(job.tars)}).into_batches(1)
    tars.select(Draw().shard(tars["tar"]).alias("shard")).collect()


if __name__ == "__main__":
    main()
