"""A small Hub in this process: the part of its HTTP API that `huggingface_hub` uses to create a
repository, commit to it, list it and read it. Written after the client's source; the real Hub was
not asked.

Files that end in `.tar` or `.parquet` go through the LFS batch, as the Hub's `.gitattributes` says.
A commit that names an LFS object which was not uploaded is refused, as the Hub does.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml

from sgt_data.files import retries

TOKEN = "hf_writer"
READER = "hf_reader"
"""Tokens: `TOKEN` may write everywhere, `READER` nowhere."""

DROP = 0
"""Status of a trouble: the connection breaks without an answer."""

PAGE = 40
"""Entries of a tree in one answer."""

Files = dict[str, bytes]
Trouble = Callable[[str, str], int | None]


@dataclass
class Repository:
    """Branches with their files; the message and the files after every commit, in order."""

    private: bool
    branches: dict[str, Files] = field(default_factory=lambda: {"main": {".gitattributes": b""}})
    history: list[tuple[str, Files]] = field(default_factory=list)


class Hub(http.server.ThreadingHTTPServer):
    """The server, and all that it holds.

    Attributes:
        repositories: by name, `owner/name`.
        objects: LFS objects by their SHA-256.
        requests: method, path and bytes of the answer, of every request.
        trouble: the status with which a method on a path fails; None where it does not.
        lost_answers: so many of the next commits are made, but their answers are lost.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.trouble: Trouble = lambda method, path: None
        self.lost_answers = 0
        self.lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def files(self, repo: str, branch: str = "main") -> Files:
        return self.repositories[repo].branches[branch]

    def write_to(self, folder: Path, repo: str, branch: str = "main") -> Path:
        """A snapshot of a branch, as a download leaves it."""
        for path, data in self.files(repo, branch).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder

    def uploaded(self) -> int:
        """The number of LFS objects that were uploaded."""
        return sum(method == "PUT" for method, _, _ in self.requests)


def environment(hub: Hub) -> dict[str, str]:
    """Variables with which a process that has not imported `huggingface_hub` finds this Hub."""
    return {
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def running() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


@contextmanager
def used(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running Hub, which the client of the Hub in this process talks to."""
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    with running() as server:
        template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.01)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        close_session()
        yield server
    close_session()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def commit_of(files: Files) -> str:
    """A name of the state that files are in, as that of a commit."""
    listing = "".join(f"{path} {git_sha1(data)}\n" for path, data in sorted(files.items()))
    return git_sha1(listing.encode())


def in_lfs(path: str) -> bool:
    return path.endswith((".tar", ".parquet"))


def entry(path: str, data: bytes) -> dict[str, Any]:
    """A file as listings state it."""
    fields: dict[str, Any] = {
        "type": "file", "path": path, "size": len(data), "oid": git_sha1(data),
    }  # fmt: skip
    if in_lfs(path):
        sha256 = hashlib.sha256(data).hexdigest()
        fields["lfs"] = {"oid": sha256, "size": len(data), "pointerSize": 130}
    return fields


class Answers(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        self._route("GET")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def _route(self, method: str) -> None:
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length is not None else self._chunks()
        url = urlsplit(self.path)
        path = url.path
        with self.server.lock:
            status = self.server.trouble(method, unquote(path))
        if status == DROP:
            self.close_connection = True
            return
        if status is not None:
            self._answer({"error": "trouble"}, status, {"X-Error-Message": "trouble"})
            return
        for allowed, pattern, name in ROUTES:
            match = re.fullmatch(pattern, path)
            if method in allowed and match:
                with self.server.lock:
                    self.method, self.query = method, parse_qs(url.query)
                    getattr(self, name)(body, *map(unquote, match.groups("")))
                return
        self._answer({"error": f"no such place: {method} {path}"}, 404)

    def _chunks(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(
        self, content: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.server.requests.append((self.command, unquote(self.path), len(data)))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _lacks(self, code: str) -> None:
        self._answer({"error": code}, 404, {"X-Error-Code": code})

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _may_write(self) -> bool:
        if self._token() == TOKEN:
            return True
        status = 403 if self._token() == READER else 401
        message = "Invalid credentials in Authorization header" if status == 401 else "You may not"
        self._answer({"error": message}, status, {"X-Error-Message": message})
        return False

    def _files(self, repo: str, revision: str) -> Files | None:
        """The files of a branch; None where an error was answered."""
        repository = self.server.repositories.get(repo)
        if repository is None or (repository.private and self._token() not in (TOKEN, READER)):
            self._lacks("RepoNotFound")
            return None
        if revision in repository.branches:
            return repository.branches[revision]
        for files in repository.branches.values():
            if commit_of(files) == revision:
                return files
        self._lacks("RevisionNotFound")
        return None

    def create(self, body: bytes) -> None:
        if not self._may_write():
            return
        asked = json.loads(body)
        assert asked["type"] == "dataset"
        repo = f"{asked['organization']}/{asked['name']}"
        url = f"{self.server.endpoint}/datasets/{repo}"
        if repo in self.server.repositories:
            self._answer({"error": "You already created this dataset repo", "url": url}, 409)
            return
        self.server.repositories[repo] = Repository(asked.get("visibility") == "private")
        self._answer({"url": url})

    def branch(self, body: bytes, repo: str, branch: str) -> None:
        if not self._may_write() or (files := self._files(repo, "main")) is None:
            return
        branches = self.server.repositories[repo].branches
        status = 409 if branch in branches else 200
        branches.setdefault(branch, dict(files))
        self._answer({}, status)

    def info(self, body: bytes, repo: str, revision: str = "") -> None:
        files = self._files(repo, revision or "main")
        if files is not None:
            private = self.server.repositories[repo].private
            self._answer({"id": repo, "sha": commit_of(files), "private": private})

    def validate(self, body: bytes) -> None:
        content = json.loads(body)["content"]
        front_matter = yaml.safe_load(content.split("---")[1])
        assert "configs" in front_matter
        self._answer({"errors": [], "warnings": []})

    def preupload(self, body: bytes, repo: str, revision: str) -> None:
        if not self._may_write() or (files := self._files(repo, revision)) is None:
            return
        answers = []
        for asked in json.loads(body)["files"]:
            path = asked["path"]
            answer = {"path": path, "uploadMode": "lfs" if in_lfs(path) else "regular"}
            answer["shouldIgnore"] = False
            if path in files:
                known = entry(path, files[path])
                answer["oid"] = known["lfs"]["oid"] if "lfs" in known else known["oid"]
            answers.append(answer)
        self._answer({"files": answers})

    def batch(self, body: bytes, repo: str) -> None:
        if not self._may_write():
            return
        objects = []
        for asked in json.loads(body)["objects"]:
            if asked["oid"] not in self.server.objects:
                place = f"{self.server.endpoint}/lfs/{asked['oid']}"
                asked["actions"] = {"upload": {"href": place}}
            objects.append(asked)
        self._answer({"transfer": "basic", "objects": objects})

    def upload(self, body: bytes, oid: str) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self.server.objects[oid] = body
        self._answer({})

    def commit(self, body: bytes, repo: str, revision: str) -> None:
        if not self._may_write() or (files := self._files(repo, revision)) is None:
            return
        header, *lines = map(json.loads, body.splitlines())
        changed = dict(files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                changed[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del changed[value["path"]]
            elif value["oid"] in self.server.objects:
                assert line["key"] == "lfsFile"
                changed[value["path"]] = self.server.objects[value["oid"]]
            else:
                self._answer({"error": f"no LFS object {value['oid']}"}, 400)
                return
        repository = self.server.repositories[repo]
        repository.branches[revision] = changed
        repository.history.append((header["value"]["summary"], changed))
        if self.server.lost_answers:
            self.server.lost_answers -= 1
            self.close_connection = True
            return
        number = f"{len(repository.history):040d}"
        url = f"{self.server.endpoint}/datasets/{repo}/commit/{number}"
        self._answer({"commitUrl": url, "commitOid": number, "success": True})

    def tree(self, body: bytes, repo: str, revision: str, below: str = "") -> None:
        files = self._files(repo, revision)
        if files is None:
            return
        prefix = f"{below}/" if below else ""
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries: dict[str, dict[str, Any]] = {}
        for path in sorted(files):
            if not path.startswith(prefix):
                continue
            parts = path.removeprefix(prefix).split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                folder = prefix + "/".join(parts[:depth])
                directory = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
                entries.setdefault(folder, directory)
            if recursive or len(parts) == 1:
                entries[path] = entry(path, files[path])
        if not entries and below:
            self._lacks("EntryNotFound")
            return
        start = int(self.query.get("cursor", ["0"])[0])
        page = list(entries.values())[start : start + PAGE]
        headers = {}
        if start + PAGE < len(entries):
            place = f"{self.server.endpoint}{urlsplit(self.path).path}"
            after = f"recursive={recursive}&cursor={start + PAGE}"
            headers["Link"] = f'<{place}?{after}>; rel="next"'
        self._answer(page, headers=headers)

    def paths_info(self, body: bytes, repo: str, revision: str) -> None:
        files = self._files(repo, revision)
        if files is not None:
            asked = parse_qs(body.decode())["paths"]
            self._answer([entry(path, files[path]) for path in asked if path in files])

    def resolve(self, body: bytes, repo: str, revision: str, path: str) -> None:
        files = self._files(repo, revision)
        if files is None:
            return
        if path not in files:
            self._lacks("EntryNotFound")
            return
        data, status = files[path], 200
        headers = {"ETag": f'"{git_sha1(data)}"', "X-Repo-Commit": commit_of(files)}
        if asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            status, size = 206, len(data)
            data = data[int(first) : int(last) + 1 if last else None]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(data) - 1}/{size}"
        self._answer(data, status, headers)

    def log_message(self, *arguments: Any) -> None:
        pass


_REPO = r"([^/]+/[^/]+)"
ROUTES = [
    (("POST",), r"/api/repos/create", "create"),
    (("POST",), r"/api/validate-yaml", "validate"),
    (("POST",), rf"/api/datasets/{_REPO}/branch/([^/]+)", "branch"),
    (("POST",), rf"/api/datasets/{_REPO}/preupload/([^/]+)", "preupload"),
    (("POST",), rf"/api/datasets/{_REPO}/commit/([^/]+)", "commit"),
    (("POST",), rf"/api/datasets/{_REPO}/paths-info/([^/]+)", "paths_info"),
    (("GET",), rf"/api/datasets/{_REPO}/tree/([^/]+)(?:/(.+))?", "tree"),
    (("GET",), rf"/api/datasets/{_REPO}(?:/revision/([^/]+))?", "info"),
    (("POST",), rf"/datasets/{_REPO}\.git/info/lfs/objects/batch", "batch"),
    (("PUT",), r"/lfs/([0-9a-f]{64})", "upload"),
    (("GET", "HEAD"), rf"/datasets/{_REPO}/resolve/([^/]+)/(.+)", "resolve"),
]
