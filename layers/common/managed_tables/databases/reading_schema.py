"""The part of a company's database that is for other products: schema `catalog`, comments, nothing hidden."""

# `updated_at` moves with what people see of a table, not with the fence.
CATALOG_VIEWS = """
    ALTER TABLE managed_tables.tables ADD COLUMN updated_at timestamptz DEFAULT now();

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

# As `managed_tables.tables.columns.hidden_columns` and `comments` do it, for what an older release has left.
HIDDEN_COLUMNS_AND_COMMENTS = r"""
    DO $body$
    DECLARE
        one record;
        hidden text[];
        item jsonb;
        physical text;
    BEGIN
        FOR one IN SELECT * FROM managed_tables.tables WHERE display_name <> '' LOOP
            physical := CASE WHEN one.deleted_at IS NULL THEN format('public.%I', one.display_name)
                ELSE format('deleted_tables.%I', 'deleted$' || one.table_id) END;
            CONTINUE WHEN to_regclass(physical) IS NULL;
            SELECT array_agg(quote_ident(attname) ORDER BY attnum) INTO hidden FROM pg_attribute
                WHERE attrelid = physical::regclass AND attnum > 0 AND NOT attisdropped
                AND attname LIKE '%$%';
            IF hidden IS NOT NULL THEN
                EXECUTE format(
                    'CREATE TABLE deleted_tables.%I AS SELECT id, %s FROM %s WHERE num_nonnulls(%2$s) > 0',
                    'hidden$' || one.table_id || '$0', array_to_string(hidden, ', '), physical);
                EXECUTE format('ALTER TABLE %s DROP COLUMN %s', physical,
                    array_to_string(hidden, ', DROP COLUMN '));
            END IF;
            EXECUTE format('COMMENT ON TABLE %s IS %L', physical,
                nullif(concat_ws(E'\n\n', one.title, one.description), ''));
            FOR item IN SELECT jsonb_array_elements(one.columns) LOOP
                EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', physical, item ->> 'name', concat_ws(
                    E'\n\n', nullif(item ->> 'display_name', ''), item ->> 'description'));
            END LOOP;
        END LOOP;
    END $body$;
"""
