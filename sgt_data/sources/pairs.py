"""Pictures with targets that were made elsewhere: in folders, lists, Parquet files and tars."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import orjson
from pydantic import Field, model_validator

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import AnnotationError, InputError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.records import Annotation, Inventory, Layer, RawInput, RawShard, Slice
from sgt_data.sources.base import Source
from sgt_data.sources.listed_tar import ListedTar
from sgt_data.sources.pair_entry import (
    PairEntry,
    beginning_of,
    entries_of,
    first_problem,
    held_inputs,
    identity_of,
    slices_of,
)
from sgt_data.sources.pair_facts import facts_by_name, with_facts
from sgt_data.sources.pair_fields import first_text, value_at
from sgt_data.sources.pair_folders import (
    PAIR_SUFFIXES,
    chosen_pictures,
    list_folders_of_pairs,
    list_role,
)
from sgt_data.sources.pair_metadata import (
    ListedFiles,
    ListedPairs,
    fields_in,
    names_in_list,
    rows_of,
)
from sgt_data.sources.pair_parquet import ParquetPairs
from sgt_data.sources.pair_tars import MemberEndings, check_endings, name_of
from sgt_data.sources.tar_cut import TarCut
from sgt_data.sources.tar_patterns import matching_tars
from sgt_data.sources.tars import tar_inventory

_FORMS = ("pictures", "metadata", "parquet", "tars")
_OF_ROWS = ("input", "target", "key", "facts_field")
_OWN: dict[str, tuple[str, ...]] = {
    "pictures": ("targets", "texts", "paths", "picture_suffix", "target_suffix", "text_suffix"),
    "metadata": ("root", "targets", "text", *_OF_ROWS),
    "parquet": ("text", *_OF_ROWS),
    "tars": (
        "picture_suffix", "target_suffix", "text_suffix", "facts_suffix", "text",
        "allow_truncated",
    ),
}  # fmt: skip
_Suffix = Field(None, min_length=1, max_length=64)


class PairsSource(Source):
    """Pictures with targets that were made elsewhere, and the text of each: the released SAM-SGT
    data, editing data sets, exports. One of `pictures`, `metadata`, `parquet` and `tars` says where
    they lie.

    Files belong together that have one path without ending, or one name where the name alone tells.
    A picture without target, and a target without picture, are rows of the ledger.

    Examples:
        {type: pairs, pictures: /data/sgt/sam_selection, targets: /data/sgt/sam_mask}
        {type: pairs, name: sam-sgt, tars: "/data/sam-sgt/*.tar", picture_suffix: .jpg,
         target_suffix: .png, text_suffix: .txt}
        {type: pairs, name: edits, metadata: /data/edits/metadata.jsonl, input: input_image,
         target: edited_image, text: edit_prompt, licence: CC BY 4.0}
        {type: pairs, name: hub, parquet: "/data/omniedit/*.parquet"}

    Attributes:
        pictures: folder of the pictures.
        targets: folder of the targets. With `metadata`, where rows name no target.
        texts: folder of the texts.
        paths: with `pictures`, a text file of the paths of those that are taken, one per line.
        metadata: JSON Lines (or a JSON list), whose rows name input, target and text; patterns.
        root: folder below which the files lie that rows name; by default that of `metadata`.
        parquet: Parquet files, whose rows hold the bytes of both pictures; patterns.
        tars: tars of both pictures; URLs, brace and glob patterns.
        picture_suffix: ending of the pictures' names, in folders and tars (`.jpg`, `.input.jpg`).
        target_suffix: ending of the targets' names (`.png`, `_mask.png`, `.target.png`).
        text_suffix: ending of the texts' names; in folders `.txt` by default.
        facts_suffix: with `tars`, ending of the members that are the JSON of samples.
        input: field of a row that names, or holds, the picture; by default one of the usual names.
            `image_list.0` is the first item of a list.
        target: field of a row that names, or holds, the target.
        text: field of a row that is the instruction, the first one of a list; `""` where rows have
            none. With `tars`, field of the JSON that `text_suffix` names.
        key: field of a row that names its sample; by default the names of its files do.
        facts: where the JSON of the samples lies that targets are copies of, by which they are
            decoded: a folder of `KEY.json`, or tars, as `corpus/panoptic/*.tar`.
        facts_field: field of a row with that JSON.
        licence: of the pictures, written into every sample.
        allow_truncated: with `tars`, build also from tars that end early.
    """

    places: ClassVar[frozenset[str]] = Source.places | {
        "pictures", "targets", "texts", "paths", "metadata", "root", "parquet", "tars", "facts",
    }  # fmt: skip
    tolerances: ClassVar[frozenset[str]] = frozenset({"allow_truncated"})

    type: Literal["pairs"] = "pairs"
    name: str = "pairs"
    pictures: str | None = None
    targets: str | None = None
    texts: str | None = None
    paths: str | None = None
    metadata: str | list[str] | None = None
    root: str | None = None
    parquet: str | list[str] | None = None
    tars: str | list[str] | None = None
    picture_suffix: str | None = _Suffix
    target_suffix: str | None = _Suffix
    text_suffix: str | None = _Suffix
    facts_suffix: str | None = _Suffix
    input: str | None = None
    target: str | None = None
    text: str | None = None
    key: str | None = None
    facts: str | None = None
    facts_field: str | None = None
    licence: str | None = None
    allow_truncated: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> PairsSource:
        given = [form for form in _FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            raise ValueError(
                "give one of pictures (a folder, with targets), metadata (JSON Lines), parquet and "
                f"tars; found {' and '.join(given) or 'none'}"
            )
        form = given[0]
        for name in {name for names in _OWN.values() for name in names} - {*_OWN[form]}:
            if getattr(self, name) != type(self).model_fields[name].default:
                right = [each for each in _FORMS if name in _OWN[each]]
                raise ValueError(f"{name} goes with {' or '.join(right)}, not with {form}")
        if form == "pictures" and self.targets is None:
            raise ValueError("give targets: the folder of the targets (with pictures)")
        if form in ("parquet", "tars") and self.facts is not None:
            other = {"parquet": "facts_field", "tars": "facts_suffix"}[form]
            raise ValueError(f"facts goes with pictures and metadata; with {form}, {other} says it")
        if self.facts is not None and self.facts_field is not None:
            raise ValueError("give facts (a place) or facts_field (of a row), not both")
        if self.orientation != "auto" and not (self.depth or self.normals):
            raise ValueError(
                f"orientation is {self.orientation}; it says how files of depth or normals are "
                "read. Targets of turned pictures lie on the pixels whose size they have"
            )
        return self

    def layers(self) -> frozenset[Layer]:
        of_rows = (self.metadata or self.parquet) and self.text != ""
        has_text = self.texts or self.text_suffix or of_rows
        has_facts = self.facts or self.facts_suffix or self.facts_field
        beside = {"text"} if has_text else set[Layer]()
        return frozenset({"target", *beside, *({"target_facts"} if has_facts else ())})

    def inventory(self, shard_samples: int) -> Inventory:
        if self.tars is not None:
            urls = matching_tars(self.name, self.tars)
            check_endings(self.name, urls, self._endings)
            return tar_inventory(
                self.name, urls, self._members.role, truncated_allowed=self.allow_truncated
            )
        if self.parquet is not None:
            return self._of_parquet.inventory(self.parquet, shard_samples)
        entries, identity, notes = self._entries()
        if self.facts is not None:
            places = facts_by_name(self.name, self.facts)
            entries = with_facts(entries, places, [entry.member for entry in entries])
        if not any(entry.problem is None and "target" in entry.parts for entry in entries):
            raise RequestError(
                f"sources.{self.name}: no picture has a target; the first: {first_problem(entries)}"
            )
        return Inventory(
            slices_of(self.name, entries, shard_samples),
            {**identity_of(entries), **identity},
            notes=notes,
            unreadable=sum(entry.problem is not None for entry in entries),
        )

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        if self.tars is not None:
            cut = TarCut(
                self.name, piece.name, self._members.role, tuple(self._members.endings),
                shard_samples, self.licence, truncated_allowed=self.allow_truncated,
                shared_name=name_of,
            )  # fmt: skip
            yield from cut.shards(ListedTar.of(piece.payload), skip)
        elif self.parquet is not None:
            yield from self._of_parquet.read(piece, shard_samples, skip)
        elif piece.name not in skip:
            inputs = held_inputs([entry.raw(self.licence) for entry in entries_of(piece.payload)])
            yield RawShard(piece.name, piece.name, self.name, inputs, last=True)

    def beginning(self, piece: Slice, count: int) -> Slice:
        if self.tars is not None or self.parquet is not None:
            return piece  # read no further than is asked for
        return replace(piece, payload=beginning_of(piece.payload, count))

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return None

    def layer_data(self, raw: RawInput, layer: Layer) -> bytes:
        data = super().layer_data(raw, layer)
        if layer != "text" or self.tars is None or self.text is None:
            return data
        try:
            return first_text(value_at(loads_bounded(data), self.text)).encode("utf-8", "replace")
        except (orjson.JSONDecodeError, InputError) as why:
            raise AnnotationError(
                f"text: the field {self.text} of its JSON: {in_words(why)}"
            ) from why

    def _entries(self) -> tuple[list[PairEntry], dict[str, str], tuple[str, ...]]:
        """The pairs that are listed, what else tells the inputs from others, and remarks."""
        if self.metadata is not None:
            return self._listed_in_rows(self.metadata)
        assert self.pictures is not None and self.targets is not None
        folders = list_folders_of_pairs(
            self.name,
            (self.pictures, self.picture_suffix),
            (self.targets, self.target_suffix),
            (self.texts, self.text_suffix) if self.texts else None,
        )
        notes = (*folders.pictures.notes, *folders.targets.notes)
        if self.paths is None:
            return folders.entries(), {}, notes
        names = names_in_list(self.paths, f"sources.{self.name}.paths")
        chosen, lacking = chosen_pictures(names, folders.pictures.sizes)
        return [*folders.entries(chosen), *lacking], {}, notes

    def _listed_in_rows(
        self, metadata: str | list[str]
    ) -> tuple[list[PairEntry], dict[str, str], tuple[str, ...]]:
        where = f"sources.{self.name}"
        rows, digest, folder = rows_of(metadata, f"{where}.metadata")
        fields = fields_in(rows, self._stated, self._needed, where)
        targets = None
        if self.targets is not None:
            targets = list_role(self.targets, None, PAIR_SUFFIXES, f"{where}.targets")
        files = ListedFiles.below(self.root or folder)
        pairs = ListedPairs(self.name, fields, files, targets)
        return (
            pairs.entries(rows),
            {"metadata": f"sha256:{digest}"},
            targets.notes if targets else (),
        )

    @property
    def _endings(self) -> dict[str, str | None]:
        return {
            "picture": self.picture_suffix, "target": self.target_suffix, "text": self.text_suffix,
            "target_facts": self.facts_suffix,
        }  # fmt: skip

    @property
    def _members(self) -> MemberEndings:
        given = {role: ending.lower() for role, ending in self._endings.items() if ending}
        return MemberEndings(given)

    @property
    def _of_parquet(self) -> ParquetPairs:
        return ParquetPairs(self.name, self.licence, self._stated, self._needed)

    @property
    def _stated(self) -> dict[str, str | None]:
        """The fields of a row that the manifest states."""
        return {
            "input": self.input, "target": self.target, "text": self.text, "key": self.key,
            "facts": self.facts_field,
        }  # fmt: skip

    @property
    def _needed(self) -> tuple[str, ...]:
        """The roles of which a row must have a field."""
        given = {"target"} if self.targets else set[str]()
        return tuple(role for role in ("input", "target", "text") if role not in given)
