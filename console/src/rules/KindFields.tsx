import type { Table } from "../api/types";
import { columnOf } from "../table/columns";
import { operatorLabels } from "../table/conditions";
import { t } from "../ui/language";
import { Check, Field, SelectField, TextField } from "../ui/parts";
import { type Edited, fieldsOf } from "../ui/store";
import { isDay } from "../values/cells";
import { comparableWith, comparatorsOf, type RuleDraft } from "./draft";
import { useTables } from "./keeping";
import { namedLabels } from "./words";

type KindFieldsProps = Edited<RuleDraft> & { table: Table };

/** What each kind of rule says beside its column. */
export function KindFields(props: KindFieldsProps) {
  switch (props.value.kind) {
    case "range":
    case "length":
      return <Bounds {...props} />;
    case "pattern":
      return <Pattern {...props} />;
    case "list":
      return <Values {...props} />;
    case "unique":
      return <Others {...props} />;
    case "compare":
      return <Comparison {...props} />;
    case "in_table":
      return <OtherTable {...props} />;
    case "named":
      return <Code {...props} />;
  }
}

function usedBy({ value: draft, onValue }: KindFieldsProps) {
  return fieldsOf(draft, (changes) => onValue({ ...draft, ...changes }));
}

function Bounds(props: KindFieldsProps) {
  const { table, value: draft } = props;
  const field = usedBy(props);
  const isOfDays = draft.kind === "range" && isDay(columnOf(table, draft.column).type);
  const hint = isOfDays ? t`Uma data, ou hoje; vazio: sem limite` : t`Vazio: sem limite`;
  return (
    <>
      <TextField label={t`No mínimo`} hint={hint} {...field("min")} />
      <TextField label={t`No máximo`} hint={hint} {...field("max")} />
    </>
  );
}

function Pattern(props: KindFieldsProps) {
  return (
    <TextField
      label={t`Padrão`}
      hint={t`Do texto inteiro, como [A-Z]+-\\d+: letras, um traço e algarismos`}
      spellCheck={false}
      {...usedBy(props)("pattern")}
    />
  );
}

function Values(props: KindFieldsProps) {
  const { value, onValue } = usedBy(props)("values");
  return (
    <Field label={t`Valores`} hint={t`Um por linha`}>
      {(ids) => <textarea {...ids} rows={6} value={value} onChange={(event) => onValue(event.target.value)} />}
    </Field>
  );
}

/** The columns that together with this one do not repeat. */
function Others(props: KindFieldsProps) {
  const { table, value: draft } = props;
  const { onValue } = usedBy(props)("others");
  return (
    <fieldset className="mt-choices">
      <legend>{t`Junto com`}</legend>
      {table.columns
        .filter(({ name }) => name !== draft.column)
        .map(({ name, display_name }) => (
          <Check
            key={name}
            value={draft.others.includes(name)}
            onValue={(isOn) => onValue(isOn ? [...draft.others, name] : draft.others.filter((one) => one !== name))}
          >
            {display_name}
          </Check>
        ))}
    </fieldset>
  );
}

function Comparison(props: KindFieldsProps) {
  const { table, value: draft } = props;
  const field = usedBy(props);
  const ops = comparatorsOf(columnOf(table, draft.column).type);
  return (
    <>
      <SelectField
        label={t`Condição`}
        choices={ops.map((op) => [op, operatorLabels()[op]] as const)}
        {...field("op")}
      />
      <SelectField
        label={t`Outra coluna`}
        choices={comparableWith(table, draft.column).map((one) => [one.name, one.display_name])}
        {...field("second")}
      />
    </>
  );
}

/** Another table and its column: those alone whose values are of the same type. */
function OtherTable(props: KindFieldsProps) {
  const { table, value: draft, onValue } = props;
  const { type } = columnOf(table, draft.column);
  const tables = useTables(true).filter(({ columns }) => columns.some((one) => one.type === type));
  const other = tables.find(({ _id }) => _id === draft.table);
  const columns = (other?.columns ?? []).filter((one) => one.type === type);
  return (
    <>
      <SelectField
        label={t`Outra tabela`}
        choices={[["", t`Escolha…`], ...tables.map((one) => [one._id, one.title || one.display_name] as const)]}
        value={draft.table}
        onValue={(id) => {
          const chosen = tables.find(({ _id }) => _id === id);
          const fitting = chosen?.columns.filter((one) => one.type === type).map(({ name }) => name) ?? [];
          const key = chosen?.key?.length === 1 ? chosen.key[0] : undefined;
          onValue({ ...draft, table: id, tableColumn: fitting.find((name) => name === key) ?? fitting[0] ?? "" });
        }}
      />
      <SelectField
        label={t`Coluna da outra tabela`}
        hint={t`A chave dela, ou uma coluna que não se repete`}
        choices={columns.map((one) => [one.name, one.display_name])}
        {...usedBy(props)("tableColumn")}
      />
    </>
  );
}

function Code(props: KindFieldsProps) {
  return (
    <SelectField
      label={t`Código`}
      hint={t`Os que têm dígitos verificadores são conferidos por eles`}
      choices={namedLabels()}
      {...usedBy(props)("name")}
    />
  );
}
