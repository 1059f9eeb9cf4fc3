import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { faultsBy } from "../api/session";
import type { RecordOfRow } from "../api/types";
import { t } from "../ui/language";
import { Alert, Dialog, Field } from "../ui/parts";
import { typeLabels } from "../values/cells";
import { CellField } from "./CellField";
import { readTexts, shownIn } from "./changes";
import { useParts } from "./sheet";

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
