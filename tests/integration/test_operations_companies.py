"""How an operator erases companies and people, and recovers after a disaster, on real stores."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import psycopg
import pytest
from deployments import make_table
from psycopg import sql
from psycopg.types.json import Jsonb

from managed_tables.catalog.connections import ClusterRecord, ConnectionRecord
from managed_tables.catalog.keys import company_pk
from managed_tables.catalog.tables import TableRecord
from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.errors import DATABASE_UNAVAILABLE, NOT_PROVISIONED, ApiError
from managed_tables.ids import new_record_id, row_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables_ingest.handler import read_arrivals
from managed_tables_operations import OperatorError
from managed_tables_operations import __main__ as command
from managed_tables_operations.databases import migrate_all
from managed_tables_operations.erasing import erase_again, erase_company, erase_files, erase_rows
from managed_tables_operations.reconciling import Correction, reconcile
from managed_tables_operations.redriving import redrive, take_inbox_again

COLUMNS = (
    Column(name="cpf", display_name="CPF", type=ColumnType.TEXT, nullable=True),
    Column(name="nome", display_name="Nome", type=ColumnType.TEXT, nullable=True),
)
ANA, BIA = "111.444.777-35", "529.982.247-25"


@pytest.fixture
def company(own_company: ConnectionRecord) -> ConnectionRecord:
    """A company whose database says whose it is."""
    return own_company


def make(services: Services, company: ConnectionRecord, name: str) -> TableRecord:
    """Return a table with the rows of two people."""
    made = services.table_operations.create(company, new_record_id(), name, COLUMNS)
    with services.open_company(company) as connection:
        form = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(sql.Identifier(name))
        for number, cpf in enumerate((ANA, BIA)):
            connection.execute(form, [row_id(1_700_000_000_000, number), cpf, "x"])
        connection.execute(
            "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, 0, 2)",
            [made.table_id],
        )
    return made


def age(services: Services, company: ConnectionRecord) -> None:
    services.connections.put(replace(company, state="ready", schema_version=SCHEMA_VERSION - 1))


def test_every_database_is_migrated_at_once_and_failures_are_reported(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(services, company)
    assert list(migrate_all(services)) == [(company.company_id, None)]
    assert list(migrate_all(services)) == []
    age(services, company)

    def refuse(_company_id: str) -> ConnectionRecord:
        raise ApiError(NOT_PROVISIONED)

    monkeypatch.setattr(services.provisioning.__class__, "require", lambda _self, one: refuse(one))
    monkeypatch.setattr(command, "load_services", lambda: services)
    assert command.main(["migrate", "--all"]) == 1


def test_a_newer_releases_database_is_refused_only_if_it_needs_newer_code(
    services: Services, company: ConnectionRecord
) -> None:
    known = services.connections.find(company.company_id)
    assert known is not None
    services.connections.put(replace(known, schema_version=SCHEMA_VERSION + 1))
    assert services.provisioning.require(company.company_id).connection_id == company.connection_id
    services.connections.put(replace(known, needs_schema=SCHEMA_VERSION + 1))
    with pytest.raises(ApiError) as refused:
        services.provisioning.require(company.company_id)
    assert refused.value.kind is DATABASE_UNAVAILABLE


def test_an_erased_company_leaves_nothing(
    services: Services, company: ConnectionRecord, postgres_dsn: str
) -> None:
    """Its database, roles, objects and records go; another company's stay."""
    other = services.provisioning.provision(new_record_id())
    for one in (company, other):
        make(services, one, "clientes")
        services.storage.put(f"uploads/{one.company_id}/x/00.csv", b"a", "text/csv")
    roles = services.databases.roles_of(company)
    with services.databases.company_connection(company):
        list(erase_company(services, company.company_id))
    assert list(services.items.query(company_pk(company.company_id))) == []
    with psycopg.connect(postgres_dsn) as admin:
        for query in (
            "SELECT FROM pg_database WHERE datname = %s",
            "SELECT FROM pg_roles WHERE rolname = %s",
        ):
            assert admin.execute(query, [roles.database]).fetchone() is None
        assert admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [roles.reader]).fetchone() is None
    bucket = services.settings.bucket_name
    left = services.s3.list_objects_v2(Bucket=bucket, Prefix="uploads/")["Contents"]
    assert [one["Key"] for one in left] == [f"uploads/{other.company_id}/x/00.csv"]
    assert [table.display_name for table in services.tables.all(other.company_id)] == ["clientes"]
    assert list(erase_company(services, company.company_id))[-1] == "0 records", "again must not fail"


def test_a_persons_rows_are_erased_wherever_they_are_kept(
    services: Services, company: ConnectionRecord
) -> None:
    """They go from tables, data kept for undo, deleted tables and hidden columns; others' rows stay."""
    table = make(services, company, "clientes")
    gone = make(services, company, "antigos")
    services.table_operations.delete(company, gone.table_id)
    kept = [ColumnChange(**COLUMNS[0].model_dump())]
    services.table_operations.update(company, table.table_id, TableChange(columns=kept))
    with services.open_company(company) as connection:
        connection.execute("CREATE TABLE kept_rows.job AS SELECT * FROM clientes")
    counts = dict(erase_rows(services, company, "cpf", ANA))
    assert sorted(counts.values()) == [1, 1, 1, 1]
    assert counts["public.clientes"] == counts["kept_rows.job"] == 1
    with services.open_company(company) as connection:
        assert connection.execute("SELECT cpf FROM clientes").fetchall() == [(BIA,)]
    assert services.table_reading.count(company, table) == 1
    assert sum(count for _, count in erase_rows(services, company, "cpf", ANA)) == 0


def test_what_views_and_recipes_say_of_a_person_is_erased_as_well(
    services: Services, company: ConnectionRecord
) -> None:
    make(services, company, "clientes")
    where = {"or": [{"column": "cpf", "op": "in", "value": [ANA, BIA]}, {"column": "cpf", "op": "is_null"}]}
    recipe = {"tables": [{"skip_texts": [f"Responsável: {ANA}", "Total geral"]}], "columns": []}
    with services.open_company(company) as connection:
        connection.execute(
            "INSERT INTO managed_tables.views (view_id, table_id, user_id, name, shared, content, change_id)"
            " VALUES ('a', 't', 'u', 'dela', true, %s, 0), ('b', 't', 'u', 'outra', true, %s, 0)",
            [Jsonb({"where": where, "sort": ["cpf"]}), Jsonb({"q": BIA})],
        )
        connection.execute(
            "INSERT INTO managed_tables.recipes (table_id, version, job_id, recipe) VALUES ('t', 1, 'j', %s)",
            [Jsonb(recipe)],
        )
    counts = dict(erase_rows(services, company, "cpf", ANA))
    assert (counts["managed_tables.views"], counts["managed_tables.recipes"]) == (1, 1)
    with services.open_company(company) as connection:
        views = connection.execute("SELECT content FROM managed_tables.views ORDER BY view_id").fetchall()
        said = connection.execute("SELECT recipe #> '{tables,0,skip_texts}' FROM managed_tables.recipes")
        assert said.fetchone() == (["Total geral"],)
    assert [one for (one,) in views] == [{"where": None, "sort": ["cpf"], "q": None}, {"q": BIA}]


def test_files_of_ended_jobs_can_be_deleted_early(services: Services, company: ConnectionRecord) -> None:
    keys = {}
    for status in ("done", "queued"):
        job_id = new_record_id()
        item = {"pk": company_pk(company.company_id), "sk": f"JOB#{job_id}", "job_id": job_id}
        services.items.put({**item, "status": status, "error": {"code": "X", "details": [{"value": ANA}]}})
        keys[status] = f"uploads/{company.company_id}/{job_id}/00.csv"
        services.storage.put(keys[status], b"a", "text/csv")
    assert erase_files(services, company) == 1
    assert str(list(services.items.query(company_pk(company.company_id)))).count(ANA) == 1
    found = services.s3.list_objects_v2(
        Bucket=services.settings.bucket_name, Prefix=f"uploads/{company.company_id}/"
    )
    assert [one["Key"] for one in found["Contents"]] == [keys["queued"]]


def test_a_lost_catalog_is_rebuilt_from_the_databases(services: Services, company: ConnectionRecord) -> None:
    """The metadata table was replaced by an empty one; nothing in PostgreSQL is lost."""
    table = make(services, company, "clientes")
    services.provisioning.rotate_reader(company.company_id)
    lost = services.settings.table_name
    make_table(f"{lost}-again")
    empty = Services(services.settings.model_copy(update={"table_name": f"{lost}-again"}))
    empty.postgres_secret = services.postgres_secret  # type: ignore[assignment]
    said = [said for database, said in reconcile(empty) if database == f"co_{company.connection_id}"]
    assert len(said) == 2
    found = empty.provisioning.require(company.company_id)
    assert (found.connection_id, found.state) == (company.connection_id, "ready")
    rebuilt = empty.tables.find(company.company_id, table.table_id)
    assert rebuilt is not None
    assert rebuilt.applied == table.applied
    assert empty.table_reading.count(found, rebuilt) == 2
    empty.table_operations.update(found, table.table_id, TableChange(display_name="pessoas"))
    with pytest.raises(ApiError):
        empty.table_operations.create(found, new_record_id(), "pessoas", COLUMNS)
    reader = empty.databases.roles_of(found)
    secret = empty.postgres_secret
    login = {"user": reader.reader, "password": reader.password(reader.reader), "dbname": reader.database}
    psycopg.connect(host=secret.host, port=secret.port, **login).close()
    assert f"co_{company.connection_id}" not in dict(reconcile(empty))


def reconcile_alone(services: Services, company: ConnectionRecord) -> list[str]:
    """Return the report about that company."""
    found = reconciled(services, company)
    return [said for database, said in found if database == f"co_{company.connection_id}"]


def reconciled(services: Services, company: ConnectionRecord) -> list[Correction]:
    """Return the whole report; forget the others on the server, whose databases are in use."""
    found = list(reconcile(services))
    table = services.settings.table_name
    for item in services.dynamodb.scan(TableName=table)["Items"]:
        if item["sk"]["S"] == "CONNECTION" and item["pk"]["S"] != company_pk(company.company_id):
            services.dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    return found


def test_a_database_restored_to_an_earlier_time_is_authoritative(
    services: Services, company: ConnectionRecord
) -> None:
    """Tables were renamed, made and deleted since: the catalog is reset to what PostgreSQL has."""
    renamed, deleted = make(services, company, "clientes"), make(services, company, "antigos")
    services.table_operations.update(company, renamed.table_id, TableChange(display_name="pessoas"))
    made = make(services, company, "novos")
    services.table_operations.delete(company, deleted.table_id)
    with services.open_company(company) as connection:  # as before these three changes
        connection.execute("ALTER TABLE pessoas RENAME TO clientes")
        connection.execute(
            "UPDATE managed_tables.tables SET version = 1, display_name = 'clientes' WHERE table_id = %s",
            [renamed.table_id],
        )
        connection.execute("DROP TABLE novos")
        connection.execute("DELETE FROM managed_tables.tables WHERE table_id = %s", [made.table_id])
        away = sql.Identifier("deleted_tables", f"deleted${deleted.table_id}")
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA public").format(away))
        away = sql.Identifier(f"deleted${deleted.table_id}")
        connection.execute(sql.SQL("ALTER TABLE {} RENAME TO antigos").format(away))
        connection.execute(
            "UPDATE managed_tables.tables SET version = 1, deleted_at = NULL WHERE table_id = %s",
            [deleted.table_id],
        )
    assert len(reconcile_alone(services, company)) == 3
    names = {table.display_name: table.version for table in services.tables.all(company.company_id)}
    assert names == {"clientes": 1, "antigos": 1}
    services.table_operations.create(company, new_record_id(), "novos", COLUMNS)


@pytest.mark.usefixtures("services")
def test_dead_letters_are_sent_again() -> None:
    """Each goes to its function, with its event; one that is refused stays in the queue."""
    queue = boto3.client("sqs")
    url = queue.create_queue(QueueName=f"letters-{new_record_id()}")["QueueUrl"]
    for number in range(2):
        told = {"requestContext": {"functionArn": f"arn:f{number}"}, "requestPayload": {"n": number}}
        queue.send_message(QueueUrl=url, MessageBody=json.dumps(told))
    functions = Functions()
    queue.send_message(QueueUrl=url, MessageBody="not a letter")
    with pytest.raises(OperatorError):
        list(redrive(queue, functions, url))
    assert sorted(functions.events) == [b'{"n": 0}', b'{"n": 1}']
    assert list(redrive(queue, functions, url)) == []
    queue.send_message(QueueUrl=url, MessageBody=json.dumps(told))
    with pytest.raises(RuntimeError):
        list(redrive(queue, Functions(refuse=True), url))
    counted = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counted["ApproximateNumberOfMessagesNotVisible"] == "2", "not deleted"
    queue.delete_queue(QueueUrl=url)


def test_objects_of_the_inbox_that_nobody_took_are_announced_again(services: Services) -> None:
    """Whatever became of their events: none is taken twice, and none that may be on its way."""
    services.settings = services.settings.model_copy(update={"ingest_function": "ingest"})
    for name in ("taken.csv", "março 1.csv"):
        services.storage.put(f"inbox/x/{name}", b"a;b", "text/csv")
    services.storage.tag("inbox/x/taken.csv", "job-id", "j")
    functions = Functions()
    assert list(take_inbox_again(services, functions)) == []
    assert list(take_inbox_again(services, functions, timedelta(0))) == ["inbox/x/março 1.csv"]
    (arrival,) = read_arrivals(json.loads(functions.events[0]))
    metadata = services.storage.find_metadata(arrival.key, arrival.etag)
    assert (arrival.key, arrival.size_bytes, metadata) == ("inbox/x/março 1.csv", 3, {})


class Functions:
    """A stand-in for Lambda that accepts events."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.events: list[bytes] = []
        self._refuse = refuse

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        if self._refuse:
            raise RuntimeError(FunctionName)
        assert InvocationType == "Event"
        self.events.append(Payload)
        return {}


def test_what_was_erased_stays_erased_after_a_restore(
    services: Services, company: ConnectionRecord, postgres_dsn: str
) -> None:
    """PostgreSQL comes back from before both erasures, and the catalog, too."""
    gone = services.provisioning.provision(new_record_id())
    table = make(services, company, "clientes")
    make(services, gone, "clientes")
    before = [dict(one) for one in services.items.scan("CONNECTION")]
    with services.open_company(company) as connection:
        rows = connection.execute("SELECT * FROM clientes ORDER BY cpf").fetchall()
    assert dict(erase_rows(services, company, "cpf", ANA))["public.clientes"] == 1
    list(erase_company(services, gone.company_id))
    with services.open_company(company) as connection:
        connection.execute("INSERT INTO clientes VALUES (%s, %s, %s)", list(rows[0]))
        connection.execute("UPDATE managed_tables.row_counts SET row_count = 2 WHERE slot = 0")
    services.database_maker.connections.reserve(gone.company_id, gone.connection_id, "default")
    services.database_maker.make(gone.company_id)
    assert {one["pk"] for one in before} >= {company_pk(gone.company_id)}
    said = [said for _, said in reconciled(services, company)]
    assert "1 rows of public.clientes erased again" in said
    assert services.connections.find(gone.company_id) is None
    with services.open_company(company) as connection:
        assert connection.execute("SELECT cpf FROM clientes").fetchall() == [(BIA,)]
    with psycopg.connect(postgres_dsn) as admin:
        query = "SELECT FROM pg_database WHERE datname = %s"
        assert admin.execute(query, [f"co_{gone.connection_id}"]).fetchone() is None
    assert services.tables.find(company.company_id, table.table_id) is not None
    assert reconcile_alone(services, company) == []
    ledger = [key for key in services.storage.keys("erasures/") if company.company_id in key]
    assert ANA not in str([services.storage.get_json(key) for key in ledger]), "ids alone"


def test_an_erased_persons_history_goes_too(services: Services, company: ConnectionRecord) -> None:
    """Neither what the deletion itself writes, nor what rows were before, stays, by any name of a column."""
    table = make(services, company, "clientes")
    with services.open_company(company) as connection:
        connection.execute("UPDATE clientes SET cpf = 'outro' WHERE cpf = %s", [ANA])
        connection.execute("UPDATE clientes SET nome = 'y' WHERE cpf = %s", [BIA])
        connection.execute("DELETE FROM clientes WHERE cpf = %s", [BIA])
    renamed = ColumnChange(**COLUMNS[0].model_dump() | {"name": "doc"}, previous_name="cpf")
    other = ColumnChange(**COLUMNS[1].model_dump())
    services.table_operations.update(company, table.table_id, TableChange(columns=[renamed, other]))
    with services.open_company(company) as connection:
        connection.execute("CREATE TABLE managed_tables.restored AS TABLE managed_tables.row_history")
    assert dict(erase_rows(services, company, "doc", ANA)) == {"managed_tables.row_history": 1}
    with services.open_company(company) as connection:
        restore = (
            "INSERT INTO managed_tables.row_history OVERRIDING SYSTEM VALUE TABLE managed_tables.restored"
        )
        connection.execute(f"{restore} LIMIT 1")
    assert list(erase_again(services, company)) == []
    services.table_operations.update(company, table.table_id, TableChange(columns=[other]))
    dict(erase_rows(services, company, "doc", BIA))
    with services.open_company(company) as connection:
        assert connection.execute("TABLE managed_tables.row_history").fetchall() == []


def test_a_cluster_that_is_away_keeps_no_other_as_it_is(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"username": "postgres", "password": "x"}
    name = f"managed-tables/{services.settings.table_name}/away"
    arn = services.secretsmanager.create_secret(Name=name, SecretString=json.dumps(secret))["ARN"]
    services.clusters.put(ClusterRecord("away", "127.0.0.1", 1, arn))
    monkeypatch.setitem(services.databases.__dict__, "connect_deadline_seconds", 0.1)
    make(services, company, "clientes")
    services.items.remove({"pk": company_pk(company.company_id), "sk": "CONNECTION"})
    found = dict(reconciled(services, company))
    assert "left as it is" in found["cluster away"]
    assert services.connections.find(company.company_id) is not None
