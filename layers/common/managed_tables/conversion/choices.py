"""State how a column's cells become values: a person's choices, put in front of inference's."""

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from managed_tables.conversion.columns import DecimalMark, Formats
from managed_tables.conversion.sql_text import choose, literal, trimmed
from managed_tables.conversion.times import DateOrder

MAX_TOKENS = 20
MAX_TOKEN_CHARACTERS = 100

Token = Annotated[str, Field(max_length=MAX_TOKEN_CHARACTERS)]
# A list of JSON is a tuple of a model, also where no type is taken for another one.
FROM_LIST = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Tokens = Annotated[tuple[Token, ...], Field(max_length=MAX_TOKENS), FROM_LIST]


class ColumnChoice(BaseModel):
    """How one column is filled; None leaves it as inferred.

    `null_tokens` add texts that are empty; an empty list removes the usual ones. Tokens are compared without
    the blanks around a cell, those of booleans without regard to case.
    """

    model_config = ConfigDict(frozen=True)

    source: str | None = Field(
        default=None, description="`name` da coluna inferida que a preenche; sem ele, a do mesmo nome"
    )
    decimal_mark: DecimalMark | None = None
    date_order: DateOrder | None = None
    null_tokens: Tokens | None = Field(default=None, description="Textos que são vazios; `[]`: nenhum")
    true_tokens: Tokens | None = Field(default=None, description="Textos que são verdadeiro")
    false_tokens: Tokens | None = Field(default=None, description="Textos que são falso")
    trim: bool | None = Field(default=None, description="Se os espaços nas pontas são retirados")
    timezone: str | None = Field(default=None, description="De horários sem fuso")

    def formats(self, inferred: Formats) -> Formats:
        """Return the formats of the column's cells."""
        return replace(
            inferred,
            decimal_mark=self.decimal_mark or inferred.decimal_mark,
            date_order=self.date_order or inferred.date_order,
            timezone=self.timezone or inferred.timezone,
            null_tokens=inferred.null_tokens and self.null_tokens != (),
        )

    def over(self, other: "ColumnChoice") -> "ColumnChoice":
        """Return the choice with what it leaves open as another chose it."""
        given = {name: value for name, value in self if value is not None}
        return other.model_copy(update=given)

    @property
    def rewrites(self) -> bool:
        """Whether the cells are changed before they are converted."""
        return bool(self.trim or self.null_tokens or self.true_tokens or self.false_tokens)

    def rewritten(self, cell: str) -> str:
        """Return the SQL of the cell as it is converted."""
        bare = trimmed(cell)
        branches = []
        for tokens, value in (
            (self.null_tokens, "NULL"),
            (_lowered(self.true_tokens), "'true'"),
            (_lowered(self.false_tokens), "'false'"),
        ):
            if tokens:
                text = bare if value == "NULL" else f"lower({bare})"
                branches.append((f"{text} IN ({', '.join(map(literal, tokens))})", value))
        otherwise = bare if self.trim else cell
        return choose(*branches, otherwise=otherwise) if branches else otherwise


def _lowered(tokens: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(token.strip().lower() for token in tokens or ())
