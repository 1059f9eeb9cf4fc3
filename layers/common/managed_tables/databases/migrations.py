"""Make and migrate our own schema inside a company's database, `managed_tables`."""

from collections.abc import Sequence

from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.schema_sql import CATALOG_VIEWS, CONCEALMENT, CONVERSION_FUNCTIONS
from managed_tables.databases.statements import execute
from managed_tables.rules.named import NAMED_FUNCTIONS

_LOCK_KEY = 7_205_759_403  # any number

# That of release 0.2.0, the first: earlier ones were nobody's.
_RELEASED = """
    CREATE TABLE managed_tables.tables (
        table_id text PRIMARY KEY,
        version bigint NOT NULL,
        display_name text NOT NULL,
        status text NOT NULL,
        columns jsonb NOT NULL,
        deleted_at timestamptz,
        title text,
        description text,
        key jsonb,
        indexes jsonb NOT NULL DEFAULT '[]',
        updated_at timestamptz DEFAULT now()
    );
    CREATE TABLE managed_tables.row_counts (
        table_id text NOT NULL,
        slot smallint NOT NULL,
        row_count bigint NOT NULL,
        PRIMARY KEY (table_id, slot)
    ) WITH (fillfactor = 50);
    CREATE TABLE managed_tables.applied_jobs (
        job_id text PRIMARY KEY,
        table_id text NOT NULL,
        row_count bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        result jsonb  -- it must be known after the commit, whoever dies then
    );

    CREATE TABLE managed_tables.applied_requests (
        table_id text NOT NULL,
        idempotency_key text NOT NULL,
        fingerprint text NOT NULL,
        row_count bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        ids uuid[],  -- that it was asked to return, to be answered again
        counts bigint[],  -- of rows inserted and updated, where it may have met some
        PRIMARY KEY (table_id, idempotency_key)
    );
    CREATE INDEX ON managed_tables.applied_requests (applied_at);

    -- What can be taken back (managed_tables.kept_rows).
    CREATE SCHEMA IF NOT EXISTS kept_rows;
    CREATE TABLE managed_tables.undoable_jobs (
        job_id text PRIMARY KEY,
        table_id text NOT NULL,
        mode text NOT NULL,
        xid xid8 NOT NULL,
        database_oid oid NOT NULL,
        first_id uuid NOT NULL,
        last_id uuid NOT NULL,
        has_kept boolean NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        undone_at timestamptz,
        outcome jsonb
    );
    CREATE INDEX ON managed_tables.undoable_jobs (table_id);
    CREATE INDEX ON managed_tables.undoable_jobs (applied_at);

    -- Whose database it is: what a lost catalog is made again from.
    CREATE TABLE managed_tables.company (company_id text PRIMARY KEY);

    -- Columns that a job has added and nobody has filled yet (managed_tables.tables.hidden_columns).
    CREATE TABLE managed_tables.added_columns (
        table_id text NOT NULL,
        column_name text NOT NULL,
        job_id text NOT NULL,
        PRIMARY KEY (table_id, column_name)
    );
    CREATE INDEX ON managed_tables.added_columns (job_id);
"""

# What tables remember of their files (managed_tables.tables.recipes).
# Not in `tables`: loads that hold a table's row there together would wait for one another for ever.
_RECIPES = """
    CREATE TABLE managed_tables.recipes (
        table_id text PRIMARY KEY,
        version int NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        job_id text NOT NULL,
        recipe jsonb NOT NULL
    )
"""
# The history of rows (managed_tables.history), and whose rows came by which load.
# hstore subtracts two rows in C; the same with jsonb_each costs 0.2 ms a row. A function called for each row
# costs a single update 0.1 ms; transition tables cost as much, and their join is planned for one row.
_HISTORY = r"""
    CREATE EXTENSION IF NOT EXISTS hstore SCHEMA managed_tables;
    ALTER TABLE managed_tables.tables ADD COLUMN history boolean NOT NULL DEFAULT true;
    ALTER TABLE managed_tables.applied_jobs
        ADD COLUMN mode text, ADD COLUMN files jsonb, ADD COLUMN user_id text, ADD COLUMN change_id bigint,
        ADD COLUMN first_id uuid, ADD COLUMN last_id uuid;
    CREATE INDEX ON managed_tables.applied_jobs (table_id, first_id);

    CREATE TABLE managed_tables.row_history (
        change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        table_id text NOT NULL,
        row_id uuid NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        user_id text,
        via text NOT NULL,
        job_id text,
        action text NOT NULL,
        before managed_tables.hstore,
        after managed_tables.hstore
    );
    CREATE INDEX ON managed_tables.row_history (table_id, row_id, change_id);
    CREATE INDEX ON managed_tables.row_history (table_id, change_id);

    CREATE TABLE managed_tables.renamed_columns (
        change_id bigint NOT NULL,
        table_id text NOT NULL,
        old_name text NOT NULL,
        new_name text NOT NULL
    );
    CREATE INDEX ON managed_tables.renamed_columns (table_id, change_id);

    -- A row's cells of before a change, under the names that its columns have now.
    CREATE FUNCTION managed_tables.present_cells(of_table text, since bigint, cells managed_tables.hstore)
        RETURNS managed_tables.hstore LANGUAGE plpgsql STABLE
        SET search_path = managed_tables, pg_catalog AS $body$
    DECLARE
        renamed record;
    BEGIN
        FOR renamed IN SELECT old_name, new_name FROM renamed_columns
            WHERE table_id = of_table AND change_id > since ORDER BY change_id
        LOOP
            IF cells ? renamed.old_name THEN
                cells := (cells - renamed.old_name) || hstore(renamed.new_name, cells -> renamed.old_name);
            END IF;
        END LOOP;
        RETURN cells;
    END $body$;

    -- The actor is '<user> <via> <job> <days>', '-' for none; nothing where somebody changes rows by SQL.
    CREATE FUNCTION managed_tables.record_change() RETURNS trigger LANGUAGE plpgsql
        SET search_path = managed_tables, pg_catalog AS $body$
    DECLARE
        actor text[] := string_to_array(current_setting('managed_tables.actor', true), ' ');
        was hstore := hstore(OLD) - 'id'::text;
        became hstore;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            became := hstore(NEW) - 'id'::text;
            IF was = became THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO row_history (table_id, row_id, user_id, via, job_id, action, before, after)
        VALUES (TG_ARGV[0], OLD.id, nullif(actor[1], '-'), coalesce(actor[2], 'sql'), nullif(actor[3], '-'),
            lower(TG_OP), coalesce(was - became, was), became - was);
        IF random() < 0.02 AND actor[4] IS NOT NULL THEN  -- some of the oldest go: more than come
            PERFORM forget_changes(actor[4]::int, 200);
        END IF;
        RETURN NULL;
    END $body$;

    DO $body$
    DECLARE
        made record;
        physical regclass;
    BEGIN
        FOR made IN SELECT table_id, display_name, deleted_at FROM managed_tables.tables LOOP
            physical := to_regclass(CASE WHEN made.deleted_at IS NULL
                THEN format('public.%I', made.display_name)
                ELSE format('deleted_tables.%I', 'deleted$' || made.table_id) END);
            CONTINUE WHEN physical IS NULL;
            EXECUTE format('CREATE TRIGGER history$ AFTER UPDATE OR DELETE ON %s FOR EACH ROW'
                ' WHEN (current_setting(''managed_tables.actor'', true) IS DISTINCT FROM ''off'')'
                ' EXECUTE FUNCTION managed_tables.record_change(%L)', physical, made.table_id);
        END LOOP;
    END $body$;

    -- What an upsert has changed is looked up by row only where somebody asks for its history.
    CREATE FUNCTION managed_tables.index_kept(jobs text[]) RETURNS void LANGUAGE plpgsql AS $body$
    DECLARE
        job text;
    BEGIN
        FOREACH job IN ARRAY jobs LOOP
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON kept_rows.%I (id)', 'id$' || job, job);
        END LOOP;
    END $body$;

    CREATE VIEW catalog.loads WITH (security_barrier) AS
    SELECT job_id, table_id, mode, ARRAY(SELECT jsonb_array_elements_text(files)) AS files,
        first_id, last_id, row_count AS rows, applied_at, user_id
    FROM managed_tables.applied_jobs AS loads
    WHERE mode IS NOT NULL AND row_count >= 0 AND EXISTS (
        SELECT FROM managed_tables.tables WHERE tables.table_id = loads.table_id AND deleted_at IS NULL);
"""

# The saved views of tables. Names of columns are those of `change_id` among the renames of the table.
_VIEWS = """
    CREATE TABLE managed_tables.views (
        view_id text PRIMARY KEY,
        table_id text NOT NULL,
        user_id text NOT NULL,
        name text NOT NULL,
        shared boolean NOT NULL,
        content json NOT NULL,
        change_id bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (table_id, user_id, name)
    );
"""

# A change in fifty calls it. A session plans it once, as it does no function in SQL; while the oldest change
# is to stay, one row is read and none locked.
_FORGETTING = """
    CREATE OR REPLACE FUNCTION managed_tables.forget_changes(days int, at_most int) RETURNS bigint
        LANGUAGE plpgsql SET search_path = managed_tables, pg_catalog AS $body$
    DECLARE
        until timestamptz := now() - make_interval(days => days);
        forgotten bigint := 0;
    BEGIN
        IF (SELECT changed_at FROM row_history ORDER BY change_id LIMIT 1) < until THEN
            DELETE FROM row_history WHERE change_id = ANY (ARRAY(
                SELECT change_id FROM (SELECT change_id, changed_at FROM row_history
                    ORDER BY change_id LIMIT at_most FOR UPDATE SKIP LOCKED) AS oldest
                WHERE changed_at < until));
            GET DIAGNOSTICS forgotten = ROW_COUNT;
        END IF;
        RETURN forgotten;
    END $body$;
"""

# The rules of tables (managed_tables.rules): of columns that are hidden beside these, and those that a person
# wants no proposal of. `values_of` finds a table whatever it is called now, once a statement.
_RULES = """
    ALTER TABLE managed_tables.tables ADD COLUMN rules jsonb NOT NULL DEFAULT '[]';
    ALTER TABLE managed_tables.hidden_columns ADD COLUMN rules jsonb NOT NULL DEFAULT '[]';
    CREATE TABLE managed_tables.dismissed_rules (
        table_id text NOT NULL,
        meaning text NOT NULL,
        dismissed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (table_id, meaning)
    );

    CREATE FUNCTION managed_tables.values_of(given text, column_name text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE AS $body$
    DECLARE
        physical text := (SELECT display_name FROM managed_tables.tables
            WHERE table_id = given AND deleted_at IS NULL);
    BEGIN
        RETURN QUERY EXECUTE format('SELECT DISTINCT %I::text FROM public.%I WHERE %1$I IS NOT NULL',
            column_name, physical);
    END $body$;
"""

# Which of a company's databases is the one, of those that moves and restores leave on several clusters
# (managed_tables.databases.copies, which may have written it before).
_GENERATION = """
    ALTER TABLE managed_tables.company ADD COLUMN IF NOT EXISTS generation bigint NOT NULL DEFAULT 0
"""
# What a load showed of its columns and rows (managed_tables.documents.pictures); nothing where it was undone.
_MEMORY = "ALTER TABLE managed_tables.applied_jobs ADD COLUMN memory jsonb"

# What the contract is called that a table was made by (managed_tables.tables.contracts).
_CONTRACTS = """
    CREATE TABLE managed_tables.contracts (table_id text PRIMARY KEY, identity jsonb NOT NULL)
"""

# Who changed which rule of a table (managed_tables.tables.rule_changes); not what it says: it may name
# people.
_RULE_CHANGES = """
    CREATE TABLE managed_tables.rule_changes (
        change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        table_id text NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        user_id text,
        action text NOT NULL,
        rule_id text NOT NULL,
        kind text NOT NULL,
        columns jsonb NOT NULL
    );
    CREATE INDEX ON managed_tables.rule_changes (table_id, change_id);
"""

# Each is applied once, in order, in one transaction with its number; a new one goes to the end.
MIGRATIONS: Sequence[str] = (
    _RELEASED + CATALOG_VIEWS,
    CONCEALMENT,
    _HISTORY,
    _VIEWS,
    _RECIPES,
    CONVERSION_FUNCTIONS,  # again at the end whenever they change
    _FORGETTING,
    _RULES,
    _GENERATION,
    _CONTRACTS,
    NAMED_FUNCTIONS,  # again at the end whenever they change
    _MEMORY,
    _RULE_CHANGES,
)
FIRST_VERSION = 13  # the number of the first of them
SCHEMA_VERSION = FIRST_VERSION + len(MIGRATIONS) - 1
# The last of them that older code cannot work with; the others only add. While an upgrade goes on, and after
# one that was taken back, older code meets newer databases: one that needs more than it knows it refuses.
NEEDS_SCHEMA = 1


def migrate(connection: PgConnection, reader: str) -> None:
    """Bring our own schema to SCHEMA_VERSION, and let `reader` read `public` and `catalog`; repeatable."""
    with connection.transaction():
        _take_turn(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS catalog")
        applied = fetch_number(connection, "SELECT coalesce(max(version), 0) FROM managed_tables.migrations")
        for version, statements in enumerate(MIGRATIONS, start=FIRST_VERSION):
            if version > applied:
                connection.execute(statements.encode())
                connection.execute("INSERT INTO managed_tables.migrations (version) VALUES (%s)", [version])
        for grant in (  # tables to come included
            "GRANT USAGE ON SCHEMA public, catalog TO {:i}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public, catalog TO {:i}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {:i}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA deleted_tables FROM {:i}",
        ):
            execute(connection, grant, reader)


def _take_turn(connection: PgConnection) -> None:
    """Wait until no other migration runs in this database, by a lock that nobody else can take.

    The read-only role can take any advisory lock, and keep it: one serves only before there is a table of
    ours, when nobody has that role's password yet.
    """
    if not fetch_number(connection, "SELECT count(to_regclass('managed_tables.migrations'))"):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute("CREATE SCHEMA IF NOT EXISTS managed_tables")
        connection.execute("CREATE SCHEMA IF NOT EXISTS deleted_tables")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS managed_tables.migrations"
            " (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    connection.execute("LOCK TABLE managed_tables.migrations IN SHARE ROW EXCLUSIVE MODE")
