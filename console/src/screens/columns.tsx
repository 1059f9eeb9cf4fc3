import type { Column, ColumnType } from "../api/types";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Check, SelectField, TextField } from "../ui/parts";
import { typeChoices } from "../values/cells";
import { toName } from "../values/words";

/** A column as it is being written; `previousName` is what an existing one is called today. */
export interface DraftColumn {
  key: string;
  label: string;
  name: string;
  type: ColumnType;
  nullable: boolean;
  previousName?: string;
  description?: string;
}

export function draftOf(column: Column): DraftColumn {
  return {
    key: column.name,
    label: column.display_name,
    name: column.name,
    type: column.type,
    nullable: column.nullable,
    previousName: column.name,
    ...(column.description ? { description: column.description } : {}),
  };
}

export function emptyDraft(): DraftColumn {
  return { key: crypto.randomUUID(), label: "", name: "", type: "text", nullable: true };
}

interface ColumnFieldsProps {
  columns: readonly DraftColumn[];
  onChange: (columns: readonly DraftColumn[]) => void;
  faults: ReadonlyMap<number, string>;
}

/** The list of a table's columns, to write or to change. */
export function ColumnFields({ columns, onChange, faults }: ColumnFieldsProps) {
  const change = (index: number, changes: Partial<DraftColumn>): void =>
    onChange(columns.map((column, at) => (at === index ? { ...column, ...changes } : column)));
  return (
    <ol className="mt-columns">
      {columns.map((column, index) => (
        <li key={column.key} className="mt-panel">
          <TextField
            label={t`Nome para as pessoas`}
            error={faults.get(index)}
            value={column.label}
            maxLength={500}
            onText={(label) => {
              const isNew = column.previousName === undefined; // others are known by their names elsewhere
              const follows = isNew && (column.name === "" || column.name === toName(column.label));
              change(index, follows ? { label, name: toName(label) } : { label });
            }}
          />
          <TextField
            label={t`Nome no banco`}
            value={column.name}
            spellCheck={false}
            onText={(name) => change(index, { name })}
          />
          <SelectField
            label={t`Tipo`}
            choices={typeChoices()}
            value={column.type}
            onChoose={(type) => change(index, { type })}
          />
          <Check
            isChecked={column.nullable}
            onCheck={(nullable) => change(index, { nullable })}
          >{t`Pode ficar vazia`}</Check>
          <TextField
            label={t`Descrição`}
            value={column.description ?? ""}
            onText={(description) => change(index, { description })}
          />
          <TakeOut column={column} onTaken={() => onChange(columns.filter((_, at) => at !== index))} />
        </li>
      ))}
    </ol>
  );
}

/** Take a column out of the list; one that has values asks first. */
function TakeOut({ column, onTaken }: { column: DraftColumn; onTaken: () => void }) {
  const label = (
    <>
      {t`Tirar`} <span className="mt-hidden">{t`a coluna ${column.label}`}</span>
    </>
  );
  if (column.previousName === undefined) {
    return (
      <Button kind="quiet" onClick={onTaken}>
        {label}
      </Button>
    );
  }
  return (
    <Ask label={label} title={t`Tirar a coluna ${column.label}?`} yes={t`Tirar a coluna`} onGo={onTaken}>
      <p>{t`Depois de “Gravar”, os valores dela não aparecem mais, nem aqui nem nos programas de BI. Dá para trazê-la de volta em “Colunas tiradas”, nesta página.`}</p>
    </Ask>
  );
}

/** Return what the API is sent for these drafts. */
export function toColumns(columns: readonly DraftColumn[]) {
  return columns.map((column) => ({
    name: column.name,
    display_name: column.label,
    type: column.type,
    nullable: column.nullable,
    ...(column.description ? { description: column.description } : {}),
    ...(column.previousName && column.previousName !== column.name ? { previous_name: column.previousName } : {}),
  }));
}

/** Return what the API says of each column, by its place in the list. */
export function faultsByColumn(details: readonly Partial<Record<string, unknown>>[]): ReadonlyMap<number, string> {
  const faults = new Map<number, string>();
  for (const detail of details) {
    const place = /columns\[(\d+)\]/.exec(String(detail["path"] ?? ""))?.[1];
    if (place !== undefined) faults.set(Number(place), String(detail["reason"] ?? ""));
  }
  return faults;
}
