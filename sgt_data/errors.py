"""One family of exceptions: a caller can catch everything that this package raises on purpose."""

from __future__ import annotations


class SgtDataError(Exception):
    """Base class. `exit_code` is the command line's: 1 the work failed, 2 the request was wrong."""

    exit_code = 1


class RequestError(SgtDataError):
    """The request cannot be carried out as it stands; nothing has been started."""

    exit_code = 2


class ManifestError(RequestError):
    """A manifest field is wrong. The message lists field, value found and what is allowed."""


class SourceError(SgtDataError):
    """A source cannot be read just now (missing file, refused link, broken connection)."""


class FileMissing(SourceError):
    """The file is not there."""


class AnnotatorError(SgtDataError):
    """A model cannot do its work on this machine just now."""


class StorageError(SgtDataError):
    """The output cannot be written."""


class BuildError(SgtDataError):
    """A build stopped for a reason of its own; what is committed is kept."""


class CorpusError(SgtDataError):
    """A corpus on disk is damaged, incomplete or not a corpus."""


class StreamError(SgtDataError):
    """A stream cannot go on."""


class CorpusMismatch(RequestError):
    """The request differs from the corpus that already lies at the output."""


class InputError(SgtDataError):
    """One input cannot become a sample. It goes to the quarantine ledger; the rest goes on."""


class PictureError(InputError):
    """A picture cannot be decoded faithfully."""


class AnnotationError(InputError):
    """An annotation contradicts itself, its picture or its format."""


class FilteredOut(InputError):
    """Not an error of the input: the manifest's filters leave it out. Counted apart."""
