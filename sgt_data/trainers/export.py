"""Write a corpus as the folders and lists that the released code of SGT reads unchanged.

OUTPUT/
  export.json                   which corpus this is of
  <proxy>/sam_selection/<key>.jpg, <proxy>/sam_mask/<key>.png                           (bagel)
  <proxy>/train2017/<key>.jpg, <proxy>/annotations/panoptic_train2017/<key>.png         (omnigen2)
  <proxy>.txt                   pictures, a path a line
  <proxy>.jsonl                 the same with their instructions
  bagel.yaml | omnigen2.yml, omnigen2_sgt.yml     lines for the trainer's configuration

Pictures and targets are the corpus' own bytes. A file appears under its name when it is whole, so
an export that was stopped goes on where it stood. A picture that several proxies condition on is
written once; the others are hard links to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

import orjson

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import RequestError, StorageError
from sgt_data.files.urls import absolute, is_local
from sgt_data.files.writing import write_atomic
from sgt_data.subsets.opening import open_corpus
from sgt_data.trainers.layouts import (
    LAYOUTS,
    Form,
    Layout,
    configs,
    row,
)

MARKER = "export.json"

Progress = Callable[[int, int], None]
"""Called with the samples done, and in all."""


@dataclass(slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        output, form: of the export.
        samples: by proxy.
        written, linked, kept: files written, linked to a picture of another proxy, and found there
            already.
        nbytes: of the files written.
        configs: paths of the trainer's configurations.
        notes: what a trainer would not show faithfully.
    """

    output: str
    form: Form
    samples: dict[str, int] = field(default_factory=dict)
    written: int = 0
    linked: int = 0
    kept: int = 0
    nbytes: int = 0
    configs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export_corpus(
    corpus: str,
    output: str,
    form: Form = "bagel",
    proxies: Sequence[str] | None = None,
    on_sample: Progress | None = None,
) -> ExportReport:
    """Export a finished corpus, or go on exporting it.

    Args:
        corpus: fsspec URL.
        output: a local folder.
        form: whose loader is to read it.
        proxies: which; all by default.
        on_sample: told of progress.

    Raises:
        RequestError: the corpus is not complete or has no such proxy; the output is not local,
            holds something else, or has a path that the released loaders would misread.
        CorpusError: a sample is damaged.
        StorageError: the output cannot be written.
    """
    opened = open_corpus(corpus)
    wanted = opened.finished(proxies)
    chosen = tuple(proxy for proxy in opened.proxies if proxy in wanted)
    if form not in LAYOUTS:
        raise RequestError(f"format: found {form!r}; allowed: {', '.join(LAYOUTS)}")
    if not is_local(output):
        raise RequestError(f"output is {output}; the trainers read local folders only")
    root = absolute(output)
    layout = LAYOUTS[form]
    _check_path(layout, root)
    _mark(root, opened, form, chosen)
    report = ExportReport(root, form, notes=_size_notes(opened, form))
    total = sum(sum(opened.samples_per_shard(proxy)) for proxy in chosen)
    done = 0
    for number, proxy in enumerate(chosen):
        report.samples[proxy] = 0
        for _ in _export_proxy(opened, report, proxy, chosen[:number]):
            report.samples[proxy] += 1
            done += 1
            if on_sample is not None:
                on_sample(done, total)
    for name, text in configs(form, root, report.samples).items():
        write_atomic(f"{root}/{name}", text.encode())
        report.configs.append(f"{root}/{name}")
    return report


def _export_proxy(
    corpus: Corpus, report: ExportReport, proxy: str, earlier: Sequence[str]
) -> Iterator[Sample]:
    """Export one proxy's samples; gives each when it is done.

    Args:
        earlier: proxies that are exported already, whose pictures may be the same.
    """
    layout = LAYOUTS[report.form]
    root, folder = report.output, f"{report.output}/{proxy}"
    with _listing(f"{folder}.txt") as paths, _listing(f"{folder}.jsonl") as rows:
        for shard in corpus.shards(proxy):
            for sample in corpus.samples(proxy, [shard]):
                picture, target = layout.names(sample.key, sample.extension)
                if layout.target_of(f"{folder}/{picture}") != f"{folder}/{target}":
                    raise RequestError(
                        f"{folder}/{picture}: the released loaders take every 'jpg' and "
                        f"{layout.pictures!r} in a path for their own, so names of proxies and "
                        "keys must hold neither"
                    )
                twins = [
                    f"{root}/{other}/{layout.names(sample.key, extension)[0]}"
                    for other in earlier
                    for extension in ("png", "jpg")
                ]
                _place(report, f"{folder}/{picture}", sample.input, twins)
                _place(report, f"{folder}/{target}", sample.target, ())
                if _has_16_bits(sample.target):
                    note = (
                        f"{proxy}: targets have 16 bits, which the released loaders clip to white; "
                        "build with bits: 8"
                    )
                    if note not in report.notes:
                        report.notes.append(note)
                paths.write(f"{folder}/{picture}\n".encode())
                rows.write(
                    orjson.dumps(row(report.form, folder, picture, target, sample.instruction))
                )
                rows.write(b"\n")
                yield sample


def _check_path(layout: Layout, root: str) -> None:
    for word in ("jpg", layout.pictures):
        if word in root:
            raise RequestError(
                f"output is {root}: the released loaders replace every {word!r} in a path, so it "
                "must not be in the folder's name"
            )


def _mark(root: str, corpus: Corpus, form: Form, proxies: Sequence[str]) -> None:
    """State what the export is of, and refuse to mix it with anything else: existing files are
    trusted by their size, so they must be of this very corpus."""
    stated = {
        "version": 1,
        "format": form,
        "corpus": corpus.header.name,
        "fingerprints": {proxy: corpus.header.fingerprints[proxy] for proxy in proxies},
    }
    place = f"{root}/{MARKER}"
    try:
        with open(place, "rb") as file:
            found = orjson.loads(file.read())
    except FileNotFoundError:
        if os.path.isdir(root) and os.listdir(root):
            raise RequestError(f"{root} holds something else than an export") from None
        write_atomic(place, orjson.dumps(stated, option=orjson.OPT_INDENT_2) + b"\n")
        return
    except (OSError, ValueError) as why:
        raise RequestError(f"{place} cannot be read: {why}") from why
    for name, value in stated.items():
        there = found.get(name) if isinstance(found, dict) else None
        if there != value:
            raise RequestError(
                f"{place}: {name} is {there!r} there, {value!r} here; export to another folder"
            )


def _size_notes(corpus: Corpus, form: Form) -> list[str]:
    """Whether the trainer would resize targets, and so blend their colours."""
    sizes = corpus.header.manifest.get("pictures", {})
    fits = sizes.get("max_side", 1024) <= 1024 and sizes.get("multiple_of", 16) % 16 == 0
    if form == "bagel":
        fits = fits and sizes.get("min_side", 512) >= 512
    if fits:
        return []
    return [
        "the trainer resizes these pictures, and blends the colours of targets; build with "
        "pictures: {min_side: 512, max_side: 1024, multiple_of: 16}"
    ]


def _has_16_bits(data: bytes) -> bool:
    """Whether a picture is a PNG of 16 bits a channel (its header's depth)."""
    return data.startswith(b"\x89PNG") and data[24:25] == b"\x10"


def _place(report: ExportReport, path: str, data: bytes, twins: Sequence[str]) -> None:
    """Put a file at its place: kept, linked to a twin of the same bytes, or written."""
    if _size(path) == len(data):
        report.kept += 1
        return
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for twin in twins:
            if _size(twin) == len(data) and _holds(twin, data) and _link(twin, path):
                report.linked += 1
                return
        with open(f"{path}.part", "wb") as file:
            file.write(data)
        os.replace(f"{path}.part", path)
    except OSError as why:
        raise StorageError(f"cannot write {path}: {why.strerror or why}") from why
    report.written += 1
    report.nbytes += len(data)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _holds(path: str, data: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read() == data


def _link(twin: str, path: str) -> bool:
    """Hard-link a file; False where the file system has no (more) links."""
    with suppress(FileNotFoundError):
        os.unlink(f"{path}.part")
    try:
        os.link(twin, f"{path}.part")
    except OSError:
        return False
    os.replace(f"{path}.part", path)
    return True


@contextmanager
def _listing(path: str) -> Iterator[IO[bytes]]:
    """A file written bit by bit that appears when it is complete."""
    try:
        with open(f"{path}.part", "wb") as file:
            yield file
        os.replace(f"{path}.part", path)
    except OSError as why:
        raise StorageError(f"cannot write {path}: {why.strerror or why}") from why
