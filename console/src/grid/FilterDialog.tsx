import { type FormEvent, type ReactNode, useState } from "react";
import type { ColumnType, Table } from "../api/types";
import { SelectField, TextField } from "../ui/fields";
import { t } from "../ui/language";
import { Button, Dialog } from "../ui/parts";
import { parseCell } from "../values/cells";
import { Calendar } from "./CellField";
import { useParts } from "./parts";
import { type Condition, type Filter, type Operator, operatorLabels, operatorsOf } from "./view";

/** A condition as it is being written: `is_not_null` is a choice of its own for people. */
interface Draft {
  column: string;
  op: Operator | "is_not_null";
  text: string;
}

const yesOrNo = () =>
  [
    ["Sim", t`Sim`],
    ["Não", t`Não`],
  ] as const;

interface FilterDialogProps {
  onAdd: (filter: Filter) => void;
  onClose: () => void;
}

/** A filter to be written: one condition, or several of which one must hold. */
export function FilterDialog({ onAdd, onClose }: FilterDialogProps): ReactNode {
  const { table } = useParts();
  const begun = (): Draft => draftFor(table, table.columns[0]?.name ?? "");
  const [drafts, setDrafts] = useState<readonly Draft[]>(() => [begun()]);
  const [faults, setFaults] = useState<readonly boolean[]>([]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const conditions = drafts.map((draft) => conditionOf(draft, typeOf(table, draft.column)));
    setFaults(conditions.map((condition) => condition === null));
    if (conditions.every((condition) => condition !== null)) onAdd(conditions);
  };
  return (
    <Dialog title={t`Filtrar`} onClose={onClose} actions={null}>
      <form onSubmit={submit}>
        {drafts.map((draft, index) => (
          <ConditionFields
            key={index}
            draft={draft}
            isFaulty={faults[index] === true}
            isOther={index > 0}
            onDraft={(next) => setDrafts(drafts.map((one, at) => (at === index ? next : one)))}
          />
        ))}
        <Button kind="quiet" onClick={() => setDrafts([...drafts, begun()])}>{t`ou…`}</Button>
        <div className="mt-actions">
          <Button onClick={onClose}>{t`Voltar`}</Button>
          <Button kind="primary" type="submit">{t`Aplicar`}</Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ConditionFieldsProps {
  draft: Draft;
  isFaulty: boolean;
  isOther: boolean;
  onDraft: (draft: Draft) => void;
}

function ConditionFields({ draft, isFaulty, isOther, onDraft }: ConditionFieldsProps): ReactNode {
  const { table } = useParts();
  const type = typeOf(table, draft.column);
  const hasValue = draft.op !== "is_null" && draft.op !== "is_not_null";
  const isList = draft.op === "in" || draft.op === "nin";
  return (
    <fieldset className="mt-choices">
      {isOther && <legend>{t`ou`}</legend>}
      <SelectField
        label={t`Coluna`}
        choices={table.columns.map((column) => [column.name, column.display_name])}
        value={draft.column}
        onChoose={(name) => onDraft(draftFor(table, name))}
      />
      <SelectField<Draft["op"]>
        label={t`Condição`}
        choices={[
          ...operatorsOf(type).map((op) => [op, operatorLabels()[op]] as const),
          ["is_not_null", t`não está vazia`],
        ]}
        value={draft.op}
        onChoose={(op) => onDraft({ ...draft, op })}
      />
      {hasValue && type === "boolean" && (
        <SelectField
          label={t`Valor`}
          choices={yesOrNo()}
          value={draft.text}
          onChoose={(text) => onDraft({ ...draft, text })}
        />
      )}
      {hasValue && type !== "boolean" && (
        <div className="mt-inline">
          <TextField
            label={t`Valor`}
            hint={isList ? t`Vários, com ponto e vírgula entre eles` : undefined}
            error={isFaulty ? t`Escreva um valor que sirva para a coluna` : undefined}
            value={draft.text}
            onText={(text) => onDraft({ ...draft, text })}
          />
          {(type === "date" || type === "datetime") && (
            <Calendar
              hasTime={type === "datetime"}
              onPick={(day) => onDraft({ ...draft, text: isList && draft.text ? `${draft.text}; ${day}` : day })}
            />
          )}
        </div>
      )}
    </fieldset>
  );
}

function typeOf(table: Table, name: string): ColumnType {
  return table.columns.find((column) => column.name === name)?.type ?? "text";
}

function draftFor(table: Table, column: string): Draft {
  const type = typeOf(table, column);
  return { column, op: operatorsOf(type)[0] ?? "eq", text: type === "boolean" ? "Sim" : "" };
}

/** Return the condition as the API takes it, or null where its value does not fit the column. */
function conditionOf({ column, op, text }: Draft, type: ColumnType): Condition | null {
  if (op === "is_null" || op === "is_not_null") return { column, op: "is_null", value: op === "is_null" };
  const isList = op === "in" || op === "nin";
  const values = (isList ? text.split(";").map((part) => part.trim()) : [text]).map((part) => {
    const parsed = parseCell(part, type, false);
    return parsed.ok ? (parsed.value ?? null) : null;
  });
  const read = values.filter((value) => value !== null);
  if (read.length < values.length) return null;
  return { column, op, value: isList ? read : (read[0] ?? null) };
}
