"""The order in which jobs of all companies get a share of one run."""

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, islice, zip_longest

from managed_tables.catalog.job_records import JobRecord

MAX_A_COMPANY = 100  # jobs kept of one, each as likely as the others: memory grows with companies alone


class FairDraw:
    """Draws at most `size` jobs: the first of each company, then the second of each, and so on.

    The jobs of a company that are `inserting` come first, since their rows may be there; else jobs and
    companies come in a random order, so that the same ones are not last each time.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._reservoirs: defaultdict[tuple[str, bool], _Reservoir] = defaultdict(_Reservoir)

    def add(self, job: JobRecord) -> None:
        """Take a job into account."""
        self._reservoirs[job.company_id, job.status == "inserting"].add(job)

    def drawn(self) -> Iterator[JobRecord]:
        """Yield the jobs in the order in which they are to be looked at."""
        companies = list({company_id for company_id, _ in self._reservoirs})
        random.shuffle(companies)
        rounds = zip_longest(*map(self._jobs_of, companies))
        return islice((job for job in chain.from_iterable(rounds) if job is not None), self._size)

    def _jobs_of(self, company_id: str) -> list[JobRecord]:
        reservoirs = (self._reservoirs.get((company_id, inserting)) for inserting in (True, False))
        return [job for reservoir in reservoirs if reservoir for job in reservoir.shuffled()]


class _Reservoir:
    """Keeps at most MAX_A_COMPANY of the jobs that pass, each with the same chance."""

    def __init__(self) -> None:
        self._seen = 0
        self._kept: list[JobRecord] = []

    def add(self, job: JobRecord) -> None:
        self._seen += 1
        if len(self._kept) < MAX_A_COMPANY:
            self._kept.append(job)
        elif (place := random.randrange(self._seen)) < MAX_A_COMPANY:  # noqa: S311 - fairness, no secret
            self._kept[place] = job

    def shuffled(self) -> list[JobRecord]:
        return random.sample(self._kept, len(self._kept))
