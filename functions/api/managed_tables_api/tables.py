"""Model what the routes of provisioning, tables and recipes take and answer, and read bodies with a schema.

Faults in a schema are INVALID_SCHEMA, naming path and column. A column's default is a value of its type, and
kept as PostgreSQL's text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import Depends, Header
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema, field_validator
from pydantic.config import JsonDict
from starlette.requests import Request

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.conversion.columns import refuse_shared_words
from managed_tables.details import Detail, Fault, detail, name_faults, shown_text
from managed_tables.documents.document import Count, Document, Moment, RecordId
from managed_tables.documents.recipes import AutoConfirm, LoadRules, Recipe, RecipeColumn
from managed_tables.documents.statements import LoadMode, OnMisfit
from managed_tables.errors import INVALID_REQUEST, INVALID_SCHEMA, TABLE_WITHOUT_KEY, ApiError
from managed_tables.exact_json import Object
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.rules.rule import MAX_RULES, Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.tables import definitions
from managed_tables.values import parsers
from managed_tables_api.http.requests import (
    BodyOf,
    JsonBody,
    ListAnswer,
    PageQuery,
    SentBack,
    StrictModel,
    json_object,
    refusal,
    refuse_null,
)
from managed_tables_api.reanalysis import KnownZone

# A table's own ETag is `"v<version>-<hash of the body>"`; what counts is the version.
_TABLES_TAG = re.compile(r'(?:W/)?"?(?:v(\d{1,18})-[^",]*|(\d{1,18}))"?')
_ENTITY_TAG = re.compile(r'(?:W/)?"[^",]*"')


async def seen_versions(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='A ETag da tabela, `"<versão>"` ou `*`: em outra versão, nada muda (412; extensão)',
        ),
    ] = None,
) -> frozenset[int] | None:
    """Return the versions in the header, None for any; of tags others are ignored, else INVALID_REQUEST."""
    if if_match is None or if_match.strip() == "*":
        return None
    versions: set[int] = set()
    for tag in if_match.split(","):
        match = _TABLES_TAG.fullmatch(tag.strip())
        if match is not None:
            versions.add(int(match[1] or match[2]))
        elif not _ENTITY_TAG.fullmatch(tag.strip()):
            raise ApiError(INVALID_REQUEST, reason='If-Match deve ser a ETag da tabela, "<versão>" ou *')
    return frozenset(versions)


SeenVersions = Annotated[frozenset[int] | None, Depends(seen_versions)]


PRODUCT: JsonDict = {"name": "produto", "display_name": "Product", "type": "text", "nullable": False}
_VALUE: JsonDict = {"name": "valor", "display_name": "Value", "type": "decimal", "nullable": True}

# The least number is shown, and judged with the columns themselves.
_COLUMN_LIMITS = Field(max_length=MAX_COLUMNS, json_schema_extra={"minItems": 1})
ANSWERED_COLUMNS = (
    Field(max_length=MAX_COLUMNS),
    PlainSerializer(lambda columns: [column.as_answer() for column in columns]),
)
ANY_PART: JsonDict = {"type": ["object", "array", "string", "number", "boolean", "null"]}  # of a contract
ANSWERED_RULES = (
    Field(max_length=MAX_RULES),
    PlainSerializer(lambda rules: [rule.as_document() for rule in rules]),
)
IndexColumns = Annotated[list[str], Field(max_length=definitions.MAX_INDEX_COLUMNS)]


class ProvisioningAnswer(Document):
    """Whether the company has its database, and which connection it is."""

    provisioned: bool
    connection_id: RecordId | None

    @classmethod
    def of(cls, connection: ConnectionRecord | None) -> "ProvisioningAnswer":
        """Return the answer about a company's connection."""
        return cls(
            provisioned=connection is not None, connection_id=connection.connection_id if connection else None
        )


class TableAnswer(Document):
    """A table; `row_count` is exact."""

    id: RecordId = Field(serialization_alias="_id")
    company_id: RecordId
    connection_id: RecordId
    display_name: str
    columns: Annotated[list[Column], *ANSWERED_COLUMNS]
    source: Literal["manual", "upload"]
    status: Literal["active", "inactive"]
    row_count: Count
    created_by_user_id: RecordId
    created_at: Moment
    updated_at: Moment
    version: Count = Field(description="Sobe a cada alteração da definição (extensão)")
    title: str | None = Field(description="Título livre (extensão)")
    description: str | None = Field(description="Descrição livre (extensão)")
    key: Annotated[list[str], Field(max_length=definitions.MAX_KEY_COLUMNS)] | None = Field(
        description="Colunas cujos valores não se repetem (extensão)"
    )
    indexes: Annotated[list[IndexColumns], Field(max_length=definitions.MAX_INDEXES)] = Field(
        description="Índices, cada um de até 3 colunas (extensão)"
    )
    history: bool = Field(description="Se as alterações das linhas são guardadas (extensão)")
    rules: Annotated[list[Rule], *ANSWERED_RULES] = Field(
        description="O que as linhas devem seguir (extensão)"
    )

    @classmethod
    def of(cls, connection: ConnectionRecord, table: TableRecord, row_count: int) -> "TableAnswer":
        """Return the answer about a table."""
        names = cls.model_fields.keys() - {"id", "connection_id", "row_count"}
        own = {name: getattr(table, name) for name in names} | {"rules": list(table.rules)}
        return cls(id=table.table_id, connection_id=connection.connection_id, row_count=row_count, **own)


class TablesAnswer(ListAnswer):
    """A page of tables, newest first."""

    records: Annotated[list[TableAnswer], Field(max_length=100)]


class TablesQuery(PageQuery):
    """Which tables."""

    search: str = Field(default="", description="Parte do display_name, sem distinguir maiúsculas")


Title = Annotated[
    str | None, Field(description=f"Título livre, até {definitions.MAX_TITLE_CHARACTERS} caracteres")
]
Description = Annotated[
    str | None, Field(description=f"Descrição livre, até {definitions.MAX_DESCRIPTION_CHARACTERS} caracteres")
]


Key = Annotated[
    Annotated[list[str], Field(max_length=definitions.MAX_KEY_COLUMNS)] | None,
    Field(description="Colunas cujos valores juntos não se repetem (vazio conta como valor), ou null"),
]


Rules = Annotated[
    list[Rule], Field(max_length=MAX_RULES, description="Todas as regras da tabela; sem id, ganham um")
]


class NewColumn(Column):
    """A column of a table to make."""

    model_config = ConfigDict(extra="forbid")


class NewTable(StrictModel):
    """A table to make."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"display_name": "vendas_mensais", "columns": [PRODUCT, _VALUE]}]}
    )

    display_name: str
    columns: Annotated[list[NewColumn], Field(max_length=MAX_COLUMNS)] = Field(
        default=[], description="Ao menos uma, onde não há contract"
    )
    contract: Annotated[
        dict[str, Any] | None, WithJsonSchema({"type": ["object", "null"], "additionalProperties": ANY_PART})
    ] = Field(
        default=None,
        description="Um contrato (Open Data Contract Standard v3) no lugar de columns, key, indexes e rules",
    )
    title: Title = None
    description: Description = None
    key: Key = None
    indexes: list[IndexColumns] = Field(
        default=[], max_length=definitions.MAX_INDEXES, description="Todos os índices da tabela"
    )
    rules: Rules = Field(default=[])


def _missing() -> Any:
    """Return what a field is that may be missing, but not be null; no schema shows it.

    It is in no field's type: the paths of findings would name the parts of a union.
    """
    return None


class TableUpdate(SentBack):
    """What to change; what is missing stays as it is.

    `columns` is the whole new list, matched by `name`, or by `previous_name` where a column is renamed; a
    column keeps the description and the default that are not named. Null takes a text away.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"display_name": "novo_nome", "status": "active"}]}
    )

    answered = TableAnswer

    display_name: str = Field(default_factory=_missing)
    columns: Annotated[list[definitions.ColumnChange], _COLUMN_LIMITS] = Field(default_factory=_missing)
    status: Literal["active", "inactive"] = Field(default_factory=_missing)
    title: Title = None
    description: Description = None
    key: Key = None
    indexes: list[IndexColumns] | None = Field(
        default=None, max_length=definitions.MAX_INDEXES, description="Todos os índices da tabela"
    )
    rules: Rules = Field(default_factory=_missing)
    history: bool = Field(
        default_factory=_missing,
        description="`false` deixa de guardar o histórico das linhas, e apaga o que há",
    )
    version: Annotated[int, Field(ge=0)] = Field(
        default_factory=_missing,
        description="A versão que a tabela deve ter: em outra, nada muda (412)",
    )

    _refuse_null = field_validator(
        "display_name", "columns", "status", "rules", "history", "version", mode="before"
    )(refuse_null)

    def as_change(self, seen: frozenset[int] | None) -> definitions.TableChange:
        """Return what is asked for; `seen` are the versions that `If-Match` allows."""
        given = {name: value for name, value in self if name in self.model_fields_set - {"version"}}
        if "indexes" in given:
            given["indexes"] = self.indexes or ()
        if "version" in self.model_fields_set:
            seen = frozenset({self.version}) if seen is None else seen & {self.version}
        return definitions.TableChange(**given, versions=seen)


class RecipeColumnChange(RecipeColumn):
    """A column of the table, and how the file's column of that label fills it; null as it is found."""

    model_config = ConfigDict(extra="forbid")

    timezone: KnownZone | None = None

    _distinct_words = field_validator("false_tokens")(refuse_shared_words)


class RecipeChange(SentBack):
    """What to change of a recipe; what is missing stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"on_misfit": "skip"}]})
    answered = Recipe

    auto_confirm: AutoConfirm | None = None
    mode: LoadMode | None = None
    on_misfit: OnMisfit | None = None
    timezone: KnownZone | None = None
    columns: Annotated[list[RecipeColumnChange], Field(max_length=MAX_COLUMNS)] | None = None
    load_rules: LoadRules | None = Field(default=None, description="Todas as regras dos envios")

    def parts_for(self, table: TableRecord, recipe: Recipe) -> dict[str, Any]:
        """Return the parts that the table's recipe has not; raises INVALID_REQUEST and TABLE_WITHOUT_KEY."""
        self.require_unchanged(recipe.as_json())
        known = {
            **dict(recipe),
            "columns": [column.model_dump() for column in recipe.columns],
            "load_rules": [rule.as_json() for rule in recipe.load_rules],
        }
        parts = {name: part for name, part in self._parts(table).items() if part != known[name]}
        if parts.get("mode") == "upsert" and table.key is None:
            fault = Fault("NOT_ALLOWED", "a tabela não tem chave")
            raise ApiError(TABLE_WITHOUT_KEY, [detail("body", fault, path="mode")])
        if parts.get("columns") == []:
            raise refusal("columns", Fault("TOO_SHORT", "deve ser uma lista com ao menos um item"))
        return parts

    def says_mode(self, parts: Mapping[str, Any]) -> bool:
        """Return whether the mode is a person's from here on: whoever lets jobs go alone has seen it.

        An answer that is sent back says it only by what it changes; `parts` are these.
        """
        named = parts if self._shown else dict(self)
        return named.get("mode") is not None or named.get("auto_confirm") == "unchanged"

    def _parts(self, table: TableRecord) -> dict[str, Any]:
        """Return what is named, as a recipe of this table has it."""
        types = {column.name: column.type for column in table.columns}
        names = [column.name for column in self.columns or ()]
        repeated = Fault("REPEATED", "coluna repetida")
        faults = [*name_faults(names, types, "columns[{}].name", repeated), *self._rule_faults(table)]
        if faults:
            raise ApiError(INVALID_REQUEST, faults)
        stored = self._stored_lists(types)
        return {name: stored.get(name, part) for name, part in self if part is not None}

    def _stored_lists(self, types: Mapping[str, ColumnType]) -> dict[str, list[Any]]:
        """Return the lists as they are stored, each column with the type of the table's."""
        typed = ({**dict(column), "type": types[column.name]} for column in self.columns or ())
        return {
            "load_rules": [rule.as_json() for rule in self.load_rules or ()],
            "columns": [RecipeColumn(**column).model_dump() for column in typed],
        }

    def _rule_faults(self, table: TableRecord) -> Iterator[Detail]:
        """Yield what a rule of loads lacks, or names that is not there."""
        numbers = {column.name for column in table.columns if column.type.is_number}
        for place, rule in enumerate(self.load_rules or ()):
            path = f"load_rules[{place}]"
            if rule.kind == "rows_within" and rule.percent is None:
                yield detail("body", _MISSING, path=f"{path}.percent")
            if rule.kind == "keeps_keys" and table.key is None:
                yield detail("body", _NO_KEY, path=f"{path}.kind")
            if rule.kind == "total_is_sum" and rule.column not in numbers:
                yield detail("body", _NO_NUMBERS, path=f"{path}.column")


_MISSING = Fault("REQUIRED", "falta o que a regra exige")
_NO_KEY = Fault("NOT_ALLOWED", "a tabela não tem chave")
_NO_NUMBERS = Fault("NOT_ALLOWED", "a tabela não tem esta coluna de números")
_COLUMN_FIELD = re.compile(r"columns\[([0-9]+)\]")
_SCHEMA_FIELD = re.compile(r"(?:display_name|columns|rules)(?:\[[0-9]+\])?(?:\..*)?")


class SchemaBody(JsonBody):
    """The dependency that gives a route its JSON body with columns; raises INVALID_SCHEMA, too."""

    def parse(self, raw: bytes, request: Request) -> BaseModel:
        """Return the body of these bytes, each column's default read by its type."""
        body = json_object(raw)
        try:
            return self.validate(raw, body, parsers(request.app.state.services.settings.zone))
        except ApiError as error:
            if error.kind is not INVALID_REQUEST or not any(map(_in_schema, error.details)):
                raise
            details = [_with_column(body, fault) for fault in error.details]
            raise ApiError(INVALID_SCHEMA, details, error.details_total) from error


Model = TypeVar("Model")
if TYPE_CHECKING:
    FromSchema = Annotated[Model, SchemaBody]
else:
    FromSchema = BodyOf(SchemaBody)


def _in_schema(fault: Detail) -> re.Match[str] | None:
    return _SCHEMA_FIELD.fullmatch(fault.get("path", ""))


def _with_column(body: Object, fault: Detail) -> Detail:
    """Return the detail with the name of its column, where it is of one."""
    place, columns = _COLUMN_FIELD.match(fault.get("path", "")), body.get("columns")
    if place is None or not isinstance(columns, list):
        return fault
    column = columns[int(place[1])]
    name = column.get("name") if isinstance(column, dict) else None
    return {**fault, "column": shown_text(name)} if isinstance(name, str) else fault
