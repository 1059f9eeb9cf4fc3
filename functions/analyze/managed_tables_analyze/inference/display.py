"""Propose how a column's values are shown: years, orders and codes without a thousands mark."""

from decimal import Decimal

from managed_tables.conversion.numbers import PERCENT
from managed_tables.documents.analyses import Profile
from managed_tables.documents.document import Scalar
from managed_tables.schema import ColumnFormat, ColumnType, Currency
from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.signs import (
    LONGEST_CODE,
    find_code_in_label,
    names_quantity,
    names_year,
    words_of,
)

# Words of labels whose numbers name a thing, and are never added up.
_NUMBER_WORDS = frozenset(
    {
        "id", "num", "numero", "nro", "nr", "no", "number", "ordem", "order", "pedido", "nota", "nf", "os",
        "protocolo", "processo", "contrato", "apolice", "fatura", "boleto", "ticket", "chamado", "registro",
        "seq", "sequencia", "linha", "item", "placa", "cliente", "fornecedor", "loja", "filial",
    }
)  # fmt: skip
_CURRENCIES: dict[str, Currency] = {
    **dict.fromkeys(("R$", "BRL"), "BRL"),
    **dict.fromkeys(("US$", "USD"), "USD"),
    **dict.fromkeys(("€", "EUR"), "EUR"),
}
_SIGNS = ("R$", "US$", "€")  # in a label, where a word could be anything
_YEARS = range(1900, 2100)
_FEWEST_OF_A_SEQUENCE = 10
_CENTS = 2


def propose_format(column: JudgedColumn, label: str, profile: Profile) -> ColumnFormat | None:
    """Return how the column's values are shown; None for texts and booleans."""
    match column.type:
        case ColumnType.DATE:
            return ColumnFormat(date="date")
        case ColumnType.DATETIME:
            return ColumnFormat(date="datetime")
        case ColumnType.INTEGER:
            return _as_money(column, label, profile, thousands=not _names_things(label, profile))
        case ColumnType.DECIMAL if column.unit == PERCENT:
            return ColumnFormat(percent=True)
        case ColumnType.DECIMAL:
            return _as_money(column, label, profile, thousands=True)
    return None


def _names_things(label: str, profile: Profile) -> bool:
    """Return whether whole numbers are years, codes or numbers of orders, by their label or by themselves."""
    if names_year(label):
        return True
    if names_quantity(label):
        return False
    if _NUMBER_WORDS.intersection(words_of(label)) or "º" in label or find_code_in_label(label, LONGEST_CODE):
        return True
    if not isinstance(profile.min, int) or not isinstance(profile.max, int):
        return False
    are_years = profile.min in _YEARS and profile.max in _YEARS
    filled = profile.rows - profile.empty
    is_sequence = profile.distinct == filled >= _FEWEST_OF_A_SEQUENCE
    return are_years or (is_sequence and profile.max - profile.min == filled - 1)


def _as_money(column: JudgedColumn, label: str, profile: Profile, *, thousands: bool) -> ColumnFormat:
    """Return the format with the currency that cells or label carry, with cents unless values have more."""
    named = [sign for sign in _SIGNS if sign in label]
    currency = _CURRENCIES.get(column.unit or (named[0] if len(named) == 1 else ""))
    values = [profile.min, profile.max, *(value for value, _ in profile.top)]
    shows_all = all(_places(value) <= _CENTS for value in values)
    decimals = _CENTS if currency and shows_all else None
    return ColumnFormat(thousands=thousands, currency=currency, decimals=decimals)


def _places(value: Scalar) -> int:
    return -int(value.as_tuple().exponent) if isinstance(value, Decimal) and value.is_finite() else 0
