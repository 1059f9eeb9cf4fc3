import type { ComponentProps, ReactNode, Ref } from "react";
import type { ColumnType } from "../api/types";
import { t } from "../ui/language";
import { formatDate } from "../values/dates";

export type FieldElement = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface CellFieldProps {
  type: ColumnType;
  text: string;
  isNullable?: boolean;
  isReadOnly?: boolean;
  field?: Ref<FieldElement>;
  /** Of the field itself. */
  attributes: Pick<
    ComponentProps<"input">,
    "id" | "name" | "className" | "aria-label" | "aria-describedby" | "aria-invalid"
  >;
}

/** The field of one value: a choice, a line (of a day with a calendar beside it), or as many lines as a text has. */
export function CellField({ type, text, isNullable = true, isReadOnly = false, ...rest }: CellFieldProps): ReactNode {
  const { field, attributes } = rest;
  if (type === "boolean") {
    return (
      <select {...attributes} ref={field as Ref<HTMLSelectElement>} disabled={isReadOnly} defaultValue={choiceOf(text)}>
        {isNullable && <option value="">{t`(vazia)`}</option>}
        <option value="Sim">{t`Sim`}</option>
        <option value="Não">{t`Não`}</option>
      </select>
    );
  }
  const shared = { ...attributes, readOnly: isReadOnly, defaultValue: text };
  if (type === "text") {
    const lines = Math.min(text.split(/\r\n|\r|\n/).length, 8);
    return <textarea {...shared} ref={field as Ref<HTMLTextAreaElement>} rows={lines} />;
  }
  const isDay = type === "date" || type === "datetime";
  const line = <input {...shared} ref={field as Ref<HTMLInputElement>} inputMode={isDay ? "text" : "decimal"} />;
  if (!isDay || isReadOnly) return line;
  return (
    <span className="mt-inline">
      {line}
      <Calendar
        hasTime={type === "datetime"}
        onPick={(day, { previousElementSibling: line }) => {
          if (!(line instanceof HTMLInputElement)) return;
          line.value = day;
          line.focus();
        }}
      />
    </span>
  );
}

interface CalendarProps {
  hasTime: boolean;
  /** Hears the day (and hour) as it is written. */
  onPick: (day: string, calendar: HTMLInputElement) => void;
}

/** The browser's own calendar. */
export function Calendar({ hasTime, onPick }: CalendarProps): ReactNode {
  return (
    <input
      type={hasTime ? "datetime-local" : "date"}
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

function choiceOf(text: string): string {
  if (/^[s1vyt]/i.test(text)) return "Sim";
  return /^[n0f]/i.test(text) ? "Não" : "";
}
