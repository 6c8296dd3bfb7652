"""Exceptions: one family, so that a caller can catch all that this package raises on purpose."""

from __future__ import annotations

from sgt_data.redaction import shown_text


class SgtDataError(Exception):
    """Base class of all exceptions of this package. Messages lose the secrets of URLs and
    of storage options in them.

    Attributes:
        exit_code: exit code of the command line: 1 the work failed, 2 the request was wrong.
    """

    exit_code = 1

    def __init__(self, *args: object) -> None:
        super().__init__(*(shown_text(arg) if isinstance(arg, str) else arg for arg in args))


class RequestError(SgtDataError):
    """The request cannot be carried out as it stands; nothing has been started."""

    exit_code = 2


class ManifestError(RequestError):
    """A manifest field is wrong. The message lists field, value found and what is allowed."""


class PluginError(RequestError):
    """Own code of a user cannot be used. The message names file, class and method."""


class OwnCodeError(SgtDataError):
    """Own code of a user made a mistake while it ran; what is committed is kept."""


class SourceError(SgtDataError):
    """A source cannot be read at present (missing file, refused link, broken connection)."""


class Unreachable(SourceError):
    """A file cannot be reached: every attempt failed, and a later one may succeed."""


class FileMissing(SourceError):
    """A file does not exist."""


class AnnotatorError(SgtDataError):
    """The model of an annotator cannot run on this machine at present."""


class StorageError(SgtDataError):
    """An output file cannot be written."""


class BuildError(SgtDataError):
    """A build cannot go on; what is committed is kept."""


class CorpusError(SgtDataError):
    """A corpus on disk is damaged, incomplete or no corpus."""


class LeavesRoot(CorpusError):
    """A name or a link in a corpus leads out of the folder that it belongs to."""


class StreamError(SgtDataError):
    """A stream cannot go on."""


class CorpusMismatch(RequestError):
    """The request differs from what the output folder already holds."""


class InputError(SgtDataError):
    """An input cannot become a sample: it goes to the quarantine ledger, the rest goes on."""


class PictureError(InputError):
    """A picture cannot be decoded faithfully."""


class AnnotationError(InputError):
    """An annotation contradicts itself, its picture or its format."""


class FilteredOut(InputError):
    """The manifest's filters leave an input out, which is no error; it is counted separately."""
