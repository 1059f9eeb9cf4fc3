"""Define a rule: what its columns must hold, and whether a row that breaks it is refused or marked."""

import secrets
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from managed_tables.conversion.columns import FROM_LIST
from managed_tables.details import InvalidValue
from managed_tables.schema import STORABLE

MAX_RULES = 100
MAX_RULE_COLUMNS = 32  # of an index of PostgreSQL
MAX_LIST_VALUES = 1_000
MAX_PATTERN_CHARACTERS = 1_000
MAX_TEXT_CHARACTERS = 500
MAX_RULE_ID_CHARACTERS = 30  # with the table's id, a constraint's name in PostgreSQL

RuleKind = Literal["range", "length", "pattern", "list", "unique", "compare", "in_table", "named"]
Severity = Literal["refuse", "warn"]
Origin = Literal["person", "learned", "contract"]
Comparator = Literal["lt", "lte", "eq", "ne", "gte", "gt"]
NamedKind = Literal["cpf", "cnpj", "cep", "uf", "email", "ean", "nfe_key", "phone_br"]

TODAY = "today"  # as a bound of dates and times

# What each kind says beside the columns, without which it says nothing; of a range or a length one is enough.
PARTS: Mapping[RuleKind, tuple[str, ...]] = {
    "range": ("min", "max"),
    "length": ("min", "max"),
    "pattern": ("pattern",),
    "list": ("values",),
    "unique": (),
    "compare": ("op",),
    "in_table": ("table", "column"),
    "named": ("name",),
}
ALL_PARTS = tuple(dict.fromkeys(part for parts in PARTS.values() for part in parts))

Value = str | int | Decimal | bool


def _as_value(given: Any) -> Any:
    if given is not None and not isinstance(given, str | int | Decimal | float):
        raise InvalidValue("INVALID", "deve ser um texto, um número ou true ou false")
    return Decimal(str(given)) if isinstance(given, float) else given


_Scalar = Annotated[
    Any,
    AfterValidator(_as_value),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
_Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS), STORABLE]
_Name = Annotated[str, Field(min_length=1, max_length=63), STORABLE]


class Rule(BaseModel):
    """What is right in a table's rows; an empty value passes every rule."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: Annotated[str, Field(pattern=rf"^r_[A-Za-z0-9]{{1,{MAX_RULE_ID_CHARACTERS - 2}}}$")] = Field(
        default="", description="Dado pelo servidor onde falta"
    )
    kind: RuleKind
    columns: Annotated[tuple[_Name, ...], FROM_LIST] = Field(
        min_length=1, max_length=MAX_RULE_COLUMNS, description="`name` das colunas que ela julga"
    )
    severity: Severity = Field(
        default="refuse", description="`refuse`: a linha não entra; `warn`: entra, marcada"
    )
    message: _Text | None = Field(default=None, description="O que dizer a quem a quebra")
    origin: Origin = "person"
    for_new: bool = Field(default=False, description="Vale só para o que for gravado de agora em diante")
    min: _Scalar = Field(default=None, description='De `range`, um valor da coluna ou `"today"`')
    max: _Scalar = Field(default=None, description="De `length`, em caracteres")
    pattern: Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARACTERS), STORABLE] | None = Field(
        default=None, description="Do texto inteiro"
    )
    values: (
        Annotated[tuple[_Scalar, ...], Field(min_length=1, max_length=MAX_LIST_VALUES), FROM_LIST] | None
    ) = None
    op: Comparator | None = Field(default=None, description="Como a primeira coluna está para a segunda")
    table: _Name | None = Field(
        default=None, description="O `_id` da outra tabela (ou, ao gravar, seu `display_name`)"
    )
    column: _Name | None = Field(default=None, description="A coluna da outra tabela")
    name: NamedKind | None = None

    @property
    def refuses(self) -> bool:
        """Whether a row that breaks it does not get in."""
        return self.severity == "refuse"

    @property
    def judges_rows_alone(self) -> bool:
        """Whether a row is right or wrong whatever other rows there are."""
        return self.kind not in ("unique", "in_table")

    @property
    def meaning(self) -> "Rule":
        """The rule without what only people read, and without when it was made to hold."""
        return self.model_copy(update={"message": None, "origin": "person", "for_new": False})

    def as_document(self) -> dict[str, Any]:
        """Return the rule as stored and answered: what applies alone."""
        document = self.model_dump(exclude_none=True)
        for name in ("columns", "values"):
            if name in document:
                document[name] = list(document[name])
        return document


def new_rule_id() -> str:
    """Return an id for a new rule."""
    return f"r_{secrets.token_hex(8)}"


def with_ids(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules, those without an id with a new one."""
    return tuple(one if one.id else one.model_copy(update={"id": new_rule_id()}) for one in rules)


def renamed(rule: Rule, names: Mapping[str, str]) -> Rule:
    """Return the rule of columns that have these new names."""
    columns = tuple(names.get(name, name) for name in rule.columns)
    return rule if columns == rule.columns else rule.model_copy(update={"columns": columns})
