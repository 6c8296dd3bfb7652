"""The exports that SGT's released loaders read: two folders of pictures, and lists of paths.

OUTPUT/
  <proxy>/sam_selection/<key>.jpg, <proxy>/sam_mask/<key>.png                           (bagel)
  <proxy>/train2017/<key>.jpg, <proxy>/annotations/panoptic_train2017/<key>.png         (omnigen2)
  <proxy>.txt                   paths of the input pictures, one per line
  <proxy>.jsonl                 paths and instructions, one sample per line

An input picture that several proxies share is written for the first of them; the others get hard
links to it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from contextlib import closing
from typing import Any, ClassVar

import orjson

from sgt_data.errors import RequestError
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.listed_paths import check_paths, listed_path
from sgt_data.exports.picture_limits import LOADERS_CLIP, is_16_bit_png, resizing_note
from sgt_data.exports.questions_folder import QuestionsFolder, open_questions
from sgt_data.exports.same_files import same_files
from sgt_data.exports.sgt_layouts import LAYOUTS, Form, Layout


class SgtFormat(ExportFormat):
    """A format of SGT's released loaders.

    Attributes:
        form: the trainer, whose folders are used.
        min_side: the shortest side in pixels that the trainer does not enlarge.
    """

    form: ClassVar[Form]
    min_side: ClassVar[int]
    local_only = True

    _questions: QuestionsFolder | None = None

    def check(self, export: Export) -> None:
        _check_output_path(self._layout, export.root)
        if note := resizing_note(export.corpus.header.manifest, self.min_side):
            export.report.note(note)
        check_paths(export)
        if export.options.questions is not None:
            self._questions = open_questions(export.options.questions)

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        layout, folder = self._layout, f"{export.root}/{proxy}"
        listed = listed_path(folder, export.options)
        with (
            export.files.open(f"{proxy}.txt") as paths,
            export.files.open(f"{proxy}.jsonl") as rows,
            closing(export.samples(proxy)) as samples,
        ):
            for sample in samples:
                names = layout.names(sample.key, sample.extension, sample.input_extension)
                picture, target = names
                _check_target_is_found(layout, f"{folder}/{picture}", f"{folder}/{target}")
                of_input, of_target = same_files(export, sample, layout.names)
                export.files.put(f"{proxy}/{picture}", sample.input, of_input)
                export.files.put(f"{proxy}/{target}", sample.target, of_target)
                if is_16_bit_png(sample.target) or is_16_bit_png(sample.input):
                    export.report.note(f"{proxy}: {LOADERS_CLIP}")
                paths.write(f"{listed}/{picture}\n".encode())
                row = self.row(listed, picture, target, sample.instruction)
                rows.write(orjson.dumps(row) + b"\n")
                yield 1

    @abstractmethod
    def row(self, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
        """The row of a sample in the list with instructions, as JSON fields.

        Args:
            folder: path of the proxy's folder, as lists state it.
            picture: path of the input picture, relative to the folder.
            target: path of the target, relative to the folder.
            instruction: the sample's instruction.
        """

    @property
    def _layout(self) -> Layout:
        return LAYOUTS[self.form]


def _check_output_path(layout: Layout, root: str) -> None:
    for word in ("jpg", layout.pictures):
        if word in root:
            raise RequestError(
                f"output is {root}: the released loaders replace every {word!r} in a path, so it "
                "must not be in the folder's name"
            )


def _check_target_is_found(layout: Layout, picture: str, target: str) -> None:
    """Check that the loaders' rule leads from the path of a picture to that of its target."""
    if layout.target_of(picture) != target:
        raise RequestError(
            f"{picture}: the released loaders take every 'jpg' and {layout.pictures!r} in a path "
            "for their own, so names of proxies and keys must hold neither"
        )
