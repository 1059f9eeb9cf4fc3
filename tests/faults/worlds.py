"""Make and check the world in which steps fail: one company's catalog, bucket and database."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deployments import client_of
from injection import run_step
from loading_jobs import USER_ID, JobMaker, Staged
from psycopg import sql
from staged_objects import Rows

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobMode, JobRecord, UploadedFile
from managed_tables.catalog.tables import TableRecord, read_rules
from managed_tables.clock import timestamp
from managed_tables.databases.connecting import PgConnection
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.object_keys import upload_key
from managed_tables.schema import Column
from managed_tables.settings import Settings
from managed_tables.shares import can_go_on, occupies_slot
from managed_tables.tables.constraints import constraint_name
from managed_tables_api.rows.inserts import NewRows, insert
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep_job

SETTLING_LIMIT_SECONDS = 10.0


def until(holds: Callable[[], Any], what: str, limit_seconds: float = SETTLING_LIMIT_SECONDS) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + limit_seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {limit_seconds} s: {what}"
        time.sleep(0.02)


class ForkedJobMaker(JobMaker):
    """Makes jobs without DuckDB in this process, because its threads would not survive a fork."""

    def _made(self, rows: Rows, columns: Sequence[Column], delimiter: str, zone: str) -> Staged:
        make = super()._made
        run = run_step(lambda: make(rows, columns, delimiter, zone))
        assert run.ended_well, run.error
        staged: Staged = run.value
        return staged


@dataclass
class World:
    """One company of a deployment; `services` are the test's, `fresh_services` those of a new process."""

    services: ApiServices
    company: ConnectionRecord
    maker: ForkedJobMaker
    admin_dsn: str
    secrets: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        # Read here: two forked children sharing their parent's connection would get each other's answers.
        self.secrets = {
            name: getattr(self.services, name) for name in ("postgres_secret", "app_secret", "jwt_secret")
        }

    def fresh_services(self, **changes: Any) -> ApiServices:
        """Return the services of a newly started process."""
        settings: Settings = self.services.settings.model_copy(update=changes)
        made = ApiServices(settings)
        made.__dict__.update(self.secrets)
        return made

    @property
    def company_id(self) -> str:
        """The company's id."""
        return self.company.company_id

    def connect(self) -> AbstractContextManager[PgConnection]:
        """Open a connection to the company's database."""
        return self.services.databases.company_connection(self.company)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the company's database and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def make_table(self, name: str, columns: Sequence[Column], rows: Sequence[dict[str, Any]] = ()) -> str:
        """Make a table with rows; return its id."""
        table_id = self.services.table_operations.create(self.company, USER_ID, name, columns).table_id
        if rows:
            inserted = self.services.named_table(self.company_id, table_id, NOBODY).do(
                insert, NewRows(list(rows))
            )
            assert inserted.count == len(rows)
        return table_id

    def queued_job(
        self,
        *contents: str | bytes,
        mode: JobMode = "create",
        table_id: str | None = None,
        seconds: float = 600,
        name: str = "vendas.csv",
    ) -> JobRecord:
        """Return a job whose files, with these contents, are in the bucket but not announced yet."""
        job_id, now = new_record_id(), datetime.now(UTC)
        bodies = [content.encode() if isinstance(content, str) else content for content in contents]
        kind = name.rpartition(".")[2]
        keys = [upload_key(self.company_id, job_id, number, kind) for number in range(len(contents))]
        files = tuple(
            UploadedFile(name, key, len(body), "text/csv") for key, body in zip(keys, bodies, strict=True)
        )
        job = JobRecord(
            company_id=self.company_id,
            job_id=job_id,
            user_id=USER_ID,
            mode=mode,
            status="queued",
            files=files,
            expires_at=timestamp(now + timedelta(seconds=seconds)),
            created_at=timestamp(now),
            updated_at=timestamp(now),
            user_table_id=table_id,
        )
        self.services.jobs.create(job)
        for file, body in zip(files, bodies, strict=True):
            self.services.s3.put_object(
                Bucket=self.services.settings.bucket_name, Key=file.storage_path, Body=body
            )
        return job

    def job(self, job_id: str) -> JobRecord:
        """Return the job's record."""
        return self.maker.job(job_id)

    def keys(self) -> set[str]:
        """Return every key in the bucket."""
        pages = self.services.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.services.settings.bucket_name
        )
        return {one["Key"] for page in pages for one in page.get("Contents", [])}

    def job_table(self) -> TableRecord:
        """Return the company's only table."""
        (table,) = self.services.tables.all(self.company_id)
        return table

    def names_held(self) -> set[str]:
        """Return the names that are taken or reserved."""
        items = self.services.items.query(f"COMPANY#{self.company_id}", "NAME#")
        return {item["sk"].removeprefix("NAME#") for item in items}

    def empty(self) -> None:
        """Delete everything of the company except its database."""
        settings = self.services.settings
        for prefix in ("TABLE#", "DELETED_TABLE#", "NAME#", "JOB#", "EXPORT#", "RUNNING", "WAITING"):
            for item in list(self.services.items.query(f"COMPANY#{self.company_id}", prefix)):
                key = {"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}
                self.services.dynamodb.delete_item(TableName=settings.table_name, Key=key)
        for object_key in self.keys():
            self.services.s3.delete_object(Bucket=settings.bucket_name, Key=object_key)
        with self.connect() as connection:
            for schema, name in _physical(connection):
                connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(schema, name)))
            connection.execute(
                "DELETE FROM managed_tables.tables; DELETE FROM managed_tables.row_counts;"
                " DELETE FROM managed_tables.applied_jobs; DELETE FROM managed_tables.applied_requests;"
                " DELETE FROM managed_tables.undoable_jobs; DELETE FROM managed_tables.added_columns"
            )

    def list_tables(self) -> None:
        """List the tables, as a user does next, until a dead process's operations are finished."""
        until(self._has_nothing_pending, "no operation is left pending, no reservation without a job")

    def assert_sound(self) -> None:
        """Check that nothing is half done, and that DynamoDB, PostgreSQL and S3 agree."""
        self.list_tables()
        self._assert_ends_told()
        self._assert_slots_used()
        records = list(self.services.tables.all(self.company_id))
        visible = [record for record in records if record.state == "ready"]
        assert {record.state for record in records} <= {"ready"}
        assert self.names_held() == {record.display_name for record in visible}
        with self.connect() as connection:
            physical = _physical(connection)
            assert {name for schema, name in physical if schema == "public"} == self.names_held()
            deleted = self.services.items.query(f"COMPANY#{self.company_id}", "DELETED_TABLE#")
            away = {f"deleted${item['table_id']}" for item in deleted}
            put_away = {name for schema, name in physical if schema == "deleted_tables"}
            assert {name for name in put_away if not name.startswith("hidden$")} == away
            known = {record.table_id for record in records} | {one.removeprefix("deleted$") for one in away}
            assert {name.split("$")[1] for name in put_away} <= known
            # None is temporary.
            assert {schema for schema, _ in physical} <= {"public", "deleted_tables", "kept_rows"}
            keeping = "SELECT job_id FROM managed_tables.undoable_jobs WHERE has_kept"
            kept = {("kept_rows", job_id) for (job_id,) in connection.execute(keeping)}
            assert {one for one in physical if one[0] == "kept_rows"} == kept
            for record in visible:
                _assert_same(connection, record)
                _assert_indexed(connection, record)
                _assert_ruled(connection, record)
        pk = f"COMPANY#{self.company_id}"
        jobs = {item["job_id"] for item in self.services.items.query(pk, "JOB#")}
        exports = {item["export_id"] for item in self.services.items.query(pk, "EXPORT#")}
        asked = {
            key.split("/")[2] for key in self.keys() if key.endswith("/request.json")
        }  # expires by itself
        bases = {record.table_id for record in records}  # of workbooks that went out, by table
        assert {key.split("/")[2] for key in self.keys()} <= jobs | exports | asked | bases

    def _assert_ends_told(self) -> None:
        """Check that every job's end is announced, by the sweep if the step could not."""
        ended = [job for job in self.services.jobs.scan_unfinished() if job.is_terminal]
        for job in ended:
            sweep_job(self.services, self.job(job.job_id), timestamp(), quiet_before="9999")
        left = [job for job in self.services.jobs.scan_unfinished() if job.unannounced]
        assert left == []

    def _assert_slots_used(self) -> None:
        """Check that no job waits while a slot is free, and that slots belong to jobs running a step."""
        shares = self.services.shares
        waiting = [ticket["waiting_job_id"] for ticket in shares.slots.tickets(self.company_id)]
        assert not any(can_go_on(self.job(job_id)) for job_id in waiting)
        shares.reclaim(self.company_id)
        holders = shares.slots.holders(self.company_id)
        assert all(occupies_slot(self.job(job_id)) for job_id in holders)

    def _has_nothing_pending(self) -> bool:
        self.services.table_reading.page(self.company, 1, 100)
        return not any(record.pending for record in self.services.tables.all(self.company_id))


def _physical(connection: PgConnection) -> set[tuple[str, str]]:
    rows = connection.execute(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r'"
        " AND nspname NOT IN ('pg_catalog', 'information_schema', 'managed_tables', 'catalog')"
    ).fetchall()
    return {(schema, name) for schema, name in rows}


def _assert_same(connection: PgConnection, record: Any) -> None:
    found = connection.execute(
        "SELECT version, display_name, status, columns, deleted_at IS NOT NULL,"
        " (SELECT coalesce(sum(row_count), 0)::bigint FROM managed_tables.row_counts c"
        " WHERE c.table_id = t.table_id) FROM managed_tables.tables t WHERE table_id = %s",
        [record.table_id],
    ).fetchone()
    assert found is not None
    version, name, status, columns, deleted, count = found
    assert (version, name, status, deleted) == (record.version, record.display_name, record.status, False)
    assert [Column.model_validate(one) for one in columns] == list(record.columns)
    actual = connection.execute(
        sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))
    ).fetchone()
    assert actual == (count,), "row_count is not the number of rows"
    shown = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attname NOT LIKE '%%$%%' ORDER BY attname",
        [sql.Identifier("public", name).as_string(connection)],
    ).fetchall()
    assert {one for (one,) in shown} == {"id", *(column.name for column in record.columns)}


def _assert_indexed(connection: PgConnection, record: Any) -> None:
    """Check that every index of the definition exists and is valid, and that there is no other."""
    found = connection.execute(
        "SELECT indisvalid, indisunique FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
        " AND NOT starts_with((SELECT relname FROM pg_class WHERE oid = indexrelid), 'rule$')",
        [sql.Identifier("public", record.display_name).as_string(connection)],
    ).fetchall()
    unique = [is_unique for is_valid, is_unique in found if is_valid]
    assert len(unique) == len(found), "an index is not valid"
    assert (unique.count(True), unique.count(False)) == (int(record.key is not None), len(record.indexes))


def _assert_ruled(connection: PgConnection, record: TableRecord) -> None:
    """Check that both stores have the same rules, and that those that refuse are held, and no others."""
    table = sql.Identifier("public", record.display_name).as_string(connection)
    (stored,) = connection.execute(
        "SELECT rules::text FROM managed_tables.tables WHERE table_id = %s", [record.table_id]
    ).fetchone() or ("",)
    found = connection.execute(
        "SELECT conname FROM pg_constraint"
        " WHERE conrelid = %(table)s::regclass AND starts_with(conname, 'rule$')"
        " UNION SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE indrelid = %(table)s::regclass AND starts_with(relname, 'rule$')",
        {"table": table},
    ).fetchall()
    assert read_rules(stored) == record.rules
    held = [constraint_name(record.table_id, rule) for rule in record.rules if rule.refuses]
    assert sorted(name for (name,) in found) == sorted(held)


def waiting_machine(services: ApiServices, name: str) -> str:
    """Make a state machine whose only state waits for a confirmation; return its ARN."""
    iam_name = f"{name}-states"
    iam = client_of("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    version = "2012-10-17"
    role = iam.create_role(
        RoleName=iam_name, AssumeRolePolicyDocument=json.dumps({"Version": version, "Statement": [trust]})
    )["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName=iam_name,
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": version, "Statement": [allowed]}),
    )
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Arguments": {
            "TableName": services.settings.table_name,
            "Key": {
                "pk": {"S": "{% 'COMPANY#' & $states.input.company_id %}"},
                "sk": {"S": "{% 'JOB#' & $states.input.job_id %}"},
            },
            "UpdateExpression": "SET #status = :waiting, task_token = :token",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":waiting": {"S": "waiting_confirm"},
                ":token": {"S": "{% $states.context.Task.Token %}"},
            },
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": state}}
    made = services.stepfunctions.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])
