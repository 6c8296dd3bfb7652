"""How a command ends that cannot go on: stopped by a person, a closed pipe, a refusing disk."""

from __future__ import annotations

import errno
import functools
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec

from sgt_data.cli.output import print_messages
from sgt_data.errors import SgtDataError
from sgt_data.foreign_errors import in_words

_P = ParamSpec("_P")

_CONTINUED = "What is finished is kept. The same command does the rest."
_AFTER_A_STOP = {
    "build": "What is committed is kept. The same command continues the build.",
    "annotate": "The tars that are committed are kept. The same command continues.",
    "scale": "The shards that are copied are kept; a subset file is written last, and whole. The "
    "same command continues.",
    "push": "What is pushed is kept. The same command continues the push.",
    "train": "The last checkpoint is kept. The same command continues the run from there.",
    "experiment": "Finished runs and checkpoints are kept. The same command does what is missing.",
    "export": _CONTINUED,
    "questions": _CONTINUED,
    "sample": _CONTINUED,
}
"""What a person should know when a command was stopped; nothing where it writes nothing."""

_STOPS = (signal.SIGTERM, signal.SIGHUP)
_WRONG_REQUEST = frozenset(
    {
        errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EEXIST,
        errno.ENAMETOOLONG, errno.EROFS, errno.ELOOP, errno.ENOTEMPTY, errno.EINVAL,
    }
)  # fmt: skip


class _LastStop:
    """The signal that came last: Ray raises an interrupt of its own, which does not say."""

    number = int(signal.SIGINT)


@contextmanager
def stops_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt the block as Ctrl-C does, so that it takes down what it began.

    Signals that are ignored (`nohup`) stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to its main thread alone
        return
    owner = os.getpid()

    def interrupt(number: int, _: FrameType | None) -> None:
        if os.getpid() != owner:  # a forked worker, which ends as every program does
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        _LastStop.number = number
        raise KeyboardInterrupt  # the one class that Ray knows as an interrupt

    earlier = {number: signal.getsignal(number) for number in _STOPS}
    taken = [number for number in _STOPS if earlier[number] == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, earlier[number])


def ends_in_words(name: str, command: Callable[_P, int]) -> Callable[_P, int]:
    """A command that ends with a message and an exit code where it is stopped, or a disk refuses.

    Exit codes: 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP, 141 a reader that has closed the pipe.
    """

    @functools.wraps(command)
    def run(*arguments: _P.args, **options: _P.kwargs) -> int:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            print_messages([f"sgt-data: stopped. {_AFTER_A_STOP.get(name, '')}".rstrip()])
            return 128 + _LastStop.number
        except BrokenPipeError:
            if not _is_closed(sys.stdout.fileno()) and not _is_closed(sys.stderr.fileno()):
                raise
            _drop_output()
            return 128 + signal.SIGPIPE

    return run


def end_on(error: SgtDataError | OSError) -> int:
    """Show an error that ends a command; returns the exit code."""
    if isinstance(error, SgtDataError):
        print_messages([f"sgt-data: {error}"])
        return error.exit_code
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    print_messages([f"sgt-data: {f'{place}: ' if place else ''}{in_words(error)}"])
    return 2 if error.errno in _WRONG_REQUEST else 1


@contextmanager
def results_are_flushed() -> Iterator[None]:
    """What is left to be written to standard output cannot fail after the block, where Python would
    report it in its own words."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            _drop_output()


def open_closed_streams() -> None:
    """Open what a shell closed (`>&-`): else files that are opened would take its place, and no
    text could be written."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    while nowhere <= 2:  # the lowest descriptor that is free
        nowhere = os.open(os.devnull, os.O_RDWR)
    os.close(nowhere)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _drop_output() -> None:
    """Send what is still to be written to standard output nowhere, so that the end is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _is_closed(descriptor: int) -> bool:
    """Whether the reader of a pipe is gone."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
