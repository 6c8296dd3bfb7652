"""A building process uses the memory of the last picture again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sgt_data.engine.kept_memory import keep_freed_memory

_PROGRAM = """
import resource, sys
import numpy as np
from sgt_data.engine.kept_memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for turn in range(60):
    if turn == 20:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pictures = [np.ones(48 << 20, np.uint8) for _ in range(2)]
    del pictures
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
_FAULTS_OF_ONE = (48 << 20) // 4096


def page_faults(way: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, way], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="a C library without mallopt")
def test_memory_that_was_freed_is_used_again_without_new_pages() -> None:
    assert page_faults("kept") < _FAULTS_OF_ONE
