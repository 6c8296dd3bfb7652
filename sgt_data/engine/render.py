"""A shard's raw inputs in; its encoded shards out, one per proxy, and one of the pictures alone
where proxies share them.

Reads nothing but what the inputs themselves point to, one input at a time. Whatever is wrong with
one input costs that input: it becomes a quarantine row of every proxy that it could not serve, and
the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from sgt_data.annotators.batching import role
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.shard import (
    EncodedSample,
    EncodedShard,
    ShardOrigin,
    ShardWriter,
)
from sgt_data.engine.build_plan import Recipe
from sgt_data.engine.draw_checked import check_decodes, draw_checked
from sgt_data.engine.reversed_shards import (
    CommittedBase,
    Outcome,
    drawn_base,
    reversed_row,
    reversed_sample,
)
from sgt_data.engine.stage_times import DECODE, ENCODE, FETCH, Stopwatch, draw_stage
from sgt_data.engine.stage_times import INPUT as INPUT_STAGE
from sgt_data.errors import AnnotationError, FilteredOut, InputError
from sgt_data.facts import FORMAT_MINOR, FORMAT_VERSION
from sgt_data.names import KEY_ALPHABET, is_key
from sgt_data.pictures.decode_source import Picture, inspect, prepare
from sgt_data.prompts.bank import choose_instruction
from sgt_data.proxies.base import Proxy, Subject
from sgt_data.proxies.generate import GenerateProxy
from sgt_data.records import (
    Annotation,
    DenseLayer,
    DenseMap,
    DrawnTarget,
    Layer,
    LedgerKind,
    MaskAnnotation,
    NormalMap,
    QuarantineRow,
    RawInput,
    RawShard,
)
from sgt_data.sources.base import Source
from sgt_data.sources.dense_maps import parse_dense
from sgt_data.sources.fetch_input import fetched
from sgt_data.sources.read_layers import (
    read_annotation,
    read_dense,
    read_intrinsics,
    read_layer_data,
    read_normals,
)
from sgt_data.sources.sa1b_annotation import parse_annotation
from sgt_data.value_text import cut


def render_shard(
    raw: RawShard,
    folders: Collection[str],
    excluded: Mapping[str, str],
    recipe: Recipe,
    root: str = "",
) -> list[EncodedShard]:
    """Draw a shard for the named folders of the corpus.

    Args:
        raw: the inputs.
        folders: which proxies, or the shared inputs, still need this shard.
        excluded: keys that must not become samples, with the reason.
        recipe: how samples are made.
        root: absolute URL of the corpus, whose shards are read where a base is not drawn here.

    Returns:
        An encoded shard per folder: the shared inputs first, then proxies in the manifest's order,
        those that reverse others last.

    Raises:
        SourceError: an input cannot be fetched just now.
    """
    rendering = Rendering(raw, folders, recipe, root)
    for _ in rendering.draw(excluded):
        pass
    return rendering.encode()


@dataclass(slots=True)
class Rendering:
    """One shard while its inputs are drawn one after the other.

    Attributes:
        raw: the inputs.
        folders: which proxies, or the shared inputs, still need this shard.
        recipe: how samples are made.
        root: absolute URL of the corpus.
        source: of the inputs.
        proxies: those that are drawn, in the manifest's order.
        reversed: those that are made of what these draw, or of committed shards.
        bases: names of those that these reverse.
        committed: bases that are not drawn here, by name.
        writers: by folder: what is drawn so far.
        watch: where the time goes.
    """

    raw: RawShard
    folders: Collection[str]
    recipe: Recipe
    root: str = ""
    source: Source = field(init=False)
    proxies: list[Proxy] = field(init=False)
    reversed: list[GenerateProxy] = field(init=False)
    bases: frozenset[str] = field(init=False)
    committed: dict[str, CommittedBase] = field(init=False, default_factory=dict)
    writers: dict[str, ShardWriter] = field(init=False)
    watch: Stopwatch = field(init=False, default_factory=Stopwatch)

    def __post_init__(self) -> None:
        self.source = self.recipe.source(self.raw.source)
        asked = [proxy for proxy in self.recipe.manifest.proxies if proxy.name in self.folders]
        self.reversed = [proxy for proxy in asked if isinstance(proxy, GenerateProxy)]
        self.bases = frozenset(proxy.of for proxy in self.reversed)
        self.proxies = [proxy for proxy in asked if not isinstance(proxy, GenerateProxy)]
        # a base is committed before its reverse, whose samples nobody could read without it
        names = [proxy.name for proxy in (*self.proxies, *self.reversed)]
        if INPUT in self.folders:
            names.insert(0, INPUT)
        self.writers = {name: ShardWriter() for name in names}

    def draw(self, excluded: Mapping[str, str]) -> Iterator[int]:
        """Draw one input after the other; yields how many are done.

        Args:
            excluded: keys that must not become samples, with the reason.

        Raises:
            SourceError: an input cannot be fetched just now.
        """
        for count, raw in enumerate(self.raw.inputs, 1):
            self.watch.go_on()
            outcomes: dict[str, Outcome] = {}
            if len(self.writers) > len(self.reversed):
                outcomes = self._add(raw, excluded.get(raw.key))
            for proxy in self.reversed:
                self._add_reversed(proxy, raw, outcomes)
            self.watch.lap(INPUT_STAGE)
            yield count

    def _add(self, raw: RawInput, exclusion: str | None) -> dict[str, Outcome]:
        """Draw one input for every folder, or name it in the folder's ledger; what became of it, by
        folder."""
        rule = self.recipe.manifest.pictures
        try:
            if raw.problem or exclusion:
                raise InputError(raw.problem or exclusion)
            if not is_key(raw.key):  # of a source of another package; ours make no other
                raise InputError(f"its key is {cut(raw.key)}; a key must be {KEY_ALPHABET}")
            raw = fetched(raw)
            self.watch.lap(FETCH)
            if raw.problem:
                raise InputError(raw.problem)
            picture = prepare(inspect(raw.picture, rule.max_pixels), rule, rule.icc)
        except InputError as why:
            self.watch.lap(DECODE)
            made_of_others = {proxy.name for proxy in self.reversed}
            return {
                folder: self._quarantine(folder, raw, why)
                for folder in self.writers
                if folder not in made_of_others
            }
        self.watch.lap(DECODE)
        subject = self._subject(raw, picture)
        facts = _common_facts(raw, self.source.name, subject)
        if INPUT in self.writers:
            row = _index_row(facts, DrawnTarget(b"", "png", {}))
            sample = EncodedSample(raw.key, subject.clean(), None, None, None, facts, row)
            self.writers[INPUT].samples.append(sample)
        self.watch.lap(INPUT_STAGE)
        outcomes = {proxy.name: self._draw(proxy, subject, raw, facts) for proxy in self.proxies}
        return {
            folder: drawn_base(outcome, subject.clean())
            if isinstance(outcome, EncodedSample)
            else outcome
            for folder, outcome in outcomes.items()
            if folder in self.bases
        }

    def _draw(
        self, proxy: Proxy, subject: Subject, raw: RawInput, facts: Mapping[str, Any]
    ) -> EncodedSample | QuarantineRow:
        """Draw one input for one proxy, or name it in the proxy's ledger."""
        notes: dict[str, None] = {}
        try:
            drawn = draw_checked(proxy, _noting(self._seen_by(proxy, subject, raw), notes))
        except InputError as why:
            return self._quarantine(proxy.name, raw, why)
        finally:
            self.watch.lap(draw_stage(proxy.name))
        writer = self.writers[proxy.name]
        sample = self._sample(proxy, subject, facts, drawn)
        if not writer.samples:
            check_decodes(proxy, drawn.target, sample.facts)
        writer.samples.append(sample)
        writer.notes += [self._ledger_row(raw, "note", note) for note in notes]
        self.watch.lap(INPUT_STAGE)
        return sample

    def _add_reversed(
        self, proxy: GenerateProxy, raw: RawInput, outcomes: Mapping[str, Outcome]
    ) -> None:
        """Add one input to a reversed proxy, as its base has it."""
        base = outcomes.get(proxy.of) or self._committed(proxy.of).of(raw.key, raw.member)
        writer = self.writers[proxy.name]
        if isinstance(base, QuarantineRow):
            writer.quarantine.append(reversed_row(proxy, base))
        else:
            writer.samples.append(reversed_sample(proxy, base, self.recipe.manifest))

    def _committed(self, base: str) -> CommittedBase:
        if base not in self.committed:
            shares_inputs = self.recipe.manifest.inputs == "shared"
            self.committed[base] = CommittedBase(self.root, base, self.raw.name, shares_inputs)
        return self.committed[base]

    def encode(self) -> list[EncodedShard]:
        """All files of the shard, by folder."""
        raw = self.raw
        self.watch.go_on()
        source_bytes = sum(source_input.nbytes for source_input in raw.inputs)
        encoded = [
            writer.encode(
                ShardOrigin(
                    folder, raw.name, raw.source, raw.slice, raw.last, source_bytes,
                    self.recipe.fingerprints[folder], raw.lost,
                )
            )
            for folder, writer in self.writers.items()
        ]  # fmt: skip
        self.watch.lap(ENCODE)
        return encoded

    def _quarantine(self, folder: str, raw: RawInput, why: InputError) -> QuarantineRow:
        kind: LedgerKind = "filtered" if isinstance(why, FilteredOut) else "damaged"
        row = self._ledger_row(raw, kind, str(why))
        self.writers[folder].quarantine.append(row)
        return row

    def _ledger_row(self, raw: RawInput, kind: LedgerKind, reason: str) -> QuarantineRow:
        return QuarantineRow(raw.key, self.raw.source, self.raw.slice, raw.member, kind, reason)

    def _subject(self, raw: RawInput, picture: Picture) -> Subject:
        """All that a proxy may look at, from the source alone."""
        rule = self.recipe.manifest.pictures

        def encode(image: Any) -> bytes:
            return picture.encode(image, rule.jpeg_quality, rule.jpeg_subsampling)

        parsed = cache(partial(read_dense, self.source, raw, picture.stored))
        return Subject(
            raw.key,
            self.recipe.manifest.seed,
            picture,
            self.source.offers(),
            cache(partial(read_annotation, self.source, raw, picture.stored)),
            lambda layer: parsed(self.source.file_layer(layer)),
            self.recipe.vocabulary[self.source.name],
            cache(partial(picture.jpeg, rule.jpeg_quality, rule.jpeg_subsampling)),
            encode,
            partial(read_layer_data, self.source, raw),
            cache(partial(read_normals, self.source, raw, picture.stored)),
            cache(partial(read_intrinsics, self.source, raw, picture.stored)),
        )

    def _seen_by(self, proxy: Proxy, subject: Subject, raw: RawInput) -> Subject:
        """The subject as a proxy sees it: its annotator fills in what the source lacks."""
        annotator = proxy.annotator_for(self.source.offers())
        if annotator is None:
            return subject
        layer = proxy.annotated_layer
        assert layer is not None
        return _annotated(subject, raw, layer, annotator)

    def _sample(
        self, proxy: Proxy, subject: Subject, common: Mapping[str, Any], drawn: DrawnTarget
    ) -> EncodedSample:
        """What is stored of one input for one proxy."""
        manifest = self.recipe.manifest
        key = subject.key
        bank = proxy.instruction_bank(manifest.look_of(proxy))
        instruction = choose_instruction(bank, manifest.seed, key, drawn.words)
        instruction_facts: dict[str, Any] = {"bank": instruction.bank, "line": instruction.line}
        if drawn.words:
            instruction_facts["words"] = dict(drawn.words)
        facts = {
            **common,
            "proxy": proxy.name,
            "type": proxy.type,
            "tier": proxy.tier,
            "instruction": instruction_facts,
            **drawn.facts,
        }
        jpeg = drawn.picture or (None if manifest.inputs == "shared" else subject.clean())
        row = _index_row(common, drawn)
        return EncodedSample(key, jpeg, drawn.target, drawn.extension, instruction.text, facts, row)


def _noting(subject: Subject, notes: dict[str, None]) -> Subject:
    """The subject, which adds to `notes` what is left out of the annotations that are used, and
    what is assumed of them; each once."""

    def annotation(layer: Layer) -> Annotation | None:
        parsed = subject.annotation(layer)
        if isinstance(parsed, MaskAnnotation):
            notes.update(dict.fromkeys(f"left out: {why}" for why in parsed.left_out))
        if parsed is not None and parsed.assumed:
            notes[parsed.assumed] = None
        return parsed

    def dense(layer: DenseLayer) -> DenseMap:
        parsed = subject.dense(layer)
        if parsed.assumed:
            notes[parsed.assumed] = None
        return parsed

    def normals() -> NormalMap:
        parsed = subject.normals()
        if parsed.assumed:
            notes[parsed.assumed] = None
        return parsed

    return replace(subject, annotation=annotation, dense=dense, normals=normals)


def _annotated(subject: Subject, raw: RawInput, layer: Layer, annotator: str) -> Subject:
    """The subject with one layer more, which an annotator has given."""

    def layer_bytes() -> bytes:
        if why := raw.layer_problems.get(role(annotator)):
            raise AnnotationError(why)
        return raw.layer_bytes[role(annotator)]

    return replace(
        subject,
        layers=subject.layers | {layer},
        annotation=lambda asked: parse_annotation(layer_bytes()) if asked == layer else None,
        dense=lambda asked: parse_dense(layer_bytes()) if asked == layer else subject.dense(asked),
        layer_data=lambda asked: layer_bytes() if asked == layer else subject.layer_data(asked),
    )


def _common_facts(raw: RawInput, source: str, subject: Subject) -> dict[str, Any]:
    """What every sample's JSON says, whatever its proxy."""
    picture = subject.picture
    return {
        "version": FORMAT_VERSION,
        "minor": FORMAT_MINOR,
        "key": raw.key,
        "seed": subject.seed,
        "source": {
            "name": source,
            "member": raw.member,
            "licence": raw.licence or "",
            "sha256": hashlib.sha256(raw.picture).hexdigest(),
            "size": {"width": picture.stored.width, "height": picture.stored.height},
            "orientation": picture.stored.orientation,
            "icc": picture.icc,
        },
        "size": {"width": picture.width, "height": picture.height},
    }


def _index_row(facts: Mapping[str, Any], drawn: DrawnTarget) -> dict[str, Any]:
    """What the index says of a sample beside its key and its members."""
    source = facts["source"]
    return {
        "source": source["name"],
        "member": source["member"],
        "licence": source["licence"] or None,
        "source_sha256": source["sha256"],
        "source_width": source["size"]["width"],
        "source_height": source["size"]["height"],
        "width": facts["size"]["width"],
        "height": facts["size"]["height"],
        "segments": drawn.segments,
        "categories": list(drawn.categories),
    }
