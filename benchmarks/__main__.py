"""`make bench`: every benchmark, each printing one JSON line a figure. `python -m benchmarks NAME …` runs some."""

from __future__ import annotations

import subprocess
import sys

ALL = ("understanding", "webhook", "postman", "kills", "importing", "broadcast", "plans", "console")


def main(names: list[str]) -> int:
    """One after another, each in a process of its own: they must not warm each other's caches."""
    failed = [name for name in names if subprocess.call([sys.executable, "-m", f"benchmarks.{name}"])]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(ALL)))
