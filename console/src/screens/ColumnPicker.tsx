import type { ReactNode } from "react";
import { Button, Field } from "../ui/parts";

interface ColumnPickerProps {
  label: string;
  hint?: string;
  columns: readonly { name: string; label: string }[];
  /** Names, in the order that counts. */
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}

/** Columns in an order: a list adds one, a click takes one away. */
export function ColumnPicker({ label, hint, columns, chosen, onChange }: ColumnPickerProps): ReactNode {
  const labelOf = (name: string): string => columns.find((column) => column.name === name)?.label || name;
  return (
    <div className="mt-inline mt-picker">
      <Field label={label} hint={hint}>
        {(ids) => (
          <select {...ids} value="" onChange={(event) => onChange([...chosen, event.target.value])}>
            <option value="">Acrescentar coluna…</option>
            {columns
              .filter((column) => column.name !== "" && !chosen.includes(column.name))
              .map((column) => (
                <option key={column.name} value={column.name}>
                  {labelOf(column.name)}
                </option>
              ))}
          </select>
        )}
      </Field>
      {chosen.map((name) => (
        <Button
          key={name}
          className="mt-chip"
          aria-label={`Tirar ${labelOf(name)} de ${label}`}
          onClick={() => onChange(chosen.filter((one) => one !== name))}
        >
          {labelOf(name)} ✕
        </Button>
      ))}
    </div>
  );
}
