"""The plain script: a pool of processes, a tar each, shards by `webdataset.TarWriter`.

Shards get their names when they are whole, those that are there are kept, and time stamps are fixed
(`job.write_shard`): what its author does who has lost a run before.
"""

from __future__ import annotations

from functools import partial
from multiprocessing import get_context

from job import CORES, Job, write_shard


def main() -> None:
    job = Job.of_arguments()
    with get_context("forkserver").Pool(CORES) as pool:
        for _ in pool.imap_unordered(partial(write_shard, job), job.tars):
            pass


if __name__ == "__main__":
    main()
