"""What a person calls a network: names -> what it is built from. Imports only the standard library."""

from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from vidnas.config.learning import Baseline, TrainConfig
from vidnas.errors import UsageError, UserError
from vidnas.nas.genotype import Genotype, all_skip_genotype, load_genotype, random_genotype
from vidnas.runs.files import GENOTYPE

RANDOM = "random:"
"""Before a seed: a random cell."""
ALL_SKIP = "all-skip"
BEST_OF = "best-of:"
"""Before a number K: the best of K random cells, by validation. Only a comparison can choose it."""
CELLS = (
    "A cell is given as a genotype file, the run folder of a search or of a cell's training, "
    f"{RANDOM}SEED or {ALL_SKIP}."
)

Architecture = Genotype | Baseline
"""What a network is built from: a cell's genotype, or the name of a hand-designed network."""


def read_architecture(source: str) -> Architecture:
    """What a network is built from, by the name that a person gives it.

    That of a hand-designed network; or a cell: the one in a genotype file or a run folder, a random one for
    `random:SEED`, skips alone for `all-skip`. UserError for any other says what there is.
    """
    for name in get_args(Baseline):
        if name == source:
            return name  # type: ignore[no-any-return]
    if source.startswith(RANDOM):
        seed = source.removeprefix(RANDOM)
        if not seed.isdecimal():
            raise UsageError(f"{source} names no cell; write random: and a whole number, as in random:0.")
        return random_genotype(int(seed))
    if source == ALL_SKIP:
        return all_skip_genotype()
    path = Path(source).expanduser()
    if path.is_dir() and not (path / GENOTYPE).exists():
        raise UserError(
            f"{path} holds no {GENOTYPE}. It must be the folder of a finished search or of a cell's "
            "training; of an unfinished search take an epoch's, as in genotypes/epoch-001.json. A "
            "hand-designed network goes by its name."
        )
    if path.exists():
        return load_genotype(path / GENOTYPE if path.is_dir() else path)
    raise _unknown(source)


def _unknown(source: str) -> UserError:
    """What to say of a name that names no network."""
    hand_designed = ", ".join(get_args(Baseline))
    if source.startswith(BEST_OF):
        return UsageError(f"{source} is for a comparison: vidnas compare --networks {source}. {CELLS}")
    if "/" in source or source.endswith(".json") or Path(source).is_symlink():
        return UserError(
            f"There is no file or folder {source}. {CELLS} A network may also be one designed by hand: "
            f"{hand_designed}."
        )
    close = get_close_matches(source.lower(), [*get_args(Baseline), ALL_SKIP], n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return UsageError(
        f"There is no network {source}.{hint} {CELLS} In a comparison it may also be {BEST_OF}K, the best of "
        f"K random cells. A network designed by hand is one of {hand_designed}."
    )


def read_genotype(source: str) -> Genotype:
    """The cell of this name, as `read_architecture` reads it; UsageError for a hand-designed network's."""
    architecture = read_architecture(source)
    if not isinstance(architecture, Genotype):
        raise UsageError(
            f"{source} is no cell but a hand-designed network: write --network {source}. (A file or folder "
            f"of that name is ./{source}.)"
        )
    return architecture


def genotype_source(config: TrainConfig) -> str:
    """Where the genotype comes from: by default the run whose weights are taken over."""
    source = config.genotype or config.init
    if source is None:
        raise UsageError(
            "What is to be trained? Give --genotype FILE, a run folder, random:SEED or all-skip; or a "
            "hand-designed network with --network."
        )
    return source
