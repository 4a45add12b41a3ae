"""Asks for known vulnerabilities in everything that the locks name: ``python .ci/audit.py LOCK ...``.

Ends with 1 where there is one. What could not be asked about is a warning, the last thing said: pip-audit itself calls a
list clean of which it could ask about nothing.
"""

import json
import subprocess
import sys
from pathlib import Path

_SHOWN = 5


def audit(locks: list[str]) -> int:
    """Say what pip-audit finds; return the exit status."""
    command = [
        str(Path(sys.executable).with_name("pip-audit")),
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    asked = [word for lock in locks for word in ("--requirement", lock)]
    done = subprocess.run(  # noqa: S603
        [*command, "--no-deps", "--disable-pip", *asked], capture_output=True, text=True, check=False
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"WARNING: nothing was audited for known vulnerabilities: {reason}")
        return 0
    audited = [one for one in packages if "skip_reason" not in one]
    skipped = [one for one in packages if "skip_reason" in one]
    hurt = [(one, flaw) for one in audited for flaw in one["vulns"]]
    for one, flaw in hurt:
        fixed = ", ".join(flaw.get("fix_versions", [])) or "no version yet"
        print(f"{one['name']} {one['version']}: {flaw['id']}, mended in {fixed}")
    print(f"{len(audited)} of {len(packages)} packages audited, {len(hurt)} known vulnerabilities")
    if skipped or not packages:
        names = ", ".join(one["name"] for one in skipped[:_SHOWN])
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        print(
            f"WARNING: {len(skipped)} packages could not be audited: {names or 'the locks name none'}{more}"
        )
    return 1 if hurt else 0


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1:]))
