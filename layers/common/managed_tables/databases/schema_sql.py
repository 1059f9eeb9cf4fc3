"""Define what migrations put into a company's database beside our tables.

Functions turn a text value into a typed one, or into NULL where it is none: there, so that one statement
checks a column and another converts it by the same rule. They read what uploads read:
`managed_tables.conversion` writes them. For other products are schema `catalog` and comments, nothing hidden.
"""

from collections.abc import Callable

from managed_tables.conversion import times
from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import choose, literal, matches
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.schema import POSTGRES_TYPES, ColumnType

_CELL = "value"
_NAME = ".*[A-Za-z]{3}.*"
_ZONE = ".*:.*[ZzUG+-].*"  # that a time has
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


def _function(column_type: ColumnType, parameters: str, body: str) -> str:
    declared = (
        f"managed_tables.try_{column_type}(value text{parameters}) RETURNS {POSTGRES_TYPES[column_type]}"
    )
    # Planned once a session; SQL's bodies would be put in place for each column of a statement again.
    return (
        f"CREATE OR REPLACE FUNCTION {declared} LANGUAGE plpgsql STABLE PARALLEL SAFE AS"
        f" $body$BEGIN RETURN {body}; END$body$;\n"
    )


def _reading(column_type: ColumnType, formats: Formats) -> str:
    reading = build_conversion(_CELL, column_type, formats)
    return choose((reading.converts, f"({reading.value})::{POSTGRES_TYPES[column_type]}"), otherwise="NULL")


def _number(column_type: ColumnType) -> str:
    comma, point = (_reading(column_type, Formats(decimal_mark=mark)) for mark in (",", "."))
    return choose(("comma", comma), otherwise=point)


def _date(order: DateOrder) -> str:
    fits = _by_names(lambda shape: times.day_converts(_CELL, order, shape))
    return choose((fits, f"({times.date_text(_CELL, order)})::date"), otherwise="NULL")


def _datetime(order: DateOrder) -> str:
    """A time without a zone is in `zone`; a date alone is its midnight there."""
    fits = _by_names(lambda shape: times.is_moment(_CELL, order, shape))
    text = times.moment_text(_CELL, order)
    apart = f"regexp_replace({text}, '([AaPp][Mm])', '\\1 ')"  # PostgreSQL takes `PM-03` for a zone
    moment = choose((matches(_CELL, _ZONE), apart), otherwise=f"({text} || ' ' || zone)")
    return choose((fits, f"managed_tables.in_calendar(({moment})::timestamptz)"), otherwise="NULL")


def _by_names(test: Callable[[Shape], str]) -> str:
    """Return a test of days; PostgreSQL makes its automaton for every value, and that of names is large."""
    return choose((matches(_CELL, _NAME), test(Shape.WRITTEN)), otherwise=test(Shape.DIGITS))


def _by_order(reading: Callable[[DateOrder], str]) -> str:
    branches = [(f"field_order = {literal(order)}", reading(order)) for order in times.ORDERS]
    return choose(*branches, otherwise="NULL")


_IN_CALENDAR = """
    -- What the API can answer: the years 1 to 9999 in UTC. A time that leaves them does not convert.
    CREATE OR REPLACE FUNCTION managed_tables.in_calendar(value timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value >= '0001-01-01 00:00:00+00' AND value < '10000-01-01 00:00:00+00' THEN value END;

    CREATE OR REPLACE FUNCTION managed_tables.in_calendar(value date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value BETWEEN '0001-01-01' AND '9999-12-31' THEN value END;

    -- As the API writes it: UTC, `Z`, as many fractional digits as there are.
    CREATE OR REPLACE FUNCTION managed_tables.datetime_text(value timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || rtrim(rtrim(to_char(value AT TIME ZONE 'UTC', '.US'), '0'), '.') || 'Z';
"""
CONVERSION_FUNCTIONS = (
    _IN_CALENDAR
    + _function(ColumnType.DECIMAL, ", comma boolean", _number(ColumnType.DECIMAL))
    + _function(ColumnType.INTEGER, ", comma boolean", _number(ColumnType.INTEGER))
    + _function(ColumnType.BOOLEAN, "", _reading(ColumnType.BOOLEAN, Formats()))
    + _function(ColumnType.DATE, ", field_order text", _by_order(_date))
    + _function(ColumnType.DATETIME, ", field_order text, zone text", _by_order(_datetime))
)
