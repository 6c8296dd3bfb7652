"""Examples that the help of each command shows; they work as printed, in this order.

Those of `CANNOT_RUN_ANYWHERE` need a cluster, weights, an account or a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "doctor": (
        "sgt-data doctor",
        "sgt-data doctor --output demo/corpus --no-ray",
        "sgt-data doctor --address auto",
    ),
    "proxies": (
        "sgt-data proxies",
        "sgt-data proxies depth",
        "sgt-data proxies segmentation --picture segmentation.png",
    ),
    "sources": ("sgt-data sources", "sgt-data sources coco"),
    "annotators": ("sgt-data annotators", "sgt-data annotators sam"),
    "palettes": ("sgt-data palettes", "sgt-data palettes tab20 --picture tab20.png"),
    "schema": ("sgt-data schema -o manifest.schema.json", "sgt-data schema --of plan"),
    "new": ("sgt-data new proxy line_art", "sgt-data new source my_photos"),
    "manifests": ("sgt-data manifests", "sgt-data manifests coco-panoptic"),
    "init": ("sgt-data init coco-panoptic", "sgt-data init demo --output my-demo.yaml"),
    "sample": (
        "sgt-data sample demo/sources --images 8",
        "sgt-data sample scenes --form coco --scenes simple --images 24 --width 48 --height 48",
    ),
    "build": (
        "sgt-data build demo --output demo/corpus --dry-run",
        "sgt-data build demo --output demo/corpus",
        "sgt-data build coco-panoptic --set sources.coco.root=demo/sources/coco "
        "--output panoptic",
        "sgt-data build demo --output demo/corpus --retry-damaged",
        "sgt-data build demo --output s3://bucket/corpus --address ray://head:10001",
    ),
    "verify": ("sgt-data verify demo/corpus", "sgt-data verify demo/corpus --deep --json"),
    "info": ("sgt-data info demo/corpus",),
    "preview": (
        "sgt-data preview demo/corpus --output sheet.jpg",
        "sgt-data preview demo/corpus --per-source 2 --output small.png",
    ),
    "view": ("sgt-data view demo/corpus", "sgt-data view demo/corpus --port 8080 --no-open"),
    "report": ("sgt-data report demo/corpus -o report.html --samples 6",),
    "score": (
        "sgt-data score demo/corpus demo/corpus --proxy semantic,depth",
        "sgt-data score demo/corpus demo/corpus --proxy semantic -o score.html",
    ),
    "scale": (
        "sgt-data scale demo/corpus --fraction 0.5",
        "sgt-data scale demo/corpus --fractions 0.25,0.5 --file 'part-{}.subset.parquet'",
        "sgt-data scale demo/corpus --samples 6 --output demo/six",
    ),
    "export": (
        "sgt-data export demo/corpus --format bagel --proxy entity,depth --output bagel",
        "sgt-data export demo-0.5.subset.parquet --format omnigen2 --output omnigen2",
    ),
    "questions": ("sgt-data questions demo/corpus --output questions",),
    "captions": (
        "sgt-data captions demo/corpus --output captions --draw semantic "
        "--captions demo/sources/coco/annotations/captions_train2017.json",
    ),
    "train": (
        "sgt-data train demo/corpus --questions questions --proxy semantic --output run "
        "--set steps=2",
    ),
    "annotate": (
        "sgt-data annotate photos --checkpoint sam_vit_b_01ec64.pth --output masks",
    ),
    "push": (
        "sgt-data push demo/corpus OWNER/NAME --pictures --dry-run",
        "sgt-data push demo/corpus OWNER/NAME --pictures --private",
    ),
    "join": (
        "sgt-data join hf://datasets/OWNER/NAME --source sources.sa1b.tars='sa1b/sa_*.tar' "
        "--output NAME",
    ),
    "experiment": (
        "sgt-data experiment scale demo/corpus --output scale",
        "sgt-data experiment proxies demo/corpus --output proxies --set seeds=5 --test",
    ),
}  # fmt: skip
"""By command: whole commands, each a line of a shell."""

CANNOT_RUN_ANYWHERE: Mapping[str, str] = {
    "--address": "a Ray cluster",
    "sgt-data view": "Ctrl-C to end",
    "s3://": "a bucket",
    "sam_vit_b_01ec64.pth": "weights of Segment Anything",
    "--private": "an account of the Hugging Face Hub",
    "hf://": "a repository on the Hugging Face Hub",
    "sgt-data experiment": "a larger corpus, and minutes to hours",
}
"""What an example needs that not every machine has, by a part of its text."""


def needed_for(example: str) -> str:
    """What an example needs that not every machine has; empty where it runs anywhere."""
    needs = (need for part, need in CANNOT_RUN_ANYWHERE.items() if part in example)
    return next(needs, "")


def examples_text(command: str) -> str | None:
    """The examples of a command, as the end of its help."""
    if command not in EXAMPLES:
        return None
    lines = []
    for example in EXAMPLES[command]:
        need = needed_for(example)
        lines.append(f"  {example}" + (f"  # needs {need}" if need else ""))
    return "\n".join(["\b", "Examples:", *lines])  # \b: the lines are not filled
