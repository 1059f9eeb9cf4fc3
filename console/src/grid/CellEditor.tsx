import { useMutation } from "@tanstack/react-query";
import { type ComponentProps, type KeyboardEvent, type Ref, useEffect, useEffectEvent, useRef, useState } from "react";
import { faultsBy } from "../api/session";
import type { Column, ColumnType, RecordOfRow } from "../api/types";
import { choicesOf, ruleOfColumn } from "../rules/choices";
import { ReferenceField } from "../rules/ReferenceField";
import { t } from "../ui/language";
import { Alert, Dialog, Field } from "../ui/parts";
import { isDay, typeLabels } from "../values/cells";
import { formatDate } from "../values/dates";
import { readTexts, shownIn } from "./changes";
import type { EditEnd, Editing, GridControl } from "./control";
import { useParts } from "./sheet";

type CellEditorProps = { column: Column; editing: Editing; onEnd: GridControl["finish"] };

/** The field inside a cell: Enter keeps and goes down, Tab to the side, Escape gives up; Alt+Enter breaks a line. */
export function CellEditor({ column, editing, onEnd }: CellEditorProps) {
  const { text, isTyped } = editing;
  const field = useRef<FieldElement>(null);
  const begun = useRef(""); // as the field shows it: it has line feeds alone
  const isEnded = useRef(false);
  const end = (outcome: EditEnd, element: FieldElement | null): void => {
    if (isEnded.current) return;
    isEnded.current = true;
    const written = element?.value ?? "";
    onEnd(outcome, !isTyped && written === begun.current ? null : asWritten(written, text));
  };
  const leave = useEffectEvent(end);
  useEffect(() => {
    const element = field.current;
    begun.current = element?.value ?? "";
    element?.focus({ preventScroll: true });
    if (element && !(element instanceof HTMLSelectElement)) {
      element.setSelectionRange(element.value.length, element.value.length);
    }
    return () => {
      if (element && !element.isConnected) leave("blur", element); // its row was scrolled away
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return; // a dead key or an input method: its Enter is not ours
    event.stopPropagation();
    const outcome = outcomeOf(event);
    if (outcome) end(outcome, field.current);
    else if (event.key === "Enter" && event.altKey) breakLine(event.target);
    else return;
    event.preventDefault();
  };
  return (
    <span
      className="mt-cell-line"
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) end("blur", field.current); // and not to its calendar
      }}
    >
      <CellField
        column={column}
        text={text}
        isNullable={column.nullable}
        field={field}
        className="mt-cell-editor"
        aria-label={column.display_name}
      />
    </span>
  );
}

function outcomeOf({ key, shiftKey, altKey }: KeyboardEvent): EditEnd | null {
  if (key === "Escape") return "cancel";
  if (key === "Enter" && !altKey) return shiftKey ? "up" : "down";
  if (key === "Tab") return shiftKey ? "left" : "right";
  return null;
}

function breakLine(element: EventTarget): void {
  if (!(element instanceof HTMLTextAreaElement)) return;
  element.setRangeText("\n", element.selectionStart, element.selectionEnd, "end");
}

/** A field has line feeds alone: what a text had goes back in. */
function asWritten(written: string, before: string): string {
  const lineEnd = /\r\n|\r|\n/.exec(before)?.[0] ?? "\n";
  return lineEnd === "\n" ? written : written.replaceAll("\n", lineEnd);
}

type FieldElement = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface CellFieldProps extends React.AriaAttributes, Pick<ComponentProps<"input">, "id" | "name" | "className"> {
  column: Column;
  text: string;
  isNullable?: boolean;
  isReadOnly?: boolean;
  field?: Ref<FieldElement>;
}

/** The field of one value: a choice, a line (of a day with a calendar beside it), or as many lines as a text has. */
function CellField({ column, text, isNullable = true, isReadOnly = false, field, ...attributes }: CellFieldProps) {
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

type RowDialogProps = { row: RecordOfRow | null; typed?: Readonly<Record<string, string>> };

/** One row as a form: a new one, of which texts may be `typed`, or one that is too wide to be read in the grid. */
export function RowDialog({ row, typed }: RowDialogProps) {
  const { table, edits, isEditable, onClose } = useParts();
  const [wrong, setWrong] = useState(() => readTexts(typed ? table.columns : [], typed ?? {}, row).wrong);
  const keys = useRef(new Map<string, string>()); // of this form: the same row in another one is another row
  const insert = useMutation({
    mutationFn: (values: Parameters<typeof edits.insert>[0]) => edits.insert(values, keys.current),
    onSuccess: onClose,
    meta: { asksItself: true },
  });
  const faults = faultsBy(insert.error, ({ column }) => column);
  const submit = (form: HTMLFormElement): void => {
    const texts = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, String(text)]));
    const written = table.columns.filter((column) => row === null || texts[column.name] !== shownIn(row, column));
    const { values, wrong } = readTexts(written, texts, row);
    setWrong(wrong);
    if (Object.keys(wrong).length > 0) return;
    if (row === null) insert.mutate([values]);
    else {
      if (Object.keys(values).length > 0) edits.change(row, values);
      onClose(); // what is not taken is marked at its cell, and the text kept there
    }
  };
  return (
    <Dialog
      title={row ? t`Linha` : t`Nova linha`}
      onClose={onClose}
      isAsking
      onSubmit={submit}
      yes={isEditable && (insert.isPending ? t`Gravando…` : t`Gravar`)}
      isBusy={insert.isPending}
    >
      {insert.error && <Alert>{insert.error.message}</Alert>}
      {table.columns.map((column) => (
        <Field
          key={column.name}
          label={column.display_name}
          hint={column.description ?? typeLabels()[column.type]}
          error={wrong[column.name] ?? faults.get(column.name)}
        >
          {(ids) => (
            <CellField
              {...ids}
              name={column.name}
              column={column}
              text={typed && Object.hasOwn(typed, column.name) ? (typed[column.name] ?? "") : shownIn(row, column)}
              isReadOnly={!isEditable}
            />
          )}
        </Field>
      ))}
    </Dialog>
  );
}
