import { type FormEvent, type ReactNode, useState } from "react";
import type { RecordOfRow } from "../api/types";
import { t } from "../ui/language";
import { Alert, Button, Dialog, Field } from "../ui/parts";
import { type Cell, typeLabels } from "../values/cells";
import { CellField } from "./CellField";
import { readTexts, shownIn } from "./changes";
import { useParts } from "./parts";

/** One row as a form: a new one, or one that is too wide to be read in the grid. */
export function RowDialog({ row }: { row: RecordOfRow | null }): ReactNode {
  const { table, edits, isEditable, onClose } = useParts();
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
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const { values, wrong } = readTexts(table.columns, textsOf(event.currentTarget), row);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) void save(values);
  };
  return (
    <Dialog title={row ? t`Linha` : t`Nova linha`} onClose={onClose} actions={null}>
      <form onSubmit={submit}>
        {refusal && <Alert>{refusal}</Alert>}
        {table.columns.map((column) => (
          <Field
            key={column.name}
            label={column.display_name}
            hint={column.description ?? typeLabels()[column.type]}
            error={faults[column.name]}
          >
            {(ids) => (
              <CellField
                type={column.type}
                text={shownIn(row, column)}
                isReadOnly={!isEditable}
                attributes={{ ...ids, name: column.name }}
              />
            )}
          </Field>
        ))}
        <div className="mt-actions">
          <Button onClick={onClose}>{t`Fechar`}</Button>
          {isEditable && (
            <Button kind="primary" type="submit" disabled={isSaving}>
              {isSaving ? t`Gravando…` : t`Gravar`}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function textsOf(form: HTMLFormElement): Record<string, string> {
  return Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, String(text)]));
}
