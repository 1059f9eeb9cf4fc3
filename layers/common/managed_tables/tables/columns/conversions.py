"""Convert a column of one type to another in SQL: exactly, or not at all."""

from psycopg import sql

from managed_tables.schema import POSTGRES_TYPES, ColumnType

_T = ColumnType
_ORDERS = ("ymd", "dmy", "mdy")
_AS_BOOLEAN = "CASE {c} WHEN 0 THEN false WHEN 1 THEN true END"

# `{c}` is the column and `{zone}` the zone of a time without one. Each gives NULL for a value that the
# other type cannot hold unchanged; several are readings of a whole column, tried in this order.
_READINGS: dict[tuple[ColumnType, ColumnType], tuple[str, ...]] = {
    (_T.TEXT, _T.INTEGER): (
        "managed_tables.try_integer({c}, false)",
        "managed_tables.try_integer({c}, true)",
    ),
    (_T.TEXT, _T.DECIMAL): (
        "managed_tables.try_decimal({c}, false)",
        "managed_tables.try_decimal({c}, true)",
    ),
    (_T.TEXT, _T.BOOLEAN): ("managed_tables.try_boolean({c})",),
    (_T.TEXT, _T.DATE): tuple(f"managed_tables.try_date({{c}}, '{order}')" for order in _ORDERS),
    (_T.TEXT, _T.DATETIME): tuple(
        f"managed_tables.try_datetime({{c}}, '{order}', {{zone}})" for order in _ORDERS
    ),
    (_T.INTEGER, _T.TEXT): ("{c}::text",),
    (_T.DECIMAL, _T.TEXT): ("{c}::text",),
    (_T.BOOLEAN, _T.TEXT): ("{c}::text",),
    (_T.DATE, _T.TEXT): ("{c}::text",),
    (_T.DATETIME, _T.TEXT): ("managed_tables.datetime_text(managed_tables.in_calendar({c}))",),
    (_T.INTEGER, _T.DECIMAL): ("{c}::numeric",),
    (_T.DECIMAL, _T.INTEGER): (
        (
            "CASE WHEN {c} = trunc({c}) AND {c} BETWEEN -9223372036854775808 AND 9223372036854775807"
            " THEN {c}::bigint END"
        ),
    ),
    (_T.INTEGER, _T.BOOLEAN): (_AS_BOOLEAN,),
    (_T.DECIMAL, _T.BOOLEAN): (_AS_BOOLEAN,),
    (_T.BOOLEAN, _T.INTEGER): ("{c}::int::bigint",),
    (_T.BOOLEAN, _T.DECIMAL): ("{c}::int::numeric",),
    (_T.DATE, _T.DATETIME): ("managed_tables.in_calendar({c}::timestamp AT TIME ZONE {zone})",),
    (_T.DATETIME, _T.DATE): (
        (
            "CASE WHEN ({c} AT TIME ZONE {zone})::time = '00:00'"
            " THEN managed_tables.in_calendar(({c} AT TIME ZONE {zone})::date) END"
        ),
    ),
}


def readings(column: str, old: ColumnType, new: ColumnType, zone: str) -> list[sql.Composed]:
    """Return the expressions by which the column's values may be read as the new type.

    Where the types have nothing in common, one that gives NULL for everything.
    """
    templates = _READINGS.get((old, new), (f"NULL::{POSTGRES_TYPES[new]}",))
    return [
        sql.SQL(template).format(c=sql.Identifier(column), zone=sql.Literal(zone)) for template in templates
    ]
