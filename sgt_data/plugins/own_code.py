"""Mistakes of own code while it runs: named by file and line, never a quarantine of every picture.

An input that cannot become a sample is told by an `InputError` (`AnnotationError`, `FilteredOut`),
which quarantines that input alone. Any other error of own code is a mistake of the code: the work
ends with it, and says where it is. Errors of this package's own classes stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sgt_data.errors import OwnCodeError, SgtDataError, SourceError
from sgt_data.plugins.member import Member, is_own
from sgt_data.plugins.traces import file_of_class, where_raised

_ADVICE = {
    "proxy": "What is wrong with one picture is raised as sgt_data.errors.AnnotationError, which "
    "costs that picture alone; any other error is a mistake of the code",
    "source": "What is wrong with one input is its `problem`, or an AnnotationError; what cannot "
    "be read just now is a SourceError; any other error is a mistake of the code",
    "annotator": "What is wrong with one picture is raised as sgt_data.errors.AnnotationError, "
    "which costs that picture alone; any other error is a mistake of the code",
}

_DECODING = (
    "A target that does not fit its facts is a sgt_data.errors.CorpusError; any other error is a "
    "mistake of the code"
)


@contextmanager
def own_code(member: Member, method: str, about: str = "") -> Iterator[None]:
    """A call of a method that may be own code.

    Args:
        member: whose method is called.
        method: its name.
        about: what it is called for, such as the key of a picture.

    Raises:
        OwnCodeError: the method raised something that is no error of this package.
        SourceError: a source could not read a file.
    """
    kind = type(member)
    if not is_own(kind):
        yield
        return
    try:
        yield
    except SgtDataError:
        raise
    except Exception as why:
        place = f"{kind.__name__}.{method} of {member.role} {member.name}"
        words = where_raised(why, file_of_class(kind))
        where = f" ({about})" if about else ""
        if isinstance(why, OSError) and member.role == "source":
            raise SourceError(f"{place}{where}: {words}") from why
        advice = _DECODING if method == "decode" else _ADVICE[member.role]
        raise OwnCodeError(f"{place}{where}: {words}. {advice}") from why


def mistake(member: Member, method: str, about: str, problem: str) -> OwnCodeError:
    """The error to raise where a method of own code returned something wrong.

    Args:
        member: whose method was called.
        method: its name.
        about: what it was called for.
        problem: what it returned, and what would be right.
    """
    kind = type(member)
    function = getattr(kind, method, None)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    line = f"{code.co_filename}, line {code.co_firstlineno}: " if code else ""
    flat = " ".join(problem.split())
    return OwnCodeError(
        f"{line}{kind.__name__}.{method} of {member.role} {member.name} ({about}): {flat}"
    )
