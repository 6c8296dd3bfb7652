"""Write the pages of docs/reference/, the pictures of docs/pictures/ and the schema of manifests.

All are made from the models and their docstrings; `python docs/generate_reference.py` writes the
pages and the schema again after a change of these, and with --pictures the pictures too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sgt_data.manifest.manifest import Manifest
from sgt_data.reference.docstrings import Docstring
from sgt_data.reference.example_picture import Shown, example_picture
from sgt_data.reference.field_facts import FieldFacts, field_facts
from sgt_data.reference.json_schemas import manifest_schema, schema_text
from sgt_data.reference.kinds import KindFacts, list_kinds
from sgt_data.reference.palette_facts import PALETTES, PaletteFacts, list_palettes
from sgt_data.reference.registries import Family

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path("docs/reference")
PICTURES = Path("docs/pictures")
_MADE = "<!-- written by docs/generate_reference.py from the models and their docstrings -->"

INTRODUCTIONS: dict[Family, str] = {
    "proxies": (
        "A proxy is one generative task: a picture and an instruction in, a target picture out. "
        "[Proxies, with pictures](../proxies.md) shows what each target encodes and how it is "
        "decoded. `sgt-data proxies NAME` prints these fields, and `--picture FILE` draws the "
        "example."
    ),
    "sources": (
        "A source is where pictures and their annotations come from. "
        "[Your own files](../your-own-files.md) says how exports of other tools are read. Every "
        "place is a path or an fsspec URL (`s3://`, `gs://`, `https://`, `hf://`). "
        "`sgt-data sources NAME` prints these fields."
    ),
    "annotators": (
        "An annotator is a model that fills in what a source lacks. It runs in Ray actors: a batch "
        "holds pictures of one shape, a GPU computes in bfloat16, and threads decode pictures "
        "while the device works on another shard. Where memory runs out, the batch is halved. "
        "Weights, revision, libraries, device class, dtype and batch size are part of the corpus: "
        "where one of them changes, it is another build. `sgt-data annotators NAME` prints these "
        "fields. The extra `[annotate]` installs the libraries."
    ),
}
NOUNS: dict[Family, str] = {"proxies": "proxy", "sources": "source", "annotators": "annotator"}


def pages() -> dict[Path, str]:
    """Texts of all files that are written, by path in the repository."""
    texts = {REFERENCE / f"{family}.md": _kinds_page(family) for family in INTRODUCTIONS}
    texts[REFERENCE / "manifest.md"] = _manifest_page()
    texts[REFERENCE / "palettes.md"] = _palettes_page()
    texts[Path("manifests/manifest.schema.json")] = schema_text(manifest_schema(built_in=True))
    return texts


def pictures() -> dict[Path, tuple[Shown, str]]:
    """What each picture shows, by path in the repository."""
    shown: dict[Path, tuple[Shown, str]] = {}
    for family, noun in NOUNS.items():
        for facts in _built_in(family):
            if family != "annotators":
                shown[_picture(noun, facts.type)] = family, facts.type
    for name in PALETTES:
        shown[_picture("palette", name)] = "palettes", name
    return shown


def main(arguments: Sequence[str]) -> None:
    """Write what `arguments` ask for."""
    for path, text in pages().items():
        place = ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    if "--pictures" in arguments:
        (ROOT / PICTURES).mkdir(parents=True, exist_ok=True)
        for path, (shown, name) in pictures().items():
            example_picture(shown, name).save(ROOT / path, quality=85, optimize=True)


def _built_in(family: Family) -> list[KindFacts]:
    return [facts for facts in list_kinds(family) if facts.docs]


def _picture(noun: str, name: str) -> Path:
    return PICTURES / f"{noun}-{name.replace('_', '-')}.jpg"


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join([f"# {title}", _MADE, *filter(None, blocks)]) + "\n"


def _kinds_page(family: Family) -> str:
    kinds = _built_in(family)
    common = [field for field in kinds[0].fields if field.of_base]
    names = ", ".join(f"[`{facts.type}`](#{facts.type})" for facts in kinds)
    noun = NOUNS[family]
    return _page(
        family.capitalize(),
        INTRODUCTIONS[family],
        f"The kinds, by the `type` that a manifest gives: {names}.",
        f"## Fields of every {noun}",
        _table(common, own_default=False),
        *(_kind(facts) for facts in kinds),
    )


def _kind(facts: KindFacts) -> str:
    noun = NOUNS[facts.family]
    own = [field for field in facts.fields if not field.of_base]
    picture = _picture(noun, facts.type)
    entries = "\n".join(f"  - {entry}" for entry in facts.entries)
    blocks = [
        f"## {facts.type}",
        facts.summary,
        facts.text,
        "\n".join(f"- **{name}**: {fact}" for name, fact in facts.facts.items()),
        f"```yaml\n{facts.family}:\n{entries}\n```",
        _table(own) if own else "It has no fields of its own.",
        *(
            "\n".join(
                [
                    f"Instructions `{bank.name}` ({bank.train} lines for training, "
                    f"{bank.held_out} held out), such as:\n",
                    *(f"- {line}" for line in bank.lines),
                ]
            )
            for bank in facts.banks
        ),
    ]
    if picture in pictures_of(facts.family):
        blocks.insert(3, f"![{facts.type}, drawn of a scene](../pictures/{picture.name})")
    return "\n\n".join(filter(None, blocks))


def pictures_of(family: Family) -> set[Path]:
    """The pictures of a family."""
    return {path for path, (shown, _) in pictures().items() if shown == family}


def _manifest_page() -> str:
    schema = manifest_schema(built_in=True)
    fields = list(field_facts(schema, schema["$defs"]))
    lists = ("sources", "annotators", "proxies")
    for number, field in enumerate(fields):
        if field.name in lists:
            allowed = f"list of [{field.name}]({field.name}.md)"
            fields[number] = FieldFacts(
                field.name, allowed, field.required, field.default, field.meaning
            )
    return _page(
        "Manifest",
        Docstring.of(Manifest).summary
        + " It is a YAML file; `sgt-data build` reads it. `sgt-data build MANIFEST --output URL "
        "--dry-run` checks it, and prints what would be built.",
        "```yaml\n"
        "# yaml-language-server: $schema=manifest.schema.json\n"
        "version: 1\n"
        "name: my-corpus\n"
        "seed: 0\n"
        "sources:\n"
        "  - {type: coco, root: /data/coco, annotations: [panoptic]}\n"
        "proxies:\n"
        "  - {type: segmentation, name: panoptic, variant: panoptic}\n"
        "  - {type: edge}\n"
        "```",
        "## Fields",
        _table(fields),
        "## Change a field for one build",
        "`--set FIELD.PATH=VALUE` replaces a field before the manifest is checked: "
        "`--set seed=1`, `--set pictures.max_side=512`, `--set sources.coco.root=/data/coco`. "
        "A member of a list is addressed by its name, or by its number from 0. Values are YAML.",
        "## In an editor",
        "The first line of a shipped manifest, `# yaml-language-server: $schema=...`, names its "
        "JSON Schema. An editor with YAML support (VS Code with the extension *YAML*, Neovim, "
        "Helix) then completes fields, shows what they mean, and marks wrong ones. `sgt-data "
        "schema -o manifest.schema.json` writes the schema, with the kinds of installed plug-ins. "
        "It cannot check what spans several fields, such as whether a source has what a proxy is "
        "drawn from; `--dry-run` does.",
    )


def _palettes_page() -> str:
    return _page(
        "Palettes",
        "A palette says where the colours of a segmentation target come from; it is the field "
        "`palette` of the proxy [`segmentation`](proxies.md#segmentation). In no palette do two "
        "labels of a picture share a colour, so a target decodes from its pixels alone. "
        "`sgt-data palettes NAME --picture FILE` draws these pictures.",
        *map(_palette, list_palettes()),
    )


def _palette(facts: PaletteFacts) -> str:
    file = _picture("palette", facts.name).name
    most = "any number" if facts.segments_max is None else f"at most {facts.segments_max:,}"
    blocks = (
        f"## {facts.name}",
        facts.summary[0].upper() + facts.summary[1:],
        f"![{facts.name}, drawn of a scene](../pictures/{file})",
        f"- **variants**: {', '.join(facts.variants)}\n- **visible segments of a picture**: {most}",
        f"```yaml\nproxies:\n  - {facts.entry}\n```",
    )
    return "\n\n".join(blocks)


def _table(fields: Iterable[FieldFacts], *, own_default: bool = True) -> str:
    """A table of fields; without defaults that each kind has for itself."""
    rows = ["| field | allowed | default | meaning |", "|---|---|---|---|"]
    for field in fields:
        default = f"`{field.default_text}`" if field.default_text else "must be given"
        if field.name == "name" and not own_default:
            default = "that of the kind"
        cells = (f"`{field.name}`", _cell(field.allowed), default, _cell(field.meaning))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return re.sub(r"(matches) (\S+)", r"\1 `\2`", text).replace("|", "\\|")


if __name__ == "__main__":
    main(sys.argv[1:])
