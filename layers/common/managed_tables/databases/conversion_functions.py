"""Define the SQL functions that turn a text value into a typed one, or into NULL where it is none.

They live in the company's own database, so that one statement checks a column and another converts it by
the same rule, on every PostgreSQL from 15 on. What they read follows the rules of uploads: a zero
followed by another digit is no number, nothing is rounded, cut or guessed.
"""

CONVERSION_FUNCTIONS = r"""
    CREATE FUNCTION managed_tables.plain(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(value, E' \t\r\n\u00a0');

    -- `comma` reads 1.234,56 and R$ 1.234,56; without it 1234.56 and 1.5e3; of as many digits as
    -- MAX_DECIMAL_DIGITS and `managed_tables.conversion.numbers` have it.
    CREATE FUNCTION managed_tables.try_decimal(value text, comma boolean) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN length(value) > 1000 THEN NULL
        WHEN NOT comma AND length(value) + substring(value FROM '[eE][+-]?([0-9]{1,4})')::int > 1000 THEN NULL
        WHEN NOT comma AND managed_tables.plain(value)
            ~ '^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$'
            THEN managed_tables.plain(value)::numeric
        WHEN comma AND managed_tables.plain(value)
            ~ '^[+-]?(R\$\s*)?(0|[1-9][0-9]*|[1-9][0-9]{0,2}(\.[0-9]{3})+)(,[0-9]+)?$'
            THEN translate(managed_tables.plain(value), E',.R$ \u00a0', '.')::numeric
    END;

    CREATE FUNCTION managed_tables.try_integer(value text, comma boolean) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN managed_tables.plain(value) ~ '[,eE]' THEN NULL
        WHEN NOT comma AND value ~ '\.' THEN NULL
        WHEN managed_tables.try_decimal(value, comma) BETWEEN -9223372036854775808 AND 9223372036854775807
            THEN managed_tables.try_decimal(value, comma)::bigint
    END;

    CREATE FUNCTION managed_tables.try_boolean(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN translate(lower(managed_tables.plain(value)), 'Ãã', 'aa')
            IN ('true', 'verdadeiro', 'sim', 's', 'yes', 'y', 't', '1') THEN true
        WHEN translate(lower(managed_tables.plain(value)), 'Ãã', 'aa')
            IN ('false', 'falso', 'nao', 'n', 'no', 'f', '0') THEN false
    END;

    -- `field_order` is ymd, dmy or mdy, as in the formats that analyze settles.
    CREATE FUNCTION managed_tables.try_date(value text, field_order text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
    DECLARE
        parts text[];
        year int;
    BEGIN
        IF field_order = 'ymd' THEN
            parts := regexp_match(managed_tables.plain(value), '^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$');
        ELSE
            parts := regexp_match(managed_tables.plain(value),
                '^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{2})$');
            parts := CASE field_order
                WHEN 'dmy' THEN ARRAY[parts[3], parts[2], parts[1]]
                ELSE ARRAY[parts[3], parts[1], parts[2]]
            END;
        END IF;
        IF parts[1] IS NULL THEN
            RETURN NULL;
        END IF;
        year := parts[1]::int;
        IF length(parts[1]) = 2 THEN
            year := year + CASE WHEN year >= 69 THEN 1900 ELSE 2000 END;
        END IF;
        RETURN make_date(year, parts[2]::int, parts[3]::int);
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END $body$;

    -- A time without a zone is in `zone`; a date alone is its midnight there.
    CREATE FUNCTION managed_tables.read_datetime(value text, field_order text, zone text)
    RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
    DECLARE
        parts text[];
        day date;
    BEGIN
        parts := regexp_match(managed_tables.plain(value),
            '^([0-9./-]+)(?:[T ]\s*((?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)'
            '\s*(Z|[+-][0-9]{2}:?[0-9]{2})?)?$');
        day := managed_tables.try_date(parts[1], field_order);
        IF day IS NULL THEN
            RETURN NULL;
        END IF;
        IF parts[3] IS NOT NULL THEN
            RETURN (to_char(day, 'YYYY-MM-DD') || ' ' || parts[2] || parts[3])::timestamptz;
        END IF;
        RETURN (day + coalesce(parts[2], '00:00')::time) AT TIME ZONE zone;
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END $body$;

    -- What the API can answer: the years 1 to 9999 in UTC. A time that leaves them does not convert.
    CREATE FUNCTION managed_tables.in_calendar(value timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value >= '0001-01-01 00:00:00+00' AND value < '10000-01-01 00:00:00+00' THEN value END;

    CREATE FUNCTION managed_tables.in_calendar(value date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value BETWEEN '0001-01-01' AND '9999-12-31' THEN value END;

    CREATE FUNCTION managed_tables.try_datetime(value text, field_order text, zone text)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN managed_tables.in_calendar(managed_tables.read_datetime(value, field_order, zone));

    -- As the API writes it: UTC, `Z`, as many fractional digits as there are.
    CREATE FUNCTION managed_tables.datetime_text(value timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || rtrim(rtrim(to_char(value AT TIME ZONE 'UTC', '.US'), '0'), '.') || 'Z';
"""
