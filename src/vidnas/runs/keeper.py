"""Where a run stands, kept so that it can go on exactly there."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from vidnas.errors import Interrupted, UserError, counted
from vidnas.runs.checkpoint import save_checkpoint
from vidnas.runs.files import CHECKPOINT
from vidnas.runs.log import RunLog
from vidnas.training.loop import Stateful, Tally


class Keeper:
    """Saves a run after every epoch, at least every `every_sec` within one, and when it is interrupted.

    A checkpoint holds the state of every one of `parts` under its name, PyTorch's random numbers, the log's
    records and the position: `epoch` epochs are done, and `step` steps of the next with the mean `tally` in
    `epoch_sec`.
    The order and the randomness of the clips follow from the position (video/clips/loaders.py).
    """

    def __init__(self, log: RunLog, parts: Mapping[str, Stateful], *, every_sec: float) -> None:
        self.epoch = 0
        self.step = 0
        self.tally = Tally()
        self._log = log
        self._parts = parts
        self._every_sec = every_sec
        self._saved_at = self._epoch_began = time.perf_counter()

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Interrupted):
            self.save()
            self._log.say(f"Saved after {self._where()}.")

    @property
    def epoch_sec(self) -> float:
        """Seconds spent in this epoch, those before an interruption among them."""
        return time.perf_counter() - self._epoch_began

    def step_done(self) -> None:
        """Count a step, and save if it is time."""
        self.step += 1
        if time.perf_counter() - self._saved_at >= self._every_sec:
            self.save()

    def epoch_done(self) -> None:
        """Count an epoch, whose records are written, and save."""
        self.epoch, self.step, self.tally = self.epoch + 1, 0, Tally()
        self._epoch_began = time.perf_counter()
        self.save()

    def save(self) -> None:
        """Write the checkpoint; UserError where the disk refuses, and then the last one stays."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        position = {"epoch": self.epoch, "step": self.step, "tally": asdict(self.tally)}
        position |= {"epoch_sec": self.epoch_sec}
        log = {"records": self._log.records, "elapsed_sec": self._log.elapsed_sec, "machine": _machine()}
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        random = {"cpu_random": torch.get_rng_state(), "cuda_random": cuda}
        save_checkpoint(self._log.path(CHECKPOINT), {**state, **position, **log, **random})
        self._saved_at = time.perf_counter()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state in a checkpoint; UserError where it is of another run."""
        try:
            for name, part in self._parts.items():
                part.load_state_dict(state[name])
            self.epoch, self.step, self.tally = state["epoch"], state["step"], Tally(**state["tally"])
            was, now = state["machine"], _machine()
            self._epoch_began = time.perf_counter() - state["epoch_sec"]
            torch.set_rng_state(state["cpu_random"].cpu())
            if len(state["cuda_random"]) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all([random.cpu() for random in state["cuda_random"]])
            self._log.begin(state["records"], elapsed_sec=state["elapsed_sec"])  # last: it cuts files
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{self._log.path(CHECKPOINT)} does not fit the settings of its run, or an older vidnas "
                f"wrote it: {error}."
            ) from error
        self._log.say(f"Going on after {self._where()}.")
        if was != now:
            self._log.say(f"Careful: it was saved by {was}, this is {now}: sums may be rounded otherwise.")

    def _where(self) -> str:
        return f"{counted(self.epoch, 'whole epoch')} and {counted(self.step, 'step')}"


def _machine() -> str:
    """What decides how sums are rounded."""
    gpu = f" and {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"PyTorch {torch.__version__} with {counted(torch.get_num_threads(), 'thread')}{gpu}"
