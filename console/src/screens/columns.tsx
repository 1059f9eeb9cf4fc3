import { ApiFailure } from "../api/session";
import type { Column } from "../api/types";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Check, SelectField, TextField } from "../ui/parts";
import { typeChoices } from "../values/cells";
import { toName } from "../values/words";

/** A column as it is being written; `previous_name` is what an existing one is called today. */
export interface DraftColumn extends Pick<Column, "name" | "display_name" | "type" | "nullable" | "description"> {
  key: string;
  previous_name?: string;
}

export function draftOf({ name, display_name, type, nullable, description = null }: Column): DraftColumn {
  return { key: name, name, display_name, type, nullable, description, previous_name: name };
}

export function emptyDraft(): DraftColumn {
  return { key: crypto.randomUUID(), display_name: "", name: "", type: "text", nullable: true };
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
            value={column.display_name}
            maxLength={500}
            onText={(display_name) => {
              const isNew = column.previous_name === undefined; // others are known by their names elsewhere
              const follows = isNew && (column.name === "" || column.name === toName(column.display_name));
              change(index, { display_name, ...(follows ? { name: toName(display_name) } : {}) });
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
          <Ask
            label={
              <>
                {t`Tirar`} <span className="mt-hidden">{t`a coluna ${column.display_name}`}</span>
              </>
            }
            title={column.previous_name && t`Tirar a coluna ${column.display_name}?`} // it has values
            yes={t`Tirar a coluna`}
            onGo={() => onChange(columns.filter((_, at) => at !== index))}
          >
            <p>{t`Depois de “Gravar”, os valores dela não aparecem mais, nem aqui nem nos programas de BI. Dá para trazê-la de volta em “Colunas tiradas”, nesta página.`}</p>
          </Ask>
        </li>
      ))}
    </ol>
  );
}

/** Return what the API is sent for these drafts. */
export function toColumns(columns: readonly DraftColumn[]) {
  return columns.map(({ key: _, description, previous_name, ...column }) => ({
    ...column,
    ...(description ? { description } : {}),
    ...(previous_name && previous_name !== column.name ? { previous_name } : {}),
  }));
}

/** Return what the API says of each column, by its place in the list. */
export function faultsByColumn(error: unknown): ReadonlyMap<number, string> {
  const faults = new Map<number, string>();
  for (const { path, reason } of error instanceof ApiFailure ? (error.body.details ?? []) : []) {
    const place = /columns\[(\d+)\]/.exec(path ?? "")?.[1];
    if (place !== undefined) faults.set(Number(place), reason);
  }
  return faults;
}
