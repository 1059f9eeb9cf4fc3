import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { faultsBy } from "../api/session";
import type { Column, ColumnType, ColumnFormat as Format } from "../api/types";
import { ColumnFields, type DraftColumn, draftOf, saveTable } from "../screens/Structure";
import { t } from "../ui/language";
import { Button, type Choices, Dialog, Failure, Form, SelectField } from "../ui/parts";
import type { Edited } from "../ui/store";
import { isDay, isNumeric, typeLabels } from "../values/cells";
import { RulesDialog } from "./RulesDialog";
import { useParts } from "./sheet";
import { type GridView, resized, shownColumns, totalChoice, type ViewColumn, withColumn, writeView } from "./view";

/** What can be done with a column of the grid. */
export function ColumnMenu({ name }: { name: string }) {
  const parts = useParts();
  const { table, view, onView, onOpen, onClose, can } = parts;
  const column = table.columns.find((one) => one.name === name);
  if (!column) return null;
  const others = view.sort.filter((sort) => sort.replace(/^-/, "") !== name);
  const shown = shownColumns(table, view);
  const { width = 0, left = null } = shown.find((one) => one.name === name) ?? {};
  const isFrozen = left !== null;
  const beside = shown.filter((one) => (one.left !== null) === isFrozen).map((one) => one.name);
  const place = beside.indexOf(name);
  const changed = (changes: Omit<ViewColumn, "name">) => withColumn(table, view, name, changes);
  const movedTo = (other: string | undefined) => (other ? withColumn(table, view, name, {}, other) : {});
  const actions: [string, Partial<GridView>][] = [
    [t`Ordenar do menor para o maior`, { sort: [name] }],
    [t`Ordenar do maior para o menor`, { sort: [`-${name}`] }],
    [t`Acrescentar à ordenação`, { sort: [...others, name].slice(-5) }],
    [t`Tirar da ordenação`, { sort: others }],
    [t`Alargar`, resized(table, view, name, width + 80)],
    [t`Estreitar`, resized(table, view, name, width - 80)],
    [t`Mover para a esquerda`, movedTo(beside[place - 1])],
    [t`Mover para a direita`, movedTo(beside[place + 1])],
    [isFrozen ? t`Soltar` : t`Fixar à esquerda`, changed({ frozen: !isFrozen })],
    view.group_by.includes(name)
      ? [t`Não agrupar por ela`, { group_by: view.group_by.filter((one) => one !== name) }]
      : [t`Agrupar por esta coluna`, { group_by: [...view.group_by, name] }],
    [t`Ocultar esta coluna`, shown.length > 1 ? changed({ hidden: true }) : {}],
  ];
  const isOfUse = ([, changes]: [string, Partial<GridView>]): boolean => writeView({ ...view, ...changes }) !== now;
  const now = writeView(view);
  return (
    <Dialog title={column.display_name} onClose={onClose}>
      <p className="mt-quiet">
        {column.name} · {typeLabels()[column.type]}
        {column.nullable ? t` · pode ficar vazia` : ""}
        {column.description && ` · ${column.description}`}
      </p>
      <SelectField label={t`No rodapé`} {...totalChoice(parts, column)} />
      {can("update") && table.status === "active" && <ColumnChange column={column} />}
      <div className="mt-stack">
        <Button onClick={() => onOpen(<RulesDialog name={name} />)}>{t`Regras`}</Button>
        {actions.filter(isOfUse).map(([label, changes]) => (
          <Button
            key={label}
            onClick={() => {
              onView(changes);
              onClose();
            }}
          >
            {label}
          </Button>
        ))}
      </div>
    </Dialog>
  );
}

/** What a column is to everybody: how it is shown, which is kept at once, and its name, type and description. */
function ColumnChange({ column }: { column: Column }) {
  const { table, rename, onClose, api } = useParts();
  const [drafts, setDrafts] = useState<readonly DraftColumn[]>([draftOf(column)]);
  const save = useMutation({
    mutationFn: async (changed: readonly Partial<Column>[]) => {
      const columns = table.columns.flatMap((one) => (one === column ? (changed as [typeof one]) : [one]));
      await saveTable(api, table, { columns });
      rename(column.name, changed[0]?.name);
    },
  });
  const [pending] = (save.isPending ? save.variables : []) as [Partial<Column>?];
  return (
    <>
      <ColumnFormat
        column={column}
        value={(pending ?? column).format ?? {}}
        onValue={(format) => save.mutate([{ ...column, format }])}
      />
      {save.error && <Failure error={save.error} />}
      <details className="mt-panel">
        <summary>{t`Mudar nome, tipo ou descrição`}</summary>
        <Form onSubmit={() => save.mutate(drafts, { onSuccess: onClose })}>
          <ColumnFields value={drafts} onValue={setDrafts} faults={faultsBy(save.error, () => 0)} />
          <Button kind="primary" type="submit" disabled={save.isPending}>{t`Gravar a coluna`}</Button>
        </Form>
      </details>
    </>
  );
}

/** What numbers may be shown as; of those whose format a column has, the last one is its own. */
const kinds = (): [kind: string, label: string, format: Format][] => [
  ["plain", t`Como está`, {}],
  ["grouped", t`1.234 (com ponto de milhar)`, { thousands: true }],
  ["bare", t`1234 (sem ponto de milhar)`, { thousands: false }],
  ["percent", t`12,5% (porcentagem)`, { percent: true }],
  ["BRL", "R$ 1.234,00", { currency: "BRL" }],
  ["USD", "US$ 1.234,00", { currency: "USD" }],
  ["EUR", "€ 1.234,00", { currency: "EUR" }],
];
const decimalChoices = (): Choices => [
  ["", t`Todas as que houver`],
  ...["0", "1", "2", "3", "4", "6", "8", "10"].map((count) => [count, count] as const),
];
const dateChoices = (type: ColumnType): Choices<NonNullable<Format["date"]>> => {
  const days = [
    ["date", t`Dia: 31/12/2025`],
    ["month", t`Mês: 12/2025`],
    ["year", t`Ano: 2025`],
  ] as const;
  return type === "date" ? days : [["datetime", t`Dia e hora: 31/12/2025 08:30`], ["time", t`Hora: 08:30`], ...days];
};

/** How a column's values are shown to everybody; the values themselves stay as they are. */
function ColumnFormat({ column, value: format, onValue: onFormat }: { column: Column } & Edited<Format>) {
  if (isNumeric(column.type)) {
    const { decimals = null, ...rest } = format;
    const all = kinds();
    const isOf = (kind: Format): boolean =>
      Object.entries(kind).every(([part, said]) => rest[part as "percent"] === said);
    return (
      <>
        <SelectField
          label={t`Mostrar os números como`}
          choices={all.map(([kind, label]) => [kind, label])}
          value={all.findLast(([, , kind]) => isOf(kind))?.[0] ?? "plain"}
          onValue={(chosen) => onFormat({ ...all.find(([kind]) => kind === chosen)?.[2], decimals })}
        />
        <SelectField
          label={t`Casas decimais`}
          choices={decimalChoices()}
          value={decimals === null ? "" : String(decimals)}
          onValue={(count) => onFormat({ ...format, decimals: count === "" ? null : Number(count) })}
        />
      </>
    );
  }
  if (!isDay(column.type)) return null;
  return (
    <SelectField
      label={t`Mostrar como`}
      choices={dateChoices(column.type)}
      value={format.date ?? column.type}
      onValue={(date) => onFormat({ date })}
    />
  );
}
