"""Whether another commit computes the very numbers of this one: searches of both orders, and a training.

    python benchmarks/same_numbers.py COMMIT

Each takes 20 seeded steps on the built-in clips, by the command line of either commit; losses, alphas and
weights are compared to the bit. It exits with 1 where one differs. So a change of the code is shown to be
none of the numbers, on the machine at hand.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parents[1]
SMALL = (
    "--data", "builtin", "--preset", "demo", "--size-px", "16", "--batch-size", "64", "--workers", "0",
    "--device", "cpu", "--seed", "3",
)  # fmt: skip
RUNS = {
    "search, first order": ("search", "--order", "1", "--epochs", "4"),
    "search, second order": ("search", "--order", "2", "--epochs", "4"),
    "training": ("train", "--genotype", "random:0", "--epochs", "2"),
}
NOT_COMPARED = ("_sec", "_share", "mean_class", "balanced_accuracy")
"""Ends of the names of what differs from run to run, and what has not always had one name."""


def main() -> None:
    """Run all, compare, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", help="the commit to compare with")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch, "other")
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(other), commit], cwd=HERE, check=True)
        try:
            differ = [name for name in RUNS if not is_same(name, other, Path(scratch))]
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(other)], cwd=HERE, check=True)
    sys.exit(1 if differ else 0)


def is_same(name: str, other: Path, scratch: Path) -> bool:
    """Whether a run of either code comes to the same; told in a line."""
    ours, theirs = (result(RUNS[name], code, scratch / f"{name} {code.name}") for code in (HERE, other))
    differing = [part for part in ours if ours[part] != theirs[part]]
    print(f"{name}: " + (f"DIFFERS in {', '.join(differing)}" if differing else "the same to the bit"))
    return not differing


def result(command: tuple[str, ...], code: Path, run: Path) -> dict[str, str]:
    """What a run comes to: its losses, and digests of its tensors."""
    verb, *settings = command
    words = [sys.executable, "-m", "vidnas", verb, *SMALL, *settings, "--out", str(run)]
    its_code = os.environ | {"PYTHONPATH": str(code / "src")}
    subprocess.run(words, env=its_code, check=True, capture_output=True, cwd=run.parent)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [{k: v for k, v in line.items() if not k.endswith(NOT_COMPARED)} for line in lines]
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    tensors = dict(flat(state))
    return {
        "losses": json.dumps(losses),
        "alphas": digest({k: v for k, v in tensors.items() if "alpha" in k}),
        "weights": digest({k: v for k, v in tensors.items() if "alpha" not in k}),
    }


def flat(value: object, name: str = "") -> "list[tuple[str, torch.Tensor]]":
    """The tensors in nested dicts and lists, by their place."""
    if isinstance(value, torch.Tensor):
        return [(name, value)]
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    parts = value.items() if isinstance(value, dict) else ()
    return [one for key, part in parts for one in flat(part, f"{name}/{key}")]


def digest(tensors: "dict[str, torch.Tensor]") -> str:
    """Of the values of tensors, by name."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(name.encode() + tensor.contiguous().cpu().numpy().tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    main()
