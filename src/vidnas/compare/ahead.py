"""What lies ahead of a comparison: how long its jobs will take, and how many epochs fit into equal times."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidnas.assembly.forecasts import Outlook, too_few_minutes
from vidnas.compare.jobs import Job
from vidnas.config.learning import TrainConfig
from vidnas.errors import UserError
from vidnas.runs.finished import epochs_done, is_finished
from vidnas.runs.log import RunLog
from vidnas.runs.settings import stored_config
from vidnas.training.forecast import in_words
from vidnas.training.pace import Countdown


def settle(settings: TrainConfig, folder: Path, outlook: Outlook) -> TrainConfig:
    """The settings of a job with their epochs: for equal time as many as its network has with any seed.

    Where it has none yet, as many as seem to fit; UserError where not one does.
    """
    if settings.minutes is None:
        return settings
    seeds = (stored_config(TrainConfig, run) for run in (folder, *sorted(folder.parent.glob("seed-*"))))
    begun = next((config for config in seeds if config is not None), None)
    if begun is not None:
        return replace(settings, minutes=None, epochs=begun.epochs)
    training = outlook.pace(settings)._replace(once_sec=0.0)
    epochs = training.epochs_in(60 * settings.minutes)
    if epochs < 1:
        raise UserError(too_few_minutes(settings.minutes, training))
    return replace(settings, minutes=None, epochs=epochs)


def look_ahead(jobs: Sequence[Job], outlook: Outlook, log: RunLog) -> Countdown:
    """Foretell how long the jobs will take, and tell it, and which network cannot be trained."""
    foretold: dict[Job, float] = {}
    refused: dict[str, str] = {}
    for job in jobs:
        if job.name not in refused:
            log.check_stop()
            try:
                first = all(job.name != other.name for other in foretold)
                foretold[job] = _foretold_sec(job, outlook, first=first)
            except (UserError, RuntimeError, MemoryError) as error:
                refused[job.name] = str(error)
    for name, said in refused.items():
        log.say(f"Careful: {name} cannot be trained, and its row will say so: {said}")
    countdown = Countdown({str(job): sec for job, sec in foretold.items()})
    if foretold:
        each = ", ".join(f"{job} {in_words(sec)}" for job, sec in foretold.items())
        log.say(f"Forecast of the whole: {countdown} for all trainings (network/seed: {each}).")
    return countdown


def _foretold_sec(job: Job, outlook: Outlook, *, first: bool) -> float:
    """How long a job will take; the first one of a network with its candidates, each about as long."""
    epochs = settle(job.settings, job.folder, outlook).epochs
    sec = outlook.pace(job.settings).sec(max(0, epochs - epochs_done(job.folder)))
    ahead = sum(not is_finished(candidate.folder) for candidate in job.candidates)
    if not first or not ahead:
        return sec
    example = job.candidates[0]
    return sec + ahead * outlook.pace(example.settings).sec(
        settle(example.settings, example.folder, outlook).epochs
    )
