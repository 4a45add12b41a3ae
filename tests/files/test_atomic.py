"""Files that appear whole: what has to reach the disk, in its order."""

from __future__ import annotations

import os
import stat

from shamsul_core.files.atomic import write_atomically


def test_the_content_reaches_the_disk_before_the_name_and_the_name_too(tmp_path, monkeypatch):
    """POSIX: a file's name is the folder's content, which only syncing the folder brings to the disk."""
    synced = []

    def fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("folder" if is_folder else "file", (tmp_path / "table").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "table", b"whole")
    assert synced == [("file", False), ("folder", True)]
    assert (tmp_path / "table").read_bytes() == b"whole"
