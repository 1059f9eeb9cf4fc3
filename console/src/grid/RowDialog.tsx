import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { answered } from "../api/session";
import type { Column, ColumnType, Table } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Dialog, Failure, Field } from "../ui/parts";
import { formatCell, parseCell, TYPE_LABELS } from "../values/cells";
import type { GridRow } from "./Grid";

interface RowDialogProps {
  table: Table;
  row: GridRow | null;
  onClose: () => void;
  onSaved: () => void;
}

/** One row as a form: a new one, or one that is too wide to be read in the grid. */
export function RowDialog({ table, row, onClose, onSaved }: RowDialogProps): ReactNode {
  const api = useApi();
  const announce = useAnnounce();
  const queries = useQueryClient();
  const isReadOnly = table.status !== "active";
  const [texts, setTexts] = useState<Record<string, string>>(() => startOf(table, row));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const save = useMutation({
    mutationFn: async (values: Record<string, unknown>): Promise<void> => {
      if (row === null) {
        await answered(
          api.POST("/v1/managed-tables/{table_id}/data", {
            params: { path: { table_id: table._id } },
            body: { rows: [values] } as never,
          }),
        );
        return;
      }
      const version = row.cells["_version"];
      await answered(
        api.PUT("/v1/managed-tables/{table_id}/data/{row_id}", {
          params: { path: { table_id: table._id, row_id: row.id } },
          body: { ...values, ...(version ? { _version: version } : {}) } as never,
        }),
      );
    },
    onSuccess: async () => {
      announce("Gravado");
      onSaved();
      onClose();
      await queries.invalidateQueries({ queryKey: ["table", table._id] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const { values, wrong } = readTexts(table.columns, texts, row);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) save.mutate(values);
  };
  return (
    <Dialog title={row ? "Linha" : "Nova linha"} onClose={onClose} actions={null}>
      <form onSubmit={submit}>
        {save.error && <Failure error={save.error} />}
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
            <Button kind="primary" type="submit" disabled={save.isPending}>
              {save.isPending ? "Gravando…" : "Gravar"}
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
  const mode = type === "integer" || type === "decimal" ? "decimal" : "text";
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

function startOf(table: Table, row: GridRow | null): Record<string, string> {
  if (!row) return {};
  return Object.fromEntries(
    table.columns.map((column) => [column.name, formatCell(row.cells[column.name], column.type)]),
  );
}

/** Return the values of the fields that were written, and what is wrong with the others. */
function readTexts(columns: readonly Column[], texts: Record<string, string>, row: GridRow | null) {
  const values: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const column of columns) {
    const text = texts[column.name] ?? "";
    const isSame = row !== null && text === formatCell(row.cells[column.name], column.type);
    if (isSame || (row === null && text === "" && (column.nullable || column.default !== undefined))) continue;
    const parsed = parseCell(text, column.type, column.nullable);
    if (parsed.ok) values[column.name] = parsed.value;
    else wrong[column.name] = parsed.reason;
  }
  return { values, wrong };
}
