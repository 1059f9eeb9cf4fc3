"""Propose how a column's values are shown: years, orders and codes without a thousands mark."""

from decimal import Decimal
from typing import Any

from managed_tables.conversion.units import PERCENT
from managed_tables.schema import ColumnFormat, ColumnType
from managed_tables_analyze.inference.evidence import LONGEST_CODE
from managed_tables_analyze.inference.inferring import InferredColumn
from managed_tables_analyze.inference.profiles import Profile
from managed_tables_analyze.inference.signs.codes import find_code_in_label
from managed_tables_analyze.inference.signs.labels import QUANTITY_WORDS, names_year, words_of

# Words of labels whose numbers name a thing, and are never added up.
_NUMBER_WORDS = frozenset(
    {
        "id", "num", "numero", "nro", "nr", "no", "number", "ordem", "order", "pedido", "nota", "nf", "os",
        "protocolo", "processo", "contrato", "apolice", "fatura", "boleto", "ticket", "chamado", "registro",
        "seq", "sequencia", "linha", "item", "placa", "cliente", "fornecedor", "loja", "filial",
    }
)  # fmt: skip
_CURRENCIES = {"R$": "BRL", "BRL": "BRL", "US$": "USD", "USD": "USD", "EUR": "EUR", "€": "EUR"}
_SIGNS = ("R$", "US$", "€")  # in a label, where a word could be anything
_YEARS = range(1900, 2100)
_FEWEST_OF_A_SEQUENCE = 10
_CENTS = 2


def propose_format(column: InferredColumn, label: str, profile: Profile) -> dict[str, Any]:
    """Return `{"format": …}` as a column of the schema has it; of texts and booleans nothing."""
    match column.type:
        case ColumnType.DATE:
            found = ColumnFormat(date="date")
        case ColumnType.DATETIME:
            found = ColumnFormat(date="datetime")
        case ColumnType.INTEGER:
            found = ColumnFormat(
                thousands=not _names_things(label, profile), **_money(column, label, profile)
            )
        case ColumnType.DECIMAL:
            if column.unit == PERCENT:
                found = ColumnFormat(percent=True)
            else:
                found = ColumnFormat(thousands=True, **_money(column, label, profile))
        case _:
            return {}
    return {"format": found.model_dump(exclude_none=True)}


def _names_things(label: str, profile: Profile) -> bool:
    """Return whether whole numbers are years, codes or numbers of orders, by their label or by themselves."""
    words = words_of(label)
    if names_year(label):
        return True
    if QUANTITY_WORDS.intersection(words):
        return False
    if _NUMBER_WORDS.intersection(words) or "º" in label or find_code_in_label(label, LONGEST_CODE):
        return True
    if profile.min is None:
        return False
    are_years = profile.min in _YEARS and profile.max in _YEARS
    filled = profile.rows - profile.empty
    is_sequence = profile.distinct == filled >= _FEWEST_OF_A_SEQUENCE
    return are_years or (is_sequence and profile.max - profile.min == filled - 1)


def _money(column: InferredColumn, label: str, profile: Profile) -> dict[str, Any]:
    """Return the currency that the cells or the label carry, with cents unless the values have more."""
    named = [sign for sign in _SIGNS if sign in label]
    currency = _CURRENCIES.get(column.unit or (named[0] if len(named) == 1 else ""))
    if currency is None:
        return {}
    values = [profile.min, profile.max, *(value for value, _ in profile.top)]
    shows_all = all(_places(value) <= _CENTS for value in values)
    return {"currency": currency, **({"decimals": _CENTS} if shows_all else {})}


def _places(value: Any) -> int:
    return -int(value.as_tuple().exponent) if isinstance(value, Decimal) and value.is_finite() else 0
