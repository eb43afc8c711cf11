"""A place where the jobs of a comparison run: this process, one after the other."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vidnas.compare.jobs import Job
from vidnas.errors import UserError
from vidnas.runs.finished import is_finished


class Ended(NamedTuple):
    """A job that came to an end after so many seconds; where it failed, `failure` says why."""

    job: Job
    sec: float
    failure: str | None


def run_all(
    jobs: Sequence[Job], run: Callable[[Job], object], *, begins: Callable[[Job], object]
) -> Iterator[Ended]:
    """`run` every job, those of its candidates that are not finished before it; one's failure stops no other.

    `begins` is told of each before it is run. They are handed out as they end: what is read from a job's
    folder then is whole.
    """
    for job in jobs:
        begun_at, failure = time.perf_counter(), None
        begins(job)
        try:
            for candidate in job.candidates:
                if not is_finished(candidate.folder):
                    begins(candidate)
                    run(candidate)
            run(job)
        except (UserError, RuntimeError, MemoryError) as error:
            failure = str(error)
        yield Ended(job, time.perf_counter() - begun_at, failure)
