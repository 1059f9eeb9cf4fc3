import type { ComponentProps, Ref } from "react";
import type { Column, ColumnType } from "../api/types";
import { choicesOf, ruleOfColumn } from "../rules/choices";
import { ReferenceField } from "../rules/ReferenceField";
import { t } from "../ui/language";
import { isDay } from "../values/cells";
import { formatDate } from "../values/dates";
import { useParts } from "./sheet";

export type FieldElement = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface CellFieldProps extends React.AriaAttributes, Pick<ComponentProps<"input">, "id" | "name" | "className"> {
  column: Column;
  text: string;
  isNullable?: boolean;
  isReadOnly?: boolean;
  field?: Ref<FieldElement>;
}

/** The field of one value: a choice, a line (of a day with a calendar beside it), or as many lines as a text has. */
export function CellField({
  column,
  text,
  isNullable = true,
  isReadOnly = false,
  field,
  ...attributes
}: CellFieldProps) {
  const { table } = useParts();
  const { name, type } = column;
  const choices = type === "boolean" ? booleans() : choicesOf(table, name)?.map((one) => [one, one] as const);
  if (choices) {
    const chosen = type === "boolean" ? choiceOf(text) : text;
    const known = chosen === "" || choices.some(([one]) => one === chosen) ? [] : [[chosen, chosen] as const];
    return (
      <select {...attributes} ref={field as Ref<HTMLSelectElement>} disabled={isReadOnly} defaultValue={chosen}>
        {(isNullable || chosen === "") && <option value="">{t`(vazia)`}</option>}
        {[...known, ...choices].map(([one, label]) => (
          <option key={one} value={one}>
            {label}
          </option>
        ))}
      </select>
    );
  }
  const shared = { ...attributes, readOnly: isReadOnly, defaultValue: text };
  const other = ruleOfColumn(table, name, "in_table");
  if (other && !isReadOnly && !/[\r\n]/.test(text))
    return <ReferenceField {...shared} rule={other} type={type} ref={field as Ref<HTMLInputElement>} />;
  if (type === "text") {
    const lines = Math.min(text.split(/\r\n|\r|\n/).length, 8);
    return <textarea {...shared} ref={field as Ref<HTMLTextAreaElement>} rows={lines} />;
  }
  const line = <input {...shared} ref={field as Ref<HTMLInputElement>} inputMode={isDay(type) ? "text" : "decimal"} />;
  if (!isDay(type) || isReadOnly) return line;
  return (
    <span className="mt-inline">
      {line}
      <Calendar
        type={type}
        onPick={(day, { previousElementSibling: line }) => {
          if (!(line instanceof HTMLInputElement)) return;
          line.value = day;
          line.focus();
        }}
      />
    </span>
  );
}

const booleans = () =>
  [
    ["Sim", t`Sim`],
    ["Não", t`Não`],
  ] as const;

type CalendarProps = { type: ColumnType; onPick: (written: string, calendar: HTMLInputElement) => void };

/** The browser's own calendar, for days. */
export function Calendar({ type, onPick }: CalendarProps) {
  if (!isDay(type)) return null;
  return (
    <input
      type={type === "datetime" ? "datetime-local" : "date"}
      className="mt-calendar"
      aria-label={t`Calendário`}
      tabIndex={-1} // by keyboard the day is typed
      onChange={({ currentTarget: calendar }) => {
        const [day = "", clock = ""] = calendar.value.split("T");
        if (day) onPick(`${formatDate(day)} ${clock}`.trim(), calendar);
      }}
    />
  );
}

export function choiceOf(text: string): string {
  if (/^[s1vyt]/i.test(text)) return "Sim";
  return /^[n0f]/i.test(text) ? "Não" : "";
}
