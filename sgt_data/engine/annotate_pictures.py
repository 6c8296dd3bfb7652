"""Annotate pictures: a folder of them in, tars in SA-1B's own form out, masks by an annotator.

The work is done as a build is: it can be continued, makes the same bytes whoever does it, and
accounts for every picture. `annotate.json` beside the tars says what makes it the same work.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace

from sgt_data import checks
from sgt_data.annotators.base import Annotator
from sgt_data.corpus.identity import codec_versions
from sgt_data.corpus.lost_files import lost_notes
from sgt_data.corpus.reasons import Reason, reasons_in
from sgt_data.engine.choose_engine import open_engine
from sgt_data.engine.cluster import THIS_MACHINE, Cluster
from sgt_data.engine.drive import ShardResult, drive
from sgt_data.engine.losses import damaged_share
from sgt_data.engine.mask_tars import (
    SOURCE,
    TAR_FOLDER,
    MaskRecipe,
    ledger_path,
    lost_tars,
    mask_stages,
    read_tar_receipts,
    tar_name,
)
from sgt_data.engine.outcomes import CommittedShard
from sgt_data.engine.place_of_work import ANNOTATED_SECONDS, place_note, place_of_work
from sgt_data.engine.shard_events import tell_ledger
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.errors import RequestError
from sgt_data.files.claim import Claim, Difference, claim
from sgt_data.files.output_place import ANNOTATE_MARKER, check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, plain
from sgt_data.progress import Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.sources.folder import FolderSource


@dataclass(slots=True, kw_only=True, repr=False)
class AnnotationReport(ShardResult):
    """What came of annotating pictures; a shard is a tar.

    Failures are runs of pictures that could not be worked on.

    Attributes:
        output: folder of the tars.
        totals: over all tars: inputs, samples, damaged, masks, bytes.
        max_quarantined: share of damaged pictures beyond which the work counts as failed.
        reasons: the most frequent reasons for which pictures were left out.
    """

    output: str
    totals: dict[str, int] = field(default_factory=dict)
    max_quarantined: float = 1.0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def damaged_share(self) -> float:
        """Share of the pictures that are damaged."""
        return damaged_share(self.totals) if self.totals else 0.0

    @property
    def succeeded(self) -> bool:
        """Whether all tars are there, hold pictures, and no more are damaged than is allowed."""
        enough = self.damaged_share <= self.max_quarantined and self.totals.get("samples", 0) > 0
        return self.complete and not self.failures and enough


def annotate_pictures(
    pictures: Location,
    output: Location,
    annotator: Annotator,
    *,
    pictures_per_tar: int = 256,
    max_quarantined: float = 0.05,
    cluster: Cluster = THIS_MACHINE,
    progress: ProgressTo = False,
) -> AnnotationReport:
    """Write SA-1B-format tars of a folder's pictures, with masks by an annotator.

    JPEGs are passed on byte for byte, EXIF orientation and all (masks belong to the stored pixels);
    other formats become upright JPEGs. What is committed is kept; the rest is done.

    Args:
        pictures: fsspec URL of a folder; its pictures may lie at any depth.
        output: fsspec URL of the folder for the tars.
        annotator: what draws the masks (`annotators.sam.SamAnnotator`).
        pictures_per_tar: at most.
        max_quarantined: share of damaged pictures (0 to 1) beyond which the work counts as failed.
        cluster: where to work; `IN_PROCESS` works in this process, without Ray, as is done by
            default with few pictures.
        progress: True shows a bar; a function is called when pictures are done.

    Raises:
        RequestError: pictures, annotator or output do not allow it; nothing was done.
        CorpusError: a receipt at the output is damaged.
        StorageError: the output cannot be written; what is committed is kept.
        BuildError: Ray failed; what is committed is kept.
    """
    checks.instance_of("cluster", cluster, Cluster)
    checks.whole_number("pictures_per_tar", pictures_per_tar, 1)
    if annotator.layer != "entities":
        raise RequestError(f"annotator {annotator.name}: it draws no masks")
    with shown(progress, "pictures") as on_progress:
        source = plain(pictures)
        root = check_output(output, [source], marker=ANNOTATE_MARKER)
        on_progress(Progress(0, phase="listing pictures"))
        folder = FolderSource(name=SOURCE, pictures=source)
        inventory = folder.inventory(pictures_per_tar)
        count = sum(piece.pictures for piece in inventory.slices)
        chosen = place_of_work(cluster, count * ANNOTATED_SECONDS)
        chosen.check_reach([source, root])
        start = Progress(0, count, note=place_note(cluster, chosen))

        def announce(phase: str) -> None:
            on_progress(replace(start, phase=phase))

        announce("looking at the weights")
        with open_engine(chosen, announce) as engine:
            setup = engine.set_up(annotator)
            identity = {
                "annotator": annotator.identity(setup),
                "files": dict(inventory.identity),
                "pictures_per_tar": pictures_per_tar,
                "codecs": codec_versions(),
            }
            work = Claim(
                ANNOTATE_MARKER, identity, "tars of this command", describe=Difference.of_corpus
            )
            claim(root, work, remedy="use another --output")
            sweep_unfinished(root)
            receipts = read_tar_receipts(root)
            lost = lost_tars(root, receipts)
            receipts = {name: receipts[name] for name in receipts if name not in lost}
            report = AnnotationReport(
                output=root,
                found_shards=len(receipts),
                max_quarantined=max_quarantined,
                notes=[*lost_notes(lost, "written"), *inventory.notes],
            )
            tasks = [
                SliceTask(piece, (TAR_FOLDER,))
                for piece in inventory.slices
                if tar_name(piece.name) not in receipts
            ]

            def note(shard: CommittedShard) -> None:
                tar = tar_name(shard.shard)
                (receipts[tar],) = shard.receipts
                if receipts[tar]["damaged"]:
                    tell_ledger(root, ledger_path(tar), shard=tar)

            if tasks:
                recipe = MaskRecipe(folder, annotator, setup, pictures_per_tar)
                kept = sum(receipt["inputs"] for receipt in receipts.values())
                begun = replace(start, done=kept, kept=kept, note="", phase="annotating")
                with closing(engine.run(tasks, mask_stages(recipe, root))) as outcomes:
                    drive(outcomes, report, note, begun, on_progress)
            report.notes += engine.notes()
    report.tell_troubles()
    report.complete = len(receipts) == len(inventory.slices)
    report.totals = {
        name: sum(receipt[name] for receipt in receipts.values())
        for name in ("inputs", "samples", "damaged", "masks")
    } | {"bytes": sum(receipt["tar"]["bytes"] for receipt in receipts.values())}
    ledgers = [
        (TAR_FOLDER, ledger_path(name)) for name in sorted(receipts) if receipts[name]["damaged"]
    ]
    report.reasons = reasons_in(root, ledgers)
    return report
