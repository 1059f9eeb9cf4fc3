"""Choose where the rows of an inbox object go: into the table of that name, or a new one."""

from dataclasses import dataclass

from managed_tables.catalog.job_records import Intake, JobMode
from managed_tables.catalog.tables import Tables


@dataclass(frozen=True)
class Target:
    """A job's mode and, unless it makes a table, the table; `is_active`: whether the table takes rows."""

    mode: JobMode
    table_id: str | None = None
    is_active: bool = True


def find_target(tables: Tables, company_id: str, intake: Intake) -> Target:
    """Return the target as it is now: a table that another job is making does not exist yet."""
    table = tables.find_holder(company_id, intake.table_name) if intake.table_name else None
    if table is None or table.state != "ready":
        return Target("create")
    return Target(intake.mode, table.table_id, table.status == "active")
