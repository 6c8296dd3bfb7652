"""Files that operating systems and notebooks leave beside pictures, and that are never inputs."""

from __future__ import annotations

_FOLDERS = frozenset({
    "__macosx", ".ipynb_checkpoints", ".thumbnails", "@eadir", ".@__thumb",
    ".trash", ".trashes", "$recycle.bin", "#recycle", "@recycle",
    "system volume information", "lost+found",
})  # fmt: skip
_TRASH_OF_USER = ".trash-"  # and the number of the user (freedesktop.org Trash specification)
_FILES = frozenset({"thumbs.db", ".ds_store", "desktop.ini"})
_APPLE_DOUBLE = "._"


def is_system_file(path: str) -> bool:
    """Whether a file is one that a system wrote for itself, whatever its suffix says.

    macOS writes `._x.jpg` beside `x.jpg` on foreign disks and `__MACOSX/` into zips, and
    `.DS_Store`; Windows writes `Thumbs.db` and `desktop.ini`; Jupyter copies files into
    `.ipynb_checkpoints/`. Desktops and network disks keep thumbnails and what was thrown away in
    folders of theirs (`.thumbnails/`, `@eaDir/`, `.Trash-1000/`, `$RECYCLE.BIN/`).

    Args:
        path: of a file in a folder or a member of an archive; its parts are joined by `/`.
    """
    if in_system_folder(path):
        return True
    name = path.rsplit("/", 1)[-1]
    return name.startswith(_APPLE_DOUBLE) or name.lower() in _FILES


def in_system_folder(path: str) -> bool:
    """Whether a file lies in a folder that a system keeps for itself, at any depth of its path."""
    return any(
        folder in _FOLDERS
        or (folder.startswith(_TRASH_OF_USER) and folder.removeprefix(_TRASH_OF_USER).isdigit())
        for folder in path.lower().split("/")[:-1]
    )
