"""What a deployment costs a month, in two regions and for several numbers of companies: prices times use.

A price is what AWS asks in USD, on demand, free tiers left out. Those of us-east-1 were published ones in
2026. Of sa-east-1 two were: Lambda's, the same, and Step Functions'. The others are estimates: a factor
that is usual for the service in São Paulo, which only AWS's price list can confirm.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

HOURS = 730
COMPANIES = (0, 1, 100, 10_000)
CALLS, UPLOADS, GIGABYTES = 30_000, 60, 2  # of one company a month; GB of rows and indexes in PostgreSQL
STORAGE_IO = CALLS * 10 + UPLOADS * 5_000  # of Aurora's storage
SECOND_GB = 0.0000133334  # of Lambda, arm64
MILLION = 1_000_000
AWAKE = {0: 0, 1: 40, 100: 2 * HOURS, 10_000: 4 * 16 * HOURS}  # ACU-hours of the writers
READERS = {0: 0, 1: 0, 100: 2 * HOURS, 10_000: 4 * 8 * HOURS}
RESTORES = {0: 0, 1: 500, 100: 5_000, 10_000: 50_000}  # of a snapshot of the API, 1 GB

Units = Callable[[int], float]


@dataclass(frozen=True)
class Row:
    """One line of the bill: USD a unit in us-east-1, and the units of a month by the number of companies.

    `factor` is how much dearer sa-east-1 is, `is_published` whether that is known; an extra is on request.
    """

    what: str
    price: str
    usd: float
    units: Units
    factor: float = 1
    is_published: bool = False
    is_extra: bool = False

    def cost(self, companies: int, region: int) -> float:
        """Return USD a month; `region` 0 is us-east-1, 1 is sa-east-1."""
        return self.usd * (self.factor if region else 1) * self.units(companies)


def each(units: float) -> Units:
    """So many units a company."""
    return lambda companies: companies * units


def always(units: float) -> Units:
    """So many units, whoever uses it."""
    return lambda _: units


def _traces(companies: int) -> float:
    """One request a second, and 5 in 100 of what is beyond."""
    calls, all_seconds = companies * CALLS, 3_600 * HOURS
    return calls if calls < all_seconds else all_seconds + 0.05 * (calls - all_seconds)


def _sweep(companies: int) -> float:
    return 12 * HOURS * 0.5 * (20 if companies >= 10_000 else 2)


def _logs(companies: int) -> float:
    return 100_000 + companies * (CALLS + 10 * UPLOADS)


LAMBDA = (
    Row("Lambda, API: 1 GB × 0.05 s", "0.0000133 a GB-second", SECOND_GB, each(CALLS * 0.05)),
    Row("Lambda, steps: 6 GB × 4 s an upload", "the same", SECOND_GB, each(UPLOADS * 24)),
    Row("Lambda, requests", "0.20 a million", 0.2 / MILLION, each(CALLS + 6 * UPLOADS)),
    Row("SnapStart, three versions kept", "1.50 a million GB-seconds", 0.0000015046,
        always(3 * 3_600 * HOURS)),
    Row("SnapStart, starts", "0.00014 a GB", 0.00014, RESTORES.__getitem__),
    Row("Sweep, every 5 minutes: 0.5 GB × 2 to 20 s", "as Lambda", SECOND_GB, _sweep),
)  # fmt: skip
STORES = (
    Row("DynamoDB, 60 writes an upload", "0.625 a million", 0.625 / MILLION, each(UPLOADS * 60), 1.5),
    Row("DynamoDB, 200 reads an upload, 2 a call", "0.125 a million", 0.125 / MILLION,
        each(UPLOADS * 200 + CALLS * 2), 1.5),
    Row("DynamoDB, 1 MB a company, restorable", "0.45 a GB", 0.45, each(0.001), 1.5),
    Row("S3, 0.8 GB a company: files 30 days, what is staged 180", "0.023 a GB", 0.023, each(0.8), 1.75),
    Row("S3, 12 writes and 20 reads an upload", "5 and 0.40 a million", 1 / MILLION,
        each(UPLOADS * (12 * 5 + 20 * 0.4)), 1.4),
)  # fmt: skip
WATCHING = (
    Row("CloudWatch logs, 1 KB a call, 10 KB an upload", "0.50 a GB", 0.5 / MILLION, _logs, 1.8),
    Row("CloudWatch metrics of the steps", "0.30 each", 0.3, lambda n: min(30, 7 * n)),
    Row("Alarms on 32 metrics", "0.10 each", 0.1, always(32)),
    Row("Dashboard", "3", 3, always(1)),
    Row("X-Ray, one request a second, then 5 in 100", "5 a million traces", 5 / MILLION, _traces),
)
POSTGRESQL = (
    Row("PostgreSQL, storage", "0.10 a GB", 0.1, each(GIGABYTES), 1.9),
    Row("PostgreSQL, backups beyond its size", "0.021 a GB", 0.021, each(GIGABYTES), 1.9),
    Row("PostgreSQL, reads and writes of storage", "0.20 a million", 0.2 / MILLION, each(STORAGE_IO), 1.9),
    Row("PostgreSQL, compute (Aurora Serverless v2)", "0.12 an ACU-hour", 0.12, AWAKE.__getitem__, 2.1),
)
EXTRAS = (
    Row("One company awake in office hours: 220 hours at 1 ACU", "0.12 an ACU-hour", 0.12,
        lambda n: 220 - AWAKE[1] if n == 1 else 0, 2.1),
    Row("A reader: 2 ACU, or 8 for each of 4 clusters", "0.12 an ACU-hour", 0.12, READERS.__getitem__, 2.1),
    Row("Interface endpoints: 5 services in 2 zones", "0.01 an hour", 0.01, always(10 * HOURS), 2.1),
)  # fmt: skip
ROWS = (
    Row("API Gateway", "3.50 a million", 3.5 / MILLION, each(CALLS), 1.2),
    *(replace(row, is_published=True) for row in LAMBDA),
    Row(
        "Step Functions, 8 transitions an upload", "25 a million", 25 / MILLION, each(UPLOADS * 8), 1.5, True
    ),
    *STORES,
    Row("Data out: 8 KB a call, 0.5 GB of exports", "0.09 a GB", 0.09, each(CALLS * 8e-6 + 0.5), 1.67),
    *WATCHING,
    Row("Secrets, 3", "0.40 each", 0.4, always(3)),
    Row("Network made here, or dual-stack", "none", 0, always(0), is_published=True),
    *POSTGRESQL,
    *(replace(row, is_extra=True) for row in EXTRAS),
)


def table() -> str:
    """Return the table of docs/operations.md."""
    head = "| what | us-east-1 | sa-east-1 | idle | 1 company | 100 | 10,000 |\n|---|---|---|---|---|---|---|"
    rows = [_line(row) for row in ROWS if not row.is_extra]
    totals = [tuple(total(n, region) for region in (0, 1)) for n in COMPANIES]
    rows.append(f"| **together** | | | {' | '.join(f'**{_pair(*one)}**' for one in totals)} |")
    shares = [_pair(*(one / (n or 1) for one in both)) for n, both in zip(COMPANIES, totals, strict=True)]
    rows.append(f"| a company | | | | {' | '.join(shares[1:])} |")
    rows += [_line(row) for row in ROWS if row.is_extra]
    return "\n".join([head, *rows])


def total(companies: int, region: int) -> float:
    """Return USD a month of all that is not on request."""
    return sum(row.cost(companies, region) for row in ROWS if not row.is_extra)


def _line(row: Row) -> str:
    there = "the same" if row.factor == 1 else f"× {row.factor:g}"
    cells = [_pair(row.cost(n, 0), row.cost(n, 1)) for n in COMPANIES]
    return (
        f"| {row.what} | {row.price} | {there}{'' if row.is_published else ' (est.)'} | {' | '.join(cells)} |"
    )


def _pair(first: float, second: float) -> str:
    here, there = _usd(first), _usd(second)
    return here if here == there else f"{here} / {there}"


def _usd(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or not amount else f"{amount:.2f}"


def run(_small: bool) -> None:
    """Print the table."""
    print(table())
