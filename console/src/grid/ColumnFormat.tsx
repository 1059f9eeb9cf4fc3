import type { ReactNode } from "react";
import type { Column, ColumnFormat as Format } from "../api/types";
import { type Choices, SelectField } from "../ui/fields";
import { t } from "../ui/language";
import { isNumeric } from "../values/cells";

const KINDS = {
  plain: {},
  grouped: { thousands: true },
  bare: { thousands: false },
  BRL: { currency: "BRL" },
  USD: { currency: "USD" },
  EUR: { currency: "EUR" },
  percent: { percent: true },
} satisfies Record<string, Format>;
type Kind = keyof typeof KINDS;
const kindLabels = (): Choices<Kind> => [
  ["plain", t`Como está`],
  ["grouped", t`1.234 (com ponto de milhar)`],
  ["bare", t`1234 (sem ponto de milhar)`],
  ["BRL", "R$ 1.234,00"],
  ["USD", "US$ 1.234,00"],
  ["EUR", "€ 1.234,00"],
  ["percent", "12,5% (porcentagem)"],
];
const decimalChoices = (): Choices => [
  ["", t`Todas as que houver`],
  ...["0", "1", "2", "3", "4", "6", "8", "10"].map((count) => [count, count] as const),
];
const dateChoices = (): Choices<NonNullable<Format["date"]>> => [
  ["date", t`Dia: 31/12/2025`],
  ["month", t`Mês: 12/2025`],
  ["year", t`Ano: 2025`],
];
const timeChoices = (): Choices<NonNullable<Format["date"]>> => [
  ["datetime", t`Dia e hora: 31/12/2025 08:30`],
  ["time", t`Hora: 08:30`],
  ...dateChoices(),
];

interface ColumnFormatProps {
  column: Column;
  format: Format;
  onFormat: (format: Format) => void;
}

/** How a column's values are shown to everybody; the values themselves stay as they are. */
export function ColumnFormat({ column, format, onFormat }: ColumnFormatProps): ReactNode {
  if (isNumeric(column.type)) {
    const decimals = format.decimals ?? null;
    const more = decimals === null ? {} : { decimals };
    return (
      <>
        <SelectField
          label={t`Mostrar os números como`}
          choices={kindLabels()}
          value={kindOf(format)}
          onChoose={(kind) => onFormat({ ...KINDS[kind], ...more })}
        />
        <SelectField
          label={t`Casas decimais`}
          choices={decimalChoices()}
          value={decimals === null ? "" : String(decimals)}
          onChoose={(count) => onFormat({ ...format, decimals: count === "" ? null : Number(count) })}
        />
      </>
    );
  }
  if (column.type !== "date" && column.type !== "datetime") return null;
  return (
    <SelectField
      label={t`Mostrar como`}
      choices={column.type === "date" ? dateChoices() : timeChoices()}
      value={format.date ?? column.type}
      onChoose={(date) => onFormat({ date })}
    />
  );
}

function kindOf({ thousands, currency, percent }: Format): Kind {
  if (currency) return currency;
  if (percent) return "percent";
  return thousands === true ? "grouped" : thousands === false ? "bare" : "plain";
}
