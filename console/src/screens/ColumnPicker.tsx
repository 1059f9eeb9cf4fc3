import { X } from "lucide-react";
import type { ReactNode } from "react";
import { SelectField } from "../ui/fields";
import { t } from "../ui/language";
import { Button } from "../ui/parts";

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
      <SelectField
        label={label}
        hint={hint}
        choices={[
          ["", t`Acrescentar coluna…`],
          ...columns
            .filter((column) => column.name !== "" && !chosen.includes(column.name))
            .map((column) => [column.name, labelOf(column.name)] as const),
        ]}
        value=""
        onChoose={(name) => onChange([...chosen, name])}
      />
      {chosen.map((name) => (
        <Button
          key={name}
          className="mt-chip"
          aria-label={t`Tirar ${labelOf(name)} de ${label}`}
          onClick={() => onChange(chosen.filter((one) => one !== name))}
        >
          {labelOf(name)} <X />
        </Button>
      ))}
    </div>
  );
}
