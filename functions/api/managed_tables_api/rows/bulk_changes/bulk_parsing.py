"""Turn the rows of a bulk change into parameters: every id and value is checked, every fault named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from managed_tables.details import UNKNOWN_COLUMN, DetailCode, Fault, detail
from managed_tables.errors import ROW_NOT_FOUND, ApiError
from managed_tables.exact_json import Object
from managed_tables.identifiers import ID_COLUMN
from managed_tables.values import Parsers, array_text, quoted
from managed_tables_api.http.validation import refusal
from managed_tables_api.rows.bulk_changes.bulk_statements import UpdateShape
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.parsing import NO_OBJECT, NULL, Findings, column_array
from managed_tables_api.rows.running import is_row_id, read_row_ids
from managed_tables_api.rows.versions import VERSION_FIELD

MAX_UPDATES = 1_000
MAX_IDS = 10_000

_NO_ID = Fault(DetailCode.REQUIRED, "obrigatório: o id da linha")
_TWICE = Fault(DetailCode.DUPLICATE_ID, "a mesma linha duas vezes")
_NO_VERSION = Fault(DetailCode.NOT_A_TEXT, f"{VERSION_FIELD} deve ser um texto que a API respondeu")
GONE = Fault(DetailCode.ROW_NOT_FOUND, "a linha não existe")
_NO_FIELDS = Fault(DetailCode.REQUIRED, "nenhuma linha tem um campo a alterar")


@dataclass(frozen=True)
class Updates:
    """A bulk update by ids: the statement's shape and parameters, and each id's position in the request."""

    shape: UpdateShape
    parameters: Mapping[str, str | None]
    places: Mapping[str, int]
    row_versions: str


def parse_updates(definition: Definition, rows: Any, parsers: Parsers) -> Updates:
    """Return the updates of a body's `rows`; raises INVALID_REQUEST, INVALID_ROWS and ROW_NOT_FOUND."""
    _require_list(rows, "rows", MAX_UPDATES)
    findings = Findings()
    places = _parse_places(rows, findings)
    findings.raise_any()
    named = set().union(*rows)
    _check_fields(definition, rows, named, findings)
    findings.raise_any()
    named_by_all = set(rows[0]).intersection(*rows)
    # Two requests that change the same rows meet them in the same order, and do not lock one another out.
    ids = sorted(places)
    numbered = [(places[row_id], rows[places[row_id]]) for row_id in ids]
    columns = [column for column in definition.columns if column.name in named]
    if not columns:
        raise refusal("rows", _NO_FIELDS)
    partial = tuple(column.name not in named_by_all for column in columns)
    parameters: dict[str, str | None] = {"ids": array_text(ids)}
    for place, column in enumerate(columns):
        parameters[f"c{place}"] = column_array(column, numbered, parsers[column.type], NULL, findings)
        if partial[place]:
            parameters[f"g{place}"] = _given_array(column.name, numbered)
    is_conditional = VERSION_FIELD in named and VERSION_FIELD not in definition.by_name
    row_versions = _version_array(numbered, findings) if is_conditional else no_versions(len(ids))
    findings.raise_any()
    if is_conditional:
        parameters["row_versions"] = row_versions
    names = tuple(column.name for column in columns)
    return Updates(UpdateShape(names, partial, is_conditional), parameters, places, row_versions)


def parse_ids(ids: Any) -> dict[str, int]:
    """Return the position of each id of a body's `ids`; raises INVALID_REQUEST and ROW_NOT_FOUND."""
    _require_list(ids, "ids", MAX_IDS)
    places: dict[str, int] = {}
    for number, row_id in enumerate(ids):
        if not isinstance(row_id, str):
            raise refusal(f"ids[{number}]", Fault(DetailCode.NOT_A_TEXT, "deve ser o id de uma linha"))
        places.setdefault(_checked_id(row_id, f"ids[{number}]"), number)
    return places


def no_versions(length: int) -> str:
    """Return the text of an array of as many NULLs: rows of any version."""
    return array_text([NULL] * length)


def _require_list(items: Any, path: str, limit: int) -> None:
    if not isinstance(items, list) or not items:
        raise refusal(path, Fault(DetailCode.NOT_A_LIST, "deve ser uma lista com ao menos um item"))
    if len(items) > limit:
        raise refusal(path, Fault(DetailCode.TOO_LONG, f"no máximo {limit} itens"))


def _parse_places(rows: Sequence[Any], findings: Findings) -> dict[str, int]:
    """Return each id's position in the request."""
    places = _places_at_once(rows)
    if places is not None:
        return places
    places = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            findings.add(number, None, row, NO_OBJECT)
            continue
        row_id = row.get(ID_COLUMN)
        if not isinstance(row_id, str):
            findings.add(number, ID_COLUMN, row_id, _NO_ID)
            continue
        row_id = _checked_id(row_id, f"rows[{number}].id")
        if row_id in places:
            findings.add(number, ID_COLUMN, row_id, _TWICE)
        places[row_id] = number
    return places


def _places_at_once(rows: Sequence[Any]) -> dict[str, int] | None:
    """Return each id's position, None if one must be checked alone."""
    try:
        ids = read_row_ids([row[ID_COLUMN] for row in rows])
    except (TypeError, KeyError):
        return None
    places = {row_id: number for number, row_id in enumerate(ids)}
    return places if len(places) == len(ids) == len(rows) else None


def _checked_id(row_id: str, path: str) -> str:
    if not is_row_id(row_id):
        raise ApiError(ROW_NOT_FOUND, [detail("body", GONE, path=path)])
    return row_id.lower()


def _check_fields(
    definition: Definition, rows: Sequence[Object], named: set[str], findings: Findings
) -> None:
    unknown = named - definition.by_name.keys() - {ID_COLUMN, VERSION_FIELD}
    if unknown:
        for number, row in enumerate(rows):
            for name in row.keys() & unknown:
                findings.add(number, name, row[name], UNKNOWN_COLUMN)


def _given_array(name: str, numbered: Sequence[tuple[int, Object]]) -> str:
    return array_text("t" if name in row else "f" for _, row in numbered)


def _version_array(numbered: Sequence[tuple[int, Object]], findings: Findings) -> str:
    """Return the text of an array of the version that each row must have, NULL for any."""
    elements = []
    for number, row in numbered:
        version = row.get(VERSION_FIELD)
        if version is None:
            elements.append(NULL)
        elif isinstance(version, str) and "\x00" not in version:
            elements.append(quoted(version))
        else:
            findings.add(number, VERSION_FIELD, version, _NO_VERSION)
    return array_text(elements)
