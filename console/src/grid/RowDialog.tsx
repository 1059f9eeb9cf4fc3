import { type FormEvent, type ReactNode, useState } from "react";
import type { Column, ColumnType, Table } from "../api/types";
import { Button, Dialog, Field } from "../ui/parts";
import { type Cell, formatCell, isNumeric, parseCell, TYPE_LABELS } from "../values/cells";
import type { EditSession } from "./edits";
import type { GridRow } from "./types";

interface RowDialogProps {
  table: Table;
  row: GridRow | null;
  isReadOnly: boolean;
  edits: EditSession;
  onClose: () => void;
}

/** One row as a form: a new one, or one that is too wide to be read in the grid. */
export function RowDialog({ table, row, isReadOnly, edits, onClose }: RowDialogProps): ReactNode {
  const [texts, setTexts] = useState<Record<string, string>>(() => startOf(table, row));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [isSaving, setSaving] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const save = async (values: Record<string, Cell>): Promise<void> => {
    if (row !== null) {
      if (Object.keys(values).length > 0) edits.change(row, values);
      onClose(); // what is not taken is marked at its cell, and the text kept there
      return;
    }
    setSaving(true);
    const failure = await edits.insert([values]);
    setSaving(false);
    if (failure === null) onClose();
    else {
      setRefusal(failure.message);
      const details = failure.body.details ?? [];
      setFaults(Object.fromEntries(details.flatMap(({ column, reason }) => (column ? [[column, reason]] : []))));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const { values, wrong } = readTexts(table.columns, texts, row);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) void save(values);
  };
  return (
    <Dialog title={row ? "Linha" : "Nova linha"} onClose={onClose} actions={null}>
      <form onSubmit={submit}>
        {refusal && (
          <p className="mt-note mt-note-error" role="alert">
            ⚠ {refusal}
          </p>
        )}
        {table.columns.map((column) => (
          <Field
            key={column.name}
            label={column.display_name}
            hint={column.description ?? TYPE_LABELS[column.type]}
            error={faults[column.name]}
          >
            {(ids) => (
              <ValueField
                {...ids}
                type={column.type}
                isReadOnly={isReadOnly}
                text={texts[column.name] ?? ""}
                onText={(text) => setTexts({ ...texts, [column.name]: text })}
              />
            )}
          </Field>
        ))}
        <div className="mt-actions">
          <Button onClick={onClose}>Fechar</Button>
          {!isReadOnly && (
            <Button kind="primary" type="submit" disabled={isSaving}>
              {isSaving ? "Gravando…" : "Gravar"}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

interface ValueFieldProps {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
  type: ColumnType;
  isReadOnly: boolean;
  text: string;
  onText: (text: string) => void;
}

/** The field of one value: a choice, a line, or as many lines as a text has. */
function ValueField({ type, isReadOnly, text, onText, ...ids }: ValueFieldProps): ReactNode {
  if (type === "boolean") {
    return (
      <select {...ids} disabled={isReadOnly} value={text} onChange={(event) => onText(event.target.value)}>
        {["", "Sim", "Não"].map((choice) => (
          <option key={choice} value={choice}>
            {choice || "(vazia)"}
          </option>
        ))}
      </select>
    );
  }
  if (type === "text") {
    const lines = Math.min(text.split("\n").length, 8);
    return (
      <textarea
        {...ids}
        rows={lines}
        readOnly={isReadOnly}
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
    );
  }
  const mode = isNumeric(type) ? "decimal" : "text";
  return (
    <input
      {...ids}
      inputMode={mode}
      readOnly={isReadOnly}
      value={text}
      onChange={(event) => onText(event.target.value)}
    />
  );
}

/** A field has line feeds alone, and so a text with others is the same text as long as nobody writes. */
function asShown(text: string): string {
  return text.replace(/\r\n|\r/g, "\n");
}

function startOf(table: Table, row: GridRow | null): Record<string, string> {
  if (!row) return {};
  return Object.fromEntries(
    table.columns.map((column) => [column.name, asShown(formatCell(row.cells[column.name], column.type))]),
  );
}

/** Return the values of the fields that were written, and what is wrong with the others. */
function readTexts(columns: readonly Column[], texts: Record<string, string>, row: GridRow | null) {
  const values: Record<string, Cell> = {};
  const wrong: Record<string, string> = {};
  for (const column of columns) {
    const text = texts[column.name] ?? "";
    const isSame = row !== null && text === asShown(formatCell(row.cells[column.name], column.type));
    if (isSame || (row === null && text === "" && (column.nullable || column.default !== undefined))) continue;
    const parsed = parseCell(text, column.type, column.nullable);
    if (parsed.ok) values[column.name] = parsed.value;
    else wrong[column.name] = parsed.reason;
  }
  return { values, wrong };
}
