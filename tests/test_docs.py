"""Every code block of README, docs and the manifests' comments runs, in the order of its page.

A page's blocks run in one folder that holds the result of `make demo` (`demo/sources`,
`demo/corpus`, with fewer pictures). Paths below `/data/` stand for drawn pictures, `s3://bucket`
for a bucket of a local server, and the Hub for a small Hub in this process. A block below
`<!-- not run: reason -->` is shown as a skipped test with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import hub_server
import pytest
import yaml
from doc_blocks import PAGES, RUN, SHOWN, Block, blocks_of
from doc_runner import run_page
from doc_sources import bucket, lay_out_data, lay_out_demo
from s3_server import serving_s3

from sgt_data import IN_PROCESS, build_corpus, load_manifest, parse_manifest, write_samples
from sgt_data.shipped_manifests import shipped_manifests

PICTURES = 8
MANIFESTS = shipped_manifests()
CLUSTER = "ray job submit"


def commands_of(manifest: str) -> list[Block]:
    """The commands in the comments of a shipped manifest, as blocks."""
    comments = [line for line in MANIFESTS[manifest].splitlines() if line.startswith("#   ")]
    text = "\n".join(line.removeprefix("#").strip() for line in comments) + "\n"
    return [
        Block(f"manifests/{manifest}.yaml", 1, "bash", command + "\n", _reason(command))
        for command in text.replace("\\\n", " ").splitlines()
    ]


def _reason(command: str) -> str:
    return "a cluster" if command.startswith(CLUSTER) else ""


BLOCKS = {str(page): blocks_of(page) for page in PAGES} | {
    f"manifests/{name}": commands_of(name) for name in MANIFESTS
}
NOT_RUN = [
    block
    for blocks in BLOCKS.values()
    for block in blocks
    if block.language in RUN and block.not_run
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `make demo` makes, of a few pictures."""
    folder = tmp_path_factory.mktemp("docs")
    write_samples(str(folder / "demo" / "sources"), PICTURES)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert build_corpus("demo", "demo/corpus", cluster=IN_PROCESS).succeeded
    return folder / "demo"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with serving_s3() as (endpoint, _):
        yield endpoint


def check_blocks(
    blocks: Sequence[Block], folder: Path, demo: Path, request: pytest.FixtureRequest
) -> None:
    """Run blocks in a folder that holds the demo, and all that they name."""
    text = "".join(block.text for block in blocks)
    lay_out_demo(folder, demo)
    lay_out_data(folder, text)
    environment = {"COLUMNS": "200", "SGT_DOCS": "1"}
    with ExitStack() as stack:
        if "s3://" in text:
            environment |= bucket(request.getfixturevalue("s3_server"))
        if "hf://" in text or "sgt-data push" in text or "push_corpus" in text:
            environment |= hub_server.environment(stack.enter_context(hub_server.running()))
        failure = run_page(blocks, folder, environment)
    assert not failure, failure


@pytest.mark.parametrize("page", [str(page) for page in PAGES], ids=lambda page: Path(page).name)
def test_every_block_of_a_page_runs(
    page: str, demo: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for block in BLOCKS[page]:
        assert block.language in RUN + SHOWN, f"{block.place}: language {block.language!r}"
    blocks = [block for block in BLOCKS[page] if block.runs]
    if blocks:
        check_blocks(blocks, tmp_path, demo, request)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_commands_in_a_manifests_comments_run(
    name: str, demo: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Manifests whose annotators need weights are listed, with `--dry-run`."""
    commands = commands_of(name)
    assert commands, f"manifests/{name}.yaml says by no command how it is built"
    blocks = [block for block in commands if block.runs]
    if load_manifest(name).annotators:
        blocks = [
            Block(block.page, block.line, "bash", block.text.replace("\n", " --dry-run\n"))
            for block in blocks
        ]
    check_blocks(blocks, tmp_path, demo, request)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_settings_in_a_manifests_comments_are_fields(name: str) -> None:
    comments = " ".join(
        line.removeprefix("#").strip()
        for line in MANIFESTS[name].splitlines()
        if line.startswith("# ")
    )
    commands = " ".join(block.text.strip() for block in commands_of(name))
    settings = re.findall(r"--set [\"']?([a-z][^\s\"']*=[^\s\"',]*[^\s\"',.;])", comments)
    given = [setting for setting in settings if setting not in commands]
    load_manifest(name, given)


@pytest.mark.parametrize("page", [str(page) for page in PAGES], ids=lambda page: Path(page).name)
def test_every_whole_manifest_of_a_page_is_a_manifest(page: str) -> None:
    for block in BLOCKS[page]:
        if block.language == "yaml":
            fields = yaml.safe_load(block.text)
            if isinstance(fields, dict) and {"version", "sources", "proxies"} <= fields.keys():
                parse_manifest(fields)


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.place)
def test_a_block_that_does_not_run_says_why(block: Block) -> None:
    assert len(block.not_run) > 5, f"{block.place}: why does it not run?"
    pytest.skip(f"{block.place}: {block.not_run}")
