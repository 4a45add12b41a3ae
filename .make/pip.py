"""Runs pip in this environment: ``python .make/pip.py install ...``.

One at a time, since two would write over each other's files; and after taking away what an interrupted one had half
unpacked, which the next would take for installed.
"""

import fcntl
import os
import shutil
import sys
import sysconfig
from pathlib import Path

lock = os.open(Path(sys.prefix, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(lock, True)  # noqa: FBT003 - held until pip itself ends
fcntl.flock(lock, fcntl.LOCK_EX)
for about in Path(sysconfig.get_path("purelib")).glob("*.dist-info"):
    if not (about / "INSTALLER").exists():  # pip writes it when all files are there
        shutil.rmtree(about)
os.execv(sys.executable, [sys.executable, "-m", "pip", *sys.argv[1:]])  # noqa: S606
