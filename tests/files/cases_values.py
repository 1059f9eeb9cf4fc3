"""Cases of inference: numbers, codes, booleans, dates, moments, nulls."""

from collections.abc import Iterator

from case import Case, case


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from integers()
    yield from codes()
    yield from decimals()
    yield from blanks_between_digits()
    yield from booleans()
    yield from dates()
    yield from moments()
    yield from nulls()


def column(name: str, label: str, kind: str, cells: str, why: str, values: str = "", **extra: object) -> Case:
    """Return a case of one interesting column beside a text column, semicolon-delimited."""
    rows = cells.split("|")
    lines = [f"{cell if cell != '∅' else ''};linha {number}" for number, cell in enumerate(rows, start=1)]
    body = f"{label};t\n" + "\n".join(lines) + "\n"
    table = [[None if cell == "∅" else cell, f"linha {number}"] for number, cell in enumerate(rows, start=1)]
    if values:
        typed = [
            [None if value == "∅" else value, f"linha {number}"]
            for number, value in enumerate(values.split("|"), start=1)
        ]
        extra = {**extra, "values": typed}
    return case(f"values/{name}.csv", body, why, f"{label}:{kind} t:text", table, **extra)  # type: ignore[arg-type]


def integers() -> Iterator[Case]:
    """Whole numbers of 64 bits."""
    yield column("integer", "n", "integer", "1|-2|30|0", "whole numbers", "1|-2|30|0")
    yield column("integer_plus", "n", "integer", "+1|-2|+30", "an explicit sign", "1|-2|30")
    yield column(
        "integer_thousands_dots",
        "n",
        "integer",
        "1.234.567|2.000.000|12.345",
        "thousands by dots",
        "1234567|2000000|12345",
    )
    yield case(
        "values/integer_thousands_commas.csv",
        'n,t\n"1,234,567",a\n"2,000,000",b\n',
        "thousands by commas",
        "n:integer t:text",
        "1,234,567|a\n2,000,000|b",
        values="1234567|a\n2000000|b",
    )
    yield column(
        "integer_64_bits",
        "n",
        "integer",
        "9223372036854775807|-9223372036854775808",
        "the whole range",
        "9223372036854775807|-9223372036854775808",
    )
    yield column(
        "integer_beyond_64_bits",
        "n",
        "decimal",
        "9223372036854775808|1",
        "one more than the range",
        "9223372036854775808|1",
    )
    yield column("integer_with_letters", "n", "text", "1|2|3A", "one cell that is no number")
    yield column("zero_one", "n", "integer", "0|1|1|0", "0 and 1 are numbers")


def codes() -> Iterator[Case]:
    """Digits that are not a number."""
    yield column("leading_zero", "cod", "text", "0123|4567|8910", "a leading zero is part of a code")
    yield column(
        "cep", "cep", "text", "01310100|22041001|30140071", "a postal code, by its header and its zero"
    )
    yield case(
        "values/cep_header.csv",
        "CEP;t\n22041001;a\n30140071;b\n",
        "a postal code, by its header alone",
        "cep:text t:text",
        "22041001|a\n30140071|b",
        labels=["CEP", "t"],
    )
    yield column("cpf", "cpf", "text", "12345678909|98765432100", "a person's number, by its header")
    yield column(
        "cpf_masked", "documento", "text", "123.456.789-09|987.654.321-00", "dots and a dash are no number"
    )
    yield column("cnpj", "cnpj", "text", "11222333000181|45997418000153", "a company's number, by its header")
    yield column("cnpj_letters", "cnpj", "text", "12ABC34501DE35|11222333000181", "letters since July 2026")
    yield column("phone", "telefone", "text", "11987654321|2133334444", "a phone number, by its header")
    yield column(
        "phone_masked",
        "fone",
        "text",
        "(11) 98765-4321|(21) 3333-4444",
        "parentheses do not make it negative",
    )
    yield column(
        "nfe_key",
        "chave",
        "decimal",
        "35200114200166000187550010000000271023456789|35200114200166000187550010000000281023456780",
        "44 digits, every one of them kept",
        "35200114200166000187550010000000271023456789|35200114200166000187550010000000281023456780",
    )
    yield case(
        "values/voter.csv",
        "Título de Eleitor;t\n181234560108;a\n201234560167;b\n",
        "a voter's number, by its header",
        "titulo_de_eleitor:text t:text",
        "181234560108|a\n201234560167|b",
        labels=["Título de Eleitor", "t"],
    )
    yield column(
        "shortened_codes",
        "ean",
        "text",
        "7,89123E+12|7,89124E+12",
        "a spreadsheet has cut the codes: no number of them is right",
        warnings=["2 valores estão em notação científica (como 7,89123E+12)"],
    )
    yield column(
        "shortened_numbers",
        "n",
        "decimal",
        "1,5|3,52301E+43",
        "what may be a code that a spreadsheet has cut is told",
        "1.5|35230100000000000000000000000000000000000000",
        warnings=["1 valor está em notação científica (como 3,52301E+43)"],
    )
    yield column("zero_alone", "n", "integer", "0|10|20", "a zero alone leads nothing", "0|10|20")
    yield column(
        "zero_decimal", "n", "decimal", "0,5|0,25|10", "a zero before the mark leads nothing", "0.5|0.25|10"
    )


def decimals() -> Iterator[Case]:
    """One decimal mark a column."""
    yield column("decimal_comma", "v", "decimal", "1234,56|-35,01|0,5", "comma", "1234.56|-35.01|0.5")
    yield case(
        "values/decimal_point.csv",
        "v,t\n1234.56,a\n-35.01,b\n",
        "point",
        "v:decimal t:text",
        "1234.56|a\n-35.01|b",
        values="1234.56|a\n-35.01|b",
    )
    yield column(
        "decimal_thousands",
        "v",
        "decimal",
        "1.234,56|12.345.678,90|7,00",
        "Brazil's way",
        "1234.56|12345678.90|7.00",
    )
    yield column(
        "decimal_us_in_semicolons",
        "v",
        "decimal",
        "1,234.56|12,345,678.90|7.00",
        "the other way, whatever the delimiter",
        "1234.56|12345678.90|7.00",
    )
    yield column(
        "money", "v", "decimal", "R$ 1.234,56|R$ 7,00|R$ 0,99", "a currency sign", "1234.56|7.00|0.99"
    )
    yield column(
        "money_negative",
        "v",
        "decimal",
        "R$ 10,50|-R$ 3,25|R$ -1,75",
        "a sign on either side of the currency",
        "10.50|-3.25|-1.75",
    )
    yield column(
        "parentheses",
        "v",
        "decimal",
        "(35,01)|12,50|(1.000,00)",
        "an accountant's minus",
        "-35.01|12.50|-1000.00",
    )
    yield column("exponent", "v", "decimal", "1,5E3|2,5E-3|7", "exponents", "1500|0.0025|7")
    yield column(
        "integers_and_decimals", "v", "decimal", "1|2,5|3", "the narrowest that every cell fits", "1|2.5|3"
    )
    yield column(
        "sixty_digits",
        "v",
        "decimal",
        "123456789012345678901234567890,123456789012345678901234567891|1,5",
        "no double in between",
        "123456789012345678901234567890.123456789012345678901234567891|1.5",
    )
    yield column(
        "ambiguous_by_delimiter",
        "v",
        "integer",
        "1.234|5.678|9.012",
        "1.234 in every cell of a semicolon file: thousands",
        "1234|5678|9012",
    )
    yield case(
        "values/ambiguous_comma_file.csv",
        "v,t\n1.234,a\n5.678,b\n",
        "1.234 in every cell of a comma file: a decimal point",
        "v:decimal t:text",
        "1.234|a\n5.678|b",
        values="1.234|a\n5.678|b",
    )
    yield case(
        "values/ambiguous_by_other_column.csv",
        "v;w\n1.234;0.5\n5.678;12.75\n",
        "the other column uses the point as decimal mark",
        "v:decimal w:decimal",
        "1.234|0.5\n5.678|12.75",
        values="1.234|0.5\n5.678|12.75",
    )
    yield column(
        "one_cell_decides",
        "v",
        "decimal",
        "1.234|5.678|9.012,5",
        "one cell shows which mark is which",
        "1234|5678|9012.5",
    )
    yield column(
        "marks_contradict", "v", "text", "1.234,56|1,234.56", "both ways in one column: no number is safe"
    )
    yield column("nan", "v", "text", "1,5|NaN|2,5", "NaN is no number of PostgreSQL's that a sum survives")
    yield column("infinity", "v", "text", "1,5|Infinity|2,5", "nor is Infinity")
    yield column(
        "negative_zero_padded",
        "v",
        "decimal",
        "-0,50|0,00|1,10",
        "zeros behind the mark are kept",
        "-0.50|0.00|1.10",
    )
    yield column(
        "blanks_around", "v", "decimal", " 1,5 |  2,5|3,5  ", "blanks around a number", "1.5|2.5|3.5"
    )


def blanks_between_digits() -> Iterator[Case]:
    """Blanks that group digits."""
    yield column(
        "decimal_blanks",
        "v",
        "decimal",
        "1 234,56|12,00|1\u00a0000,50",
        "blanks group the digits of a decimal",
        "1234.56|12.00|1000.50",
    )
    yield column(
        "integer_no_break_spaces",
        "n",
        "integer",
        "12\u00a0345|1\u202f234\u202f567|8",
        "nobody types a no-break space: a program grouped the digits",
        "12345|1234567|8",
    )
    yield column(
        "digits_with_blanks",
        "n",
        "text",
        "912 345 678|911 222 333",
        "plain blanks may be those of a telephone",
    )


def booleans() -> Iterator[Case]:
    """Words for yes and no."""
    yield column("true_false", "b", "boolean", "true|false|TRUE", "English", "true|false|true")
    yield column(
        "verdadeiro",
        "b",
        "boolean",
        "VERDADEIRO|FALSO|verdadeiro",
        "what Excel in Portuguese saves",
        "true|false|true",
    )
    yield column("sim_nao", "b", "boolean", "Sim|Não|sim", "Portuguese", "true|false|true")
    yield column("sim_nao_plain", "b", "boolean", "SIM|NAO|SIM", "without the accent", "true|false|true")
    yield column("yes_no", "b", "boolean", "yes|no|yes", "English", "true|false|true")
    yield column("s_n", "b", "boolean", "S|N|S", "both letters occur", "true|false|true")
    yield column("t_f", "b", "boolean", "t|f|t", "both letters occur", "true|false|true")
    yield column("s_alone", "b", "text", "S|S|S", "one letter alone may mean anything")
    yield column("f_alone", "sexo", "text", "F|F|F", "a column of F is a sex or a size")
    yield column("m_f", "sexo", "text", "M|F|M", "not a pair of yes and no")
    yield column("boolean_and_other", "b", "text", "Sim|Não|Talvez", "one cell that is neither")
    yield column("boolean_nulls", "b", "boolean?", "Sim|∅|Não", "empty is NULL", "true|∅|false")


def dates() -> Iterator[Case]:
    """One order a column."""
    yield column("date_iso", "d", "date", "2024-01-31|2023-12-01", "ISO", "2024-01-31|2023-12-01")
    yield column("date_br", "d", "date", "31/01/2024|01/12/2023", "Brazil's way", "2024-01-31|2023-12-01")
    yield column("date_dashes", "d", "date", "31-01-2024|01-12-2023", "dashes", "2024-01-31|2023-12-01")
    yield column("date_dots", "d", "date", "31.01.2024|01.12.2023", "dots", "2024-01-31|2023-12-01")
    yield column(
        "date_ambiguous",
        "d",
        "date",
        "01/02/2024|03/04/2024",
        "day first where nothing else is said",
        "2024-02-01|2024-04-03",
    )
    yield column(
        "date_us",
        "d",
        "date",
        "01/31/2024|02/03/2024",
        "month first where a cell allows nothing else",
        "2024-01-31|2024-02-03",
    )
    yield column(
        "date_both_orders", "d", "text", "31/01/2024|01/31/2024", "both orders in one column: no date is safe"
    )
    yield column(
        "date_short_year",
        "d",
        "date",
        "31/01/24|01/12/68|15/06/69|15/06/99",
        "69 to 99 is the last century",
        "2024-01-31|2068-12-01|1969-06-15|1999-06-15",
    )
    yield column(
        "date_single_digits", "d", "date", "1/2/2024|31/1/2024", "no zeros in front", "2024-02-01|2024-01-31"
    )
    yield column("date_impossible", "d", "text", "31/02/2024|01/03/2024", "a day that does not exist")
    yield column(
        "date_leap_day", "d", "date", "29/02/2024|28/02/2023", "a day that does", "2024-02-29|2023-02-28"
    )
    yield column("date_not_leap", "d", "text", "29/02/2023|28/02/2023", "a day that does not")
    yield column(
        "date_nulls", "d", "date?", "31/01/2024|∅|01/02/2024", "empty is NULL", "2024-01-31|∅|2024-02-01"
    )
    yield column("date_old", "d", "date", "01/01/0900|31/12/1800", "old years", "0900-01-01|1800-12-31")
    yield column("year_alone", "ano", "integer", "2023|2024|2025", "a year is a number")
    yield column(
        "month_and_year",
        "mes",
        "date",
        "01/2024|02/2024|12/2024",
        "a month is its first day, and told",
        "2024-01-01|2024-02-01|2024-12-01",
        warnings=["MONTHS_AS_DATES"],
    )


def moments() -> Iterator[Case]:
    """Dates with a time."""
    yield column(
        "datetime_t",
        "m",
        "datetime",
        "2024-01-31T10:20:30|2024-02-01T00:00:00",
        "ISO",
        "2024-01-31T10:20:30Z|2024-02-01T00:00:00Z",
    )
    yield column(
        "datetime_blank",
        "m",
        "datetime",
        "2024-01-31 10:20:30|2024-02-01 00:00:00",
        "a blank",
        "2024-01-31T10:20:30Z|2024-02-01T00:00:00Z",
    )
    yield column(
        "datetime_br",
        "m",
        "datetime",
        "31/01/2024 10:20:30|01/02/2024 23:59:59",
        "Brazil's way",
        "2024-01-31T10:20:30Z|2024-02-01T23:59:59Z",
    )
    yield column(
        "datetime_minutes",
        "m",
        "datetime",
        "31/01/2024 10:20|01/02/2024 23:59",
        "no seconds",
        "2024-01-31T10:20:00Z|2024-02-01T23:59:00Z",
    )
    yield column(
        "datetime_z",
        "m",
        "datetime",
        "2024-01-31T10:20:30Z|2024-02-01T00:00:00Z",
        "UTC",
        "2024-01-31T10:20:30Z|2024-02-01T00:00:00Z",
    )
    yield column(
        "datetime_offset",
        "m",
        "datetime",
        "2024-01-31T10:20:30-03:00|2024-01-31T10:20:30+02:00",
        "offsets",
        "2024-01-31T13:20:30Z|2024-01-31T08:20:30Z",
    )
    yield column(
        "datetime_fraction",
        "m",
        "datetime",
        "2024-01-31 10:20:30.5|2024-01-31 10:20:30.123456",
        "fractions, to the microsecond",
        "2024-01-31T10:20:30.5Z|2024-01-31T10:20:30.123456Z",
    )
    yield column(
        "datetime_impossible",
        "m",
        "text",
        "2024-01-31 25:00:00|2024-02-01 10:00:00",
        "an hour that does not exist",
    )
    yield column("time_alone", "hora", "text", "10:20|23:59", "a time is no type of the contract's")


def nulls() -> Iterator[Case]:
    """Words for a missing value."""
    yield column(
        "null_words",
        "n",
        "integer?",
        "1|NULL|2|N/A|3|#N/A|4|-",
        "where the rest has a type of its own",
        "1|∅|2|∅|3|∅|4|∅",
    )
    yield column("null_words_in_text", "s", "text", "abc|NULL|N/A|-", "where the rest is text they are text")
    yield column("dash_in_decimals", "v", "decimal?", "1,5|-|2,5", "a dash for nothing", "1.5|∅|2.5")
    yield column("empty_cells", "n", "integer?", "1|∅|3", "empty is NULL", "1|∅|3")
    yield column("all_empty", "obs", "text?", "∅|∅|∅", "a column of nothing is text")
    yield column("not_nullable", "n", "integer", "1|2|3", "no cell is empty")
