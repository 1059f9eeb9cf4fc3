import type { ReactNode } from "react";
import type { Column, ColumnFormat as Format } from "../api/types";
import { type Choices, SelectField } from "../ui/fields";
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
const KIND_LABELS: Choices<Kind> = [
  ["plain", "Como está"],
  ["grouped", "1.234 (com ponto de milhar)"],
  ["bare", "1234 (sem ponto de milhar)"],
  ["BRL", "R$ 1.234,00"],
  ["USD", "US$ 1.234,00"],
  ["EUR", "€ 1.234,00"],
  ["percent", "12,5% (porcentagem)"],
];
const DECIMALS: Choices = [
  ["", "Todas as que houver"],
  ...["0", "1", "2", "3", "4", "6", "8", "10"].map((count) => [count, count] as const),
];
const DATES: Choices<NonNullable<Format["date"]>> = [
  ["date", "Dia: 31/12/2025"],
  ["month", "Mês: 12/2025"],
  ["year", "Ano: 2025"],
];
const TIMES: Choices<NonNullable<Format["date"]>> = [
  ["datetime", "Dia e hora: 31/12/2025 08:30"],
  ["time", "Hora: 08:30"],
  ...DATES,
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
          label="Mostrar os números como"
          choices={KIND_LABELS}
          value={kindOf(format)}
          onChoose={(kind) => onFormat({ ...KINDS[kind], ...more })}
        />
        <SelectField
          label="Casas decimais"
          choices={DECIMALS}
          value={decimals === null ? "" : String(decimals)}
          onChoose={(count) => onFormat({ ...format, decimals: count === "" ? null : Number(count) })}
        />
      </>
    );
  }
  if (column.type !== "date" && column.type !== "datetime") return null;
  return (
    <SelectField
      label="Mostrar como"
      choices={column.type === "date" ? DATES : TIMES}
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
