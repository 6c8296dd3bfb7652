r"""Copy a subset of a corpus on a Ray cluster.

    ray job submit --working-dir . -- \
        python pipelines/scale_corpus.py CORPUS --fraction 0.25 --output URL

Takes the arguments of `sgt-data scale`; the cluster is the one that the job runs on.
"""

from __future__ import annotations

import os
import sys

from sgt_data.cli.app import main

if __name__ == "__main__":
    address = os.environ.get("RAY_ADDRESS", "auto")
    main(["scale", *sys.argv[1:], "--address", address])
