"""What an export did."""

from __future__ import annotations

from dataclasses import dataclass, field

from sgt_data.result import Result


@dataclass(slots=True, repr=False)
class ExportReport(Result):
    """What an export did.

    Attributes:
        output: absolute path or URL of the output folder.
        form: name of the format that was written.
        samples: number of samples by proxy.
        written: number of files that this run wrote; lists and configurations are not counted.
        linked: number of files that this run made as hard links.
        kept: number of files that an earlier run had written.
        nbytes: total size of the written files in bytes.
        configs: paths of the trainers' configuration files.
    """

    output: str
    form: str
    samples: dict[str, int] = field(default_factory=dict)
    written: int = 0
    linked: int = 0
    kept: int = 0
    nbytes: int = 0
    configs: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.notes:
            self.notes.append(text)
