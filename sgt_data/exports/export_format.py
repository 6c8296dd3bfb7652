"""What a format of exports is: a class that writes the samples of a corpus as a trainer reads them.

A format is registered in `formats`. `export` opens the corpus, claims the output folder and counts;
the format writes pictures with `Export.files.put`, lists with `Export.files.open`, and
configurations with `Export.files.write`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.export_report import ExportReport
from sgt_data.exports.exported_files import ExportedFiles
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.urls import is_local


@dataclass(frozen=True, slots=True)
class Export:
    """An export under way.

    Attributes:
        corpus: the opened corpus or subset.
        proxies: names of the proxies to export; a reversed proxy comes after its base.
        options: what the person stated.
        files: writes the files.
        report: what was done; notes of the format go there.
    """

    corpus: Corpus
    proxies: tuple[str, ...]
    options: ExportOptions
    files: ExportedFiles
    report: ExportReport

    @property
    def root(self) -> str:
        """Absolute path or URL of the output folder."""
        return self.files.root

    def samples(self, proxy: str) -> Generator[Sample, None, None]:
        """All samples of a proxy in order; read a little ahead where the corpus is far away, until
        the generator is closed.

        Raises:
            CorpusError: a sample is not what the index says.
            SourceError: a sample cannot be read just now.
        """
        reader = self.corpus.reader

        def read(place: tuple[str, int]) -> Sample:
            return reader.read(proxy, *place)

        if is_local(self.corpus.url):
            yield from map(read, self._places(proxy))
        else:
            yield from read_ahead(read, self._places(proxy), threads_for(self.corpus.url))

    def _places(self, proxy: str) -> Iterator[tuple[str, int]]:
        """Shard and row of every sample of a proxy, in order."""
        for shard in self.corpus.shards(proxy):
            for row in range(self.corpus.reader.count(proxy, shard)):
                yield shard, row


class ExportFormat(ABC):
    """A format of exports.

    Attributes:
        name: as `--format` takes it.
        trainers: who reads it, in a line.
        takes: names of the options (`ExportOptions`) that it takes.
        local_only: whether its trainers read local folders only.
    """

    name: ClassVar[str]
    trainers: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()
    local_only: ClassVar[bool] = False

    def identity(self, options: ExportOptions) -> dict[str, Any]:
        """What makes the files what they are, beside corpus and format; an export that an earlier
        run began goes on only where it is the same."""
        return {}

    def check(self, export: Export) -> None:  # noqa: B027 - most formats hold everything
        """Check the request before anything is written, and note what a person should know.

        Raises:
            RequestError: the format cannot hold what is asked for.
        """

    @abstractmethod
    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        """Export the samples of one proxy; yields how many more are done, at least for each file.

        Raises:
            CorpusError: a sample is damaged.
            StorageError: the output cannot be written.
        """

    def finish(self, export: Export) -> dict[str, str]:
        """Configurations to write at the end: their text, by path below the output folder."""
        return {}
