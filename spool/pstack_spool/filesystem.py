"""Which file system a path is on: WAL needs memory shared by all that use the file."""

from __future__ import annotations

import os
from pathlib import Path

#: Types of file systems on which other machines may change the same file.
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"}
    | {"ceph", "lustre", "gpfs", "beegfs", "glusterfs", "ocfs2", "gfs2", "pvfs2", "orangefs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.juicefs"}
)

#: How the kernel writes what would break a line of its table; the backslash comes last.
_ESCAPED = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


def network_file_system(path: Path) -> str | None:
    """The type of the network file system that holds ``path``; None if local or not known."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return _network_mount(os.path.realpath(path), mounts)


def _network_mount(path: str, mounts: str) -> str | None:
    longest, kind = -1, ""
    for line in mounts.splitlines():
        # id parent device root MOUNT-POINT options [fields...] - TYPE source options
        before, _, after = line.partition(" - ")
        fields, types = before.split(" "), after.split(" ")
        if len(fields) < 5 or not types[0]:
            continue
        point = fields[4]
        for escaped, meant in _ESCAPED.items():
            point = point.replace(escaped, meant)
        inside = point == "/" or path == point or path.startswith(f"{point}/")
        # Later lines are mounted over earlier ones.
        if inside and len(point) >= longest:
            longest, kind = len(point), types[0]
    return kind if kind in NETWORK else None
