"""The paired difference of two networks that two comparisons trained, over the seeds of both.

    python benchmarks/paired.py runs/table2/lowest-rate/runs/c3d-8 runs/table2/remedies/runs/searched

`vidnas compare` gives it within one comparison; this is for networks whose settings differ. Prints in points
how much more often the first is right, with the 95 % interval from resampling groups.
"""

import sys
from pathlib import Path

from vidnas.compare.rows import paired_difference
from vidnas.runs.finished import seed_runs


def main(first: str, second: str) -> None:
    """Read the finished seeds of both folders and compare them."""
    difference = paired_difference(*(seed_runs(Path(folder), Path(folder)) for folder in (first, second)))
    if difference is None:
        raise SystemExit("They have no finished seed in common.")
    points, (low, high) = 100 * difference[0], difference[1]
    print(f"{points:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
