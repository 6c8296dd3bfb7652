"""Exports a corpus as the folders and lists that SGT's released training code reads unchanged.

OUTPUT/
  export.json                   which corpus was exported, and how
  <proxy>/sam_selection/<key>.jpg, <proxy>/sam_mask/<key>.png                           (bagel)
  <proxy>/train2017/<key>.jpg, <proxy>/annotations/panoptic_train2017/<key>.png         (omnigen2)
  <proxy>.txt                   paths of the input pictures, one per line
  <proxy>.jsonl                 paths and instructions, one sample per line
  bagel.yaml | omnigen2.yml, omnigen2_sgt.yml     lines for the trainer's configuration

Pictures and targets are the corpus' own bytes. A file gets its name when it is whole, so an export
that was stopped can be continued. An input picture that several proxies share is written for the
first of them; the others get hard links to it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field

import orjson

from sgt_data.corpus.identity import in_words
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import RequestError, StorageError
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import EXPORT_MARKER, check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, is_local, plain
from sgt_data.files.writing import open_atomic, write_atomic
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.result import Result
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.suggestions import not_among
from sgt_data.trainers.export_layouts import (
    LAYOUTS,
    Form,
    Layout,
    configs,
    row,
)

"""File in the output folder that states which corpus was exported."""


@dataclass(slots=True, repr=False)
class ExportReport(Result):
    """What an export did.

    Attributes:
        output: absolute path of the output folder.
        form: the trainer whose layout was written.
        samples: number of samples by proxy.
        written: number of picture files that this run wrote.
        linked: number of picture files that this run made as hard links.
        kept: number of picture files that an earlier run had written.
        nbytes: total size of the written picture files in bytes.
        configs: paths of the trainer's configuration files.
    """

    output: str
    form: Form
    samples: dict[str, int] = field(default_factory=dict)
    written: int = 0
    linked: int = 0
    kept: int = 0
    nbytes: int = 0
    configs: list[str] = field(default_factory=list)


def export_corpus(
    corpus: Location,
    output: Location,
    form: Form = "bagel",
    proxies: Sequence[str] | str | None = None,
    *,
    progress: ProgressTo = False,
) -> ExportReport:
    """Export a finished corpus, or continue an export that was stopped.

    Args:
        corpus: fsspec URL of the corpus or of a subset file.
        output: a local folder.
        form: the trainer that will read the export.
        proxies: names of the proxies to export, or the name of one; None for all.
        progress: True shows a bar; a function is called after every sample, of which it counts.

    Raises:
        RequestError: the corpus is not complete or has no such proxy; the output is not local,
            holds other files, or has a path that the released loaders would misread.
        CorpusError: a sample is damaged.
        StorageError: the output cannot be written.
    """
    with shown(progress, "samples") as on_progress:
        return _export(plain(corpus), plain(output), form, proxies, on_progress)


def _export(
    corpus: str,
    output: str,
    form: Form,
    proxies: Sequence[str] | str | None,
    on_progress: OnProgress,
) -> ExportReport:
    on_progress(Progress(0, phase="opening the corpus"))
    opened = open_corpus(corpus)
    finished = opened.finished(proxies)
    asked = [proxy for proxy in opened.proxies if proxy in finished]
    # a reversed proxy comes after its base, whose files it gets links to
    chosen = tuple(sorted(asked, key=lambda proxy: proxy in opened.bases))
    if form not in LAYOUTS:
        raise RequestError(f"format: {not_among(form, LAYOUTS)}")
    root = check_output(output, [opened.url], marker=EXPORT_MARKER)
    if not is_local(root):
        raise RequestError(f"output is {output}; the trainers read local folders only")
    _check_output_path(LAYOUTS[form], root)
    if not claim(root, _claim_of(opened, form, chosen), remedy="export to another folder"):
        sweep_unfinished(root)
    report = ExportReport(root, form, notes=_notes_on_sizes(opened, form))
    total = sum(sum(opened.samples_per_shard(proxy)) for proxy in chosen)
    done = 0
    on_progress(Progress(0, total, phase="exporting"))
    for number, proxy in enumerate(chosen):
        report.samples[proxy] = 0
        with closing(_export_proxy(opened, report, proxy, chosen[:number])) as exported_keys:
            for _ in exported_keys:
                report.samples[proxy] += 1
                done += 1
                on_progress(Progress(done, total, phase="exporting"))
    for name, text in configs(form, root, report.samples).items():
        write_atomic(f"{root}/{name}", text.encode())
        report.configs.append(f"{root}/{name}")
    report.complete = True
    return report


def _claim_of(corpus: Corpus, form: Form, proxies: Sequence[str]) -> Claim:
    """What the output folder is claimed for: existing files are trusted by their size, so they must
    come from exactly this corpus."""
    identity = {
        "version": 1,
        "format": form,
        "corpus": corpus.header.name,
        "fingerprints": {proxy: corpus.header.fingerprints[proxy] for proxy in proxies},
    }
    return Claim(EXPORT_MARKER, identity, "an export", describe=in_words)


def _check_output_path(layout: Layout, root: str) -> None:
    for word in ("jpg", layout.pictures):
        if word in root:
            raise RequestError(
                f"output is {root}: the released loaders replace every {word!r} in a path, so it "
                "must not be in the folder's name"
            )


def _notes_on_sizes(corpus: Corpus, form: Form) -> list[str]:
    """A note where the trainer would resize targets, and so blend their colours."""
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


def _export_proxy(
    corpus: Corpus, report: ExportReport, proxy: str, earlier: Sequence[str]
) -> Generator[str, None, None]:
    """Export the samples of one proxy; yields each key when its files are written.

    Args:
        corpus: the opened corpus.
        report: updated with every file.
        proxy: name of the proxy.
        earlier: proxies that are exported already, whose input pictures may be the same.
    """
    layout = LAYOUTS[report.form]
    folder = f"{report.output}/{proxy}"
    with open_atomic(f"{folder}.txt") as paths, open_atomic(f"{folder}.jsonl") as rows:
        for sample in corpus.samples(proxy):
            picture, target = layout.names(sample.key, sample.extension, sample.input_extension)
            _check_target_is_found(layout, f"{folder}/{picture}", f"{folder}/{target}")
            of_input, of_target = _same_files(report, layout, sample, corpus.bases, earlier)
            _export_file(report, f"{folder}/{picture}", sample.input, of_input)
            _export_file(report, f"{folder}/{target}", sample.target, of_target)
            if _is_16_bit_png(sample.target) or _is_16_bit_png(sample.input):
                _note_16_bits(report, proxy)
            paths.write(f"{folder}/{picture}\n".encode())
            fields = row(report.form, folder, picture, target, sample.instruction)
            rows.write(orjson.dumps(fields) + b"\n")
            yield sample.key


def _same_files(
    report: ExportReport,
    layout: Layout,
    sample: Sample,
    bases: Mapping[str, str],
    earlier: Sequence[str],
) -> tuple[list[str], list[str]]:
    """Paths of files that may hold a sample's input, and its target, already; they need not exist.

    Input pictures are those of other proxies. A reversed sample has both pictures of its base.
    """
    output, key = report.output, sample.key
    base = bases.get(sample.proxy)
    if base is None:
        extensions = ("png", "jpg")
        inputs = [
            f"{output}/{other}/{layout.names(key, extension)[0]}"
            for other in earlier
            for extension in extensions
        ]
        return inputs, []
    if base not in earlier:
        return [], []
    of_base = layout.names(key, sample.input_extension, sample.extension)
    shown, drawn = (f"{output}/{base}/{name}" for name in of_base)
    return [drawn], [shown]


def _check_target_is_found(layout: Layout, picture: str, target: str) -> None:
    """Check that the loaders' rule leads from the path of a picture to that of its target."""
    if layout.target_of(picture) != target:
        raise RequestError(
            f"{picture}: the released loaders take every 'jpg' and {layout.pictures!r} in a path "
            "for their own, so names of proxies and keys must hold neither"
        )


def _is_16_bit_png(data: bytes) -> bool:
    """Whether a picture is a PNG with 16 bits per channel, as its header states."""
    return data.startswith(b"\x89PNG") and data[24:25] == b"\x10"


def _note_16_bits(report: ExportReport, proxy: str) -> None:
    note = (
        f"{proxy}: pictures have 16 bits, which the released loaders clip to white; "
        "build with bits: 8"
    )
    if note not in report.notes:
        report.notes.append(note)


def _export_file(
    report: ExportReport, path: str, data: bytes, candidates: Sequence[str] = ()
) -> None:
    """Make sure that a file holds `data`: keep it, link it to a file of the same bytes, or write.

    Args:
        report: counts the file as kept, linked or written.
        path: of the file.
        data: the whole content.
        candidates: paths of files that may hold the same bytes; they need not exist.
    """
    if _size_of(path) == len(data):
        report.kept += 1
        return
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for candidate in candidates:
            same = _size_of(candidate) == len(data) and _read(candidate) == data
            if same and _hard_link(candidate, path):
                report.linked += 1
                return
        # not `write_atomic`, which waits for the disk at every file: a file that a crash of the
        # machine cut short has another size, and is written again
        with open(f"{path}.part", "wb") as file:
            file.write(data)
        os.replace(f"{path}.part", path)
    except OSError as why:
        raise StorageError(f"cannot write {path}: {why.strerror or why}") from why
    report.written += 1
    report.nbytes += len(data)


def _size_of(path: str) -> int | None:
    """Size of a file in bytes; None where there is no such file."""
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _hard_link(existing: str, path: str) -> bool:
    """Make `path` a hard link; False where the file system has no (more) links."""
    with suppress(FileNotFoundError):
        os.unlink(f"{path}.part")
    try:
        os.link(existing, f"{path}.part")
    except OSError:
        return False
    os.replace(f"{path}.part", path)
    return True
