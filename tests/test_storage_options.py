"""Keys of stores reach every process that works, and nothing that is written or shown."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import fsspec
import fsspec.config
import pytest
from making import SMALL, files_in, jpeg
from s3_server import serving_s3

import sgt_data
from sgt_data.cli.app import COMMANDS, main
from sgt_data.cli.storage import TAKES_URLS
from sgt_data.engine.stages import AnnotateStage, Stages
from sgt_data.errors import RequestError, SgtDataError, SourceError
from sgt_data.files import retries, storage_options
from sgt_data.files.storage_options import (
    StorageOptions,
    parse_storage_options,
    storage_options_in_use,
    use_storage_options,
)

PLANTED = {name: f"PLANTED{name}{'x' * 24}" for name in ("key", "secret", "token")}
NO_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@pytest.fixture(autouse=True)
def options_end_with_a_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Storage options hold for a process, in which other tests run as well."""
    monkeypatch.setattr(storage_options, "_in_use", {})
    monkeypatch.setattr(fsspec.config, "conf", dict(fsspec.config.conf))
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.0)
    for name in [*NO_KEYS, *(name for name in os.environ if name.startswith("FSSPEC_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FSSPEC_S3", "{}")
    yield


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """URL of an S3 server."""
    with serving_s3() as (endpoint, _):
        yield endpoint


@pytest.fixture
def bucket(endpoint: str) -> str:
    """URL of a bucket that holds six pictures, made with other keys than those that are planted."""
    name = f"planted-{os.urandom(6).hex()}"
    store = fsspec.filesystem("s3", endpoint_url=endpoint, key="other", secret="other")
    store.mkdir(name)
    for number in range(6):
        store.pipe_file(f"{name}/pictures/{number}.jpg", jpeg(64, 48, number))
    return f"s3://{name}"


def manifest_of(bucket: str) -> str:
    """A manifest in JSON, which is YAML."""
    return json.dumps({
        "name": "planted", "shard_samples": 3, "pictures": SMALL, "proxies": [{"type": "edge"}],
        "sources": [{"type": "folder", "pictures": f"{bucket}/pictures"}],
    })  # fmt: skip


def options(endpoint: str) -> list[str]:
    """Planted keys, as options of a command."""
    given = {**PLANTED, "endpoint_url": endpoint}
    return [word for name in given for word in ("--storage-option", f"s3.{name}={given[name]}")]


def command(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def holds_a_key(data: bytes) -> bool:
    return b"PLANTED" in data


def with_keys(folder: Path) -> list[str]:
    """Files below a folder that hold a planted key."""
    return [name for name, data in files_in(folder).items() if holds_a_key(data)]


def in_bucket(bucket: str, endpoint: str) -> dict[str, bytes]:
    store = fsspec.filesystem("s3", endpoint_url=endpoint, key="other", secret="other")
    store.invalidate_cache()
    return {name: store.cat_file(name) for name in store.find(bucket)}


def test_options_reach_rays_workers_and_leave_no_trace(
    bucket: str, endpoint: str, tmp_path: Path
) -> None:
    """Also in Ray's own session folder, its logs included."""
    (tmp_path / "m.yaml").write_text(manifest_of(bucket))
    sessions = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # Ray's sockets need a short path
    try:
        run = subprocess.run(
            [sys.executable, "-m", "sgt_data", "build", "m.yaml", "--output", f"{bucket}/corpus",
             "--workers", "1", "--json", *options(endpoint)],
            cwd=tmp_path, capture_output=True, timeout=300, check=False,
            env={**os.environ, "RAY_TMPDIR": str(sessions), "PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr.decode()
        logs = [path for path in sessions.rglob("*") if path.is_file()]
        assert len(logs) > 10
        assert not [path for path in logs if holds_a_key(path.read_bytes())]
    finally:
        shutil.rmtree(sessions, ignore_errors=True)
    assert json.loads(run.stdout)["built_shards"] == 2
    assert not holds_a_key(run.stdout + run.stderr)
    assert not with_keys(tmp_path)
    stored = in_bucket(bucket, endpoint)
    assert f"{bucket.removeprefix('s3://')}/corpus/corpus.json" in stored
    assert not [name for name, data in stored.items() if holds_a_key(data)]


@pytest.mark.parametrize("way", ["option", "environment", "profile", "python"])
def test_keys_of_every_place_are_used_and_shown_nowhere(
    way: str, bucket: str, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_ENDPOINT_URL", "" if way in ("option", "python") else endpoint)
    if way == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", PLANTED["key"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PLANTED["secret"])
    elif way == "profile":
        home = tmp_path / "home"
        home.mkdir()
        (home / "credentials").write_text(
            f"[me]\naws_access_key_id={PLANTED['key']}\naws_secret_access_key={PLANTED['secret']}\n"
        )
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
        monkeypatch.setenv("AWS_PROFILE", "me")
    elif way == "python":
        use_storage_options("s3", endpoint_url=endpoint, **PLANTED)
    more = options(endpoint) if way == "option" else []
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Path("m.yaml").write_text(manifest_of(bucket))
    corpus = f"{bucket}/corpus"
    for words in (
        ("build", "m.yaml", "--output", corpus, "--workers", "0"),
        ("verify", corpus, "--deep"),
        ("info", corpus),
        ("scale", corpus, "--fraction", "0.5", "--file", "half.subset.parquet"),
        ("scale", corpus, "--fraction", "0.5", "--output", "copy", "--workers", "0"),
        ("export", corpus, "--format", "bagel", "--output", "export"),
        ("report", corpus, "-o", "report.html"),
    ):
        assert command(*words, *more) == 0, words
    stream = sgt_data.Stream({corpus: ["edge"]}, batch_size=2)
    assert sum(len(batch["samples"]) for batch in stream) == 6
    # and where it fails
    for words in (
        ("verify", f"{bucket}/none"),
        ("info", "s3://no-such-bucket-planted/x"),
        ("build", "m.yaml", "--output", "s3://no-such-bucket-planted/x", "--workers", "0"),
        ("build", "m.yaml", "--output", corpus, "--workers", "0", "--set", "seed=9"),
    ):
        assert command(*words, *more) > 0, words
    shown = capfd.readouterr()
    assert "PLANTED" not in shown.out + shown.err
    assert not with_keys(work)
    assert not [name for name, data in in_bucket(bucket, endpoint).items() if holds_a_key(data)]


def test_options_of_a_manifests_stages_arrive_by_being_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_storage_options("s3", **PLANTED)
    travelling = storage_options_in_use()
    assert "PLANTED" not in repr(travelling)
    stage = AnnotateStage(_nothing, {}, None, 1)  # type: ignore[arg-type]
    stages = Stages(_nothing, stage, _nothing, 1, "out")  # type: ignore[arg-type]
    assert "PLANTED" not in repr(stages)
    packed = pickle.dumps(stages)
    monkeypatch.setattr(storage_options, "_in_use", {})
    fsspec.config.conf.pop("s3")
    assert isinstance(pickle.loads(packed).storage, StorageOptions)
    assert fsspec.config.conf["s3"] == PLANTED


def _nothing(*_: object) -> None:
    """Stands for a stage."""


def test_a_process_that_is_started_has_the_options_and_digits_stay_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FSSPEC_S3", '{"anon": true, "use_ssl": false}')
    monkeypatch.setenv("FSSPEC_S3_SECRET", "earlier")
    given = parse_storage_options(
        ["s3.secret=123456789012", "s3.anon=false", 's3.client_kwargs={"region_name": "x"}',
         "s3.token=a=b"]
    )  # fmt: skip
    assert given["s3"]["token"] == "a=b"
    use_storage_options("s3", **given["s3"])
    code = "import fsspec.config, json; print(json.dumps(fsspec.config.conf['s3']))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(told.stdout) == {"use_ssl": False, **given["s3"], "anon": False}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("secretPLANTED", r"PROTOCOL\.NAME=VALUE"),
        ("PLANTEDbase64==", r"PROTOCOL\.NAME=VALUE"),
        ("secret=PLANTED", r"PROTOCOL\.NAME=VALUE"),
        ("s3.=PLANTED", r"PROTOCOL\.NAME=VALUE"),
        ("s4.secret=PLANTED", "found 's4'"),
        ("http.headers=PLANTED", "would go to every server"),
        ("https.client_kwargs=PLANTED", "would go to every server"),
        ("file.auto_mkdir=PLANTED", "found 'file'"),
        ("s3.x={PLANTED", "is no JSON"),
        ("s3.x={" + '"a":[' * 5000, "is no JSON"),
    ],
)
def test_a_wrong_option_is_refused_without_its_value(
    setting: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("info", "x", "--storage-option", setting) == 2
    shown = capsys.readouterr().err
    assert "PLANTED" not in shown
    with pytest.raises(RequestError, match=message):
        for protocol, given in parse_storage_options([setting]).items():
            use_storage_options(protocol, **given)


def test_an_error_of_a_backend_that_tells_a_key_is_shown_without_it() -> None:
    use_storage_options("s3", **PLANTED)

    def access() -> None:
        raise PermissionError(f"The key {PLANTED['secret']} is not known")

    with pytest.raises(SourceError) as error:
        retries.retried(access, "cannot read s3://b/x")
    shown = "".join(traceback.format_exception(error.value))
    assert "PLANTED" not in shown and "The key ... is not known" in shown
    assert "PLANTED" not in str(SgtDataError(f"x {PLANTED['key']}"))


def test_every_command_that_takes_urls_takes_storage_options() -> None:
    without = set(COMMANDS) - TAKES_URLS
    assert without == {
        "manifests", "init", "proxies", "sources", "annotators", "palettes", "schema", "sample",
        "new",
    }  # fmt: skip
