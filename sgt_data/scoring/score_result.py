"""What a score is: the scores of some proxies of a corpus, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_file_place, check_output
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import write_atomic
from sgt_data.notebook_html import heading, table
from sgt_data.scoring.intervals import Estimate
from sgt_data.scoring.proxy_score import ProxyScore, figure_text, interval_text
from sgt_data.scoring.score_document import document_bytes
from sgt_data.scoring.score_page import page_bytes, template
from sgt_data.scoring.score_samples import Missing
from sgt_data.value_text import counted, cut

REPORT_SUFFIXES = (".json", ".html")


@dataclass(frozen=True, slots=True, repr=False)
class Score:
    """What a model's drawings for a corpus are worth.

    Attributes:
        corpus: URL of the corpus, or of the corpus of a subset.
        name: of the corpus.
        missing: what a sample without a readable drawing counts as: `zero`, the worst drawing, or
            `skip`, nothing.
        seed: of the intervals.
        proxies: by name, what was scored.
        notes: remarks for the person who asked: extra files, damaged tars, proxies left out.
    """

    corpus: str
    name: str
    missing: Missing
    seed: int
    proxies: Mapping[str, ProxyScore]
    notes: tuple[str, ...] = field(default=())

    def __getitem__(self, proxy: str) -> ProxyScore:
        """The score of a proxy."""
        return self.proxies[proxy]

    def __iter__(self) -> Iterator[str]:
        return iter(self.proxies)

    @property
    def measures(self) -> dict[str, dict[str, Estimate]]:
        """By proxy and name, every measure."""
        return {name: dict(scored.measures) for name, scored in self.proxies.items()}

    @property
    def scored(self) -> int:
        """Drawings that were measured, over all proxies."""
        return sum(scored.scored for scored in self.proxies.values())

    @property
    def stated(self) -> dict[str, Any]:
        """What holds for all proxies, by name."""
        return {
            "corpus": self.corpus, "name": self.name, "missing": self.missing,
            "seed": self.seed, "notes": list(self.notes),
        }  # fmt: skip

    def __repr__(self) -> str:
        stated = [
            f"{proxy} {name} {figure_text(estimate.value)}"
            for proxy, scored in self.proxies.items()
            for name, estimate in scored.measures.items()
        ]
        return f"<Score {counted(self.scored, 'drawing')}; {', '.join(stated)}>"

    def _repr_html_(self) -> str:
        """The measures, as a notebook shows them."""
        rows = [
            (proxy, name, figure_text(estimate.value), interval_text(estimate), estimate.count)
            for proxy, scored in self.proxies.items()
            for name, estimate in scored.measures.items()
        ]
        columns = ("proxy", "measure", "value", "95 % interval", "pictures")
        counts = [(name, *scored.counts.values()) for name, scored in self.proxies.items()]
        return (
            heading(self.name, counted(self.scored, "drawing"))
            + table(columns, rows)
            + table(("proxy", "samples", "scored", "missing", "unreadable", "extra"), counts)
            + "".join(heading("note", note) for note in self.notes)
        )

    def write(self, path: Location) -> None:
        """Write the score: `.json` everything, `.html` a page with the best, median and worst.

        Raises:
            RequestError: the path ends in neither, or cannot be there.
            LibraryMissing: the page needs jinja2.
            StorageError: the file cannot be written.
        """
        place = check_report(path, [self.corpus])
        write = document_bytes if place.endswith(".json") else page_bytes
        write_atomic(place, write(self.stated, self.proxies))


def check_report(path: Location, sources: list[str]) -> str:
    """Check the place of a report before the work begins; its absolute URL.

    Raises:
        RequestError: it ends in neither `.json` nor `.html`, or cannot be written there.
        LibraryMissing: the page needs jinja2.
    """
    if not plain(path).endswith(REPORT_SUFFIXES):
        raise RequestError(f"output: found {cut(plain(path))}; it must end in .json or .html")
    place = check_output(path, sources)
    check_file_place(place)
    if place.endswith(".html"):
        template()
    return place
