"""Reading on threads: results in order, few before their turn, and no work after the end."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from sgt_data.errors import SourceError
from sgt_data.files.read_ahead import in_blocks, read_ahead


def test_results_come_in_order_whichever_is_read_first() -> None:
    def read(number: int) -> int:
        time.sleep(0.02 * (number % 3 == 0))
        return number * number

    assert list(read_ahead(read, range(50), 4)) == [number * number for number in range(50)]
    assert [len(block) for block in in_blocks(read, range(50), 4, 20)] == [20, 20, 10]


@pytest.mark.skipif(not hasattr(threading, "_shutdown_locks_lock"), reason="Python before 3.13")
def test_an_abandoned_reader_may_be_collected_while_a_thread_starts() -> None:
    """A starting thread holds this lock, and memory is allocated, so collected, meanwhile."""
    kept = [read_ahead(abs, range(100), 2)]
    next(kept[0])

    def abandon() -> None:
        with threading._shutdown_locks_lock:  # type: ignore[attr-defined]
            kept.clear()

    abandoning = threading.Thread(target=abandon, daemon=True)
    abandoning.start()
    abandoning.join(20)
    assert not abandoning.is_alive()


def test_little_is_read_before_its_turn_and_nothing_after_the_end() -> None:
    """So of a million files, results of a few are in memory."""
    before = set(threading.enumerate())
    begun: list[int] = []
    with closing(read_ahead(begun.append, range(1_000_000), 2)) as results:
        for taken in range(1, 21):
            next(results)
            assert len(begun) <= taken + 9
    ended = len(begun)
    time.sleep(0.05)
    assert len(begun) == ended
    readers = set(threading.enumerate()) - before
    for reader in readers:
        reader.join(10)
    assert not any(reader.is_alive() for reader in readers)


def test_an_error_comes_at_its_turn() -> None:
    def read(number: int) -> int:
        if number == 3:
            raise SourceError("it is gone")
        return number

    results = read_ahead(read, range(10), 4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(SourceError, match="it is gone"):
        next(results)
