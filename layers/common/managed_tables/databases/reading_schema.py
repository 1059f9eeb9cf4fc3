"""The part of a company's database that is for other products: schema `catalog`, comments, nothing hidden."""

# `updated_at` moves with what people see of a table, not with the fence.
CATALOG_VIEWS = """
    CREATE FUNCTION managed_tables.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END $body$;

    CREATE TRIGGER touch BEFORE UPDATE ON managed_tables.tables FOR EACH ROW
    WHEN (
        (OLD.display_name, OLD.status, OLD.columns, OLD.deleted_at, OLD.title, OLD.description)
        IS DISTINCT FROM
        (NEW.display_name, NEW.status, NEW.columns, NEW.deleted_at, NEW.title, NEW.description)
    )
    EXECUTE FUNCTION managed_tables.touch();

    CREATE VIEW catalog.tables WITH (security_barrier) AS
    SELECT
        table_id AS id,
        display_name AS name,
        coalesce(title, display_name) AS label,
        description,
        status,
        (SELECT coalesce(sum(row_count), 0)::bigint FROM managed_tables.row_counts AS counts
            WHERE counts.table_id = tables.table_id) AS rows,
        updated_at
    FROM managed_tables.tables AS tables
    WHERE deleted_at IS NULL;

    CREATE VIEW catalog.columns WITH (security_barrier) AS
    SELECT
        table_id,
        tables.display_name AS table_name,
        position::int,
        item ->> 'name' AS name,
        item ->> 'display_name' AS label,
        item ->> 'description' AS description,
        item ->> 'type' AS type,
        (item ->> 'nullable')::boolean AS nullable
    FROM managed_tables.tables AS tables,
        jsonb_array_elements(columns) WITH ORDINALITY AS listed (item, position)
    WHERE deleted_at IS NULL;
"""

# Every role reads PostgreSQL's catalogue, so nothing telling is left there: what hidden columns and those of
# deleted tables are called is in `managed_tables`, which the read-only role cannot read.
#
# Of a deleted table, its indexes and what is kept of its loads: `column$1`, ... as its definition has them.
# What comes back with the definition (defaults, comments) goes.
_FUNCTIONS = r"""
    CREATE TABLE managed_tables.hidden_columns (
        table_id text NOT NULL,
        hidden_name text NOT NULL,
        name text NOT NULL,
        display_name text NOT NULL,
        hidden_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (table_id, hidden_name)
    );

    CREATE FUNCTION managed_tables.rename_deleted(given text, conceals boolean) RETURNS void
    LANGUAGE plpgsql AS $body$
    DECLARE
        physical oid := to_regclass(format('deleted_tables.%I', 'deleted$' || given));
        one record;
    BEGIN
        FOR one IN
            WITH relations AS (
                SELECT physical AS relation
                UNION SELECT indexrelid FROM pg_index WHERE indrelid = physical
                UNION SELECT to_regclass(format('kept_rows.%I', job_id))
                    FROM managed_tables.undoable_jobs WHERE table_id = given
            ), names AS (
                SELECT item ->> 'name' AS plain, 'column$' || position AS opaque FROM managed_tables.tables,
                    jsonb_array_elements(columns) WITH ORDINALITY AS listed (item, position)
                WHERE table_id = given
            ), wanted AS (
                SELECT CASE WHEN conceals THEN plain ELSE opaque END AS old,
                    CASE WHEN conceals THEN opaque ELSE plain END AS new FROM names
            )
            SELECT relation::regclass, old, new FROM relations
            JOIN pg_attribute ON attrelid = relation JOIN wanted ON old = attname
            WHERE attnum > 0 AND NOT attisdropped
        LOOP
            EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', one.relation, one.old, one.new);
        END LOOP;
    END $body$;

    CREATE FUNCTION managed_tables.conceal_deleted(given text) RETURNS void LANGUAGE plpgsql AS $body$
    DECLARE
        physical regclass := to_regclass(format('deleted_tables.%I', 'deleted$' || given));
        one record;
    BEGIN
        IF physical IS NULL THEN
            RETURN;
        END IF;
        PERFORM managed_tables.rename_deleted(given, true);
        EXECUTE format('COMMENT ON TABLE %s IS NULL', physical);
        FOR one IN SELECT attname, attnum, atthasdef, col_description(attrelid, attnum) AS text
            FROM pg_attribute WHERE attrelid = physical AND attnum > 0 AND NOT attisdropped
        LOOP
            IF one.atthasdef THEN
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', physical, one.attname);
            END IF;
            IF one.text IS NOT NULL THEN
                EXECUTE format('COMMENT ON COLUMN %s.%I IS NULL', physical, one.attname);
            END IF;
        END LOOP;
        -- PostgreSQL 18 keeps NOT NULL as constraints, named for the table and the column.
        FOR one IN SELECT conname, conkey[1] AS place FROM pg_constraint
            WHERE conrelid = physical AND contype = 'n' AND conname NOT LIKE 'required$%'
        LOOP
            EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', physical, one.conname,
                'required$' || one.place);
        END LOOP;
    END $body$;
"""

# What an earlier release has left: hidden columns are `valor$3_0`, deleted tables as they were.
EARLIER_CONCEALMENT = r"""
    DO $body$
    DECLARE
        one record;
    BEGIN
        FOR one IN
            SELECT nspname, relname, attname, 'hidden$' || substring(attname from '[0-9]+_[0-9]+$') AS opaque
            FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname IN ('deleted_tables', 'kept_rows') AND relkind = 'r' AND attnum > 0
            AND NOT attisdropped AND attname ~ '\$[0-9]+_[0-9]+$'
        LOOP
            EXECUTE format('ALTER TABLE %I.%I RENAME COLUMN %I TO %I', one.nspname, one.relname, one.attname,
                one.opaque);
            INSERT INTO managed_tables.hidden_columns (table_id, hidden_name, name, display_name)
                SELECT split_part(one.relname, '$', 2), one.opaque, plain, plain
                FROM regexp_replace(one.attname, '\$[0-9]+_[0-9]+$', '') AS plain
                WHERE one.nspname = 'deleted_tables' AND one.relname LIKE 'hidden$%';
        END LOOP;
        PERFORM managed_tables.conceal_deleted(table_id) FROM managed_tables.tables
            WHERE deleted_at IS NOT NULL;
    END $body$;
"""

CONCEALMENT = _FUNCTIONS + EARLIER_CONCEALMENT
