import type { ReactNode } from "react";
import type { Table } from "../api/types";
import { useCaller } from "../ui/context";
import { SelectField } from "../ui/fields";
import { Button, Dialog } from "../ui/parts";
import { TYPE_LABELS } from "../values/cells";
import { ColumnFormat } from "./ColumnFormat";
import { arranged, type GridView, TOTAL_LABELS, type Total, totalsOf, writeView } from "./view";

interface ColumnMenuProps {
  table: Table;
  name: string;
  view: GridView;
  onView: (changes: Partial<GridView>) => void;
  onClose: () => void;
}

/** What can be done with a column of the grid. */
export function ColumnMenu({ table, name, view, onView, onClose }: ColumnMenuProps): ReactNode {
  const { can } = useCaller();
  const column = table.columns.find((one) => one.name === name);
  if (!column) return null;
  const others = view.sorts.filter((sort) => sort.replace(/^-/, "") !== name);
  const width = view.widths[name] ?? 168;
  const actions: [string, Partial<GridView>][] = [
    ["Ordenar do menor para o maior", { sorts: [name] }],
    ["Ordenar do maior para o menor", { sorts: [`-${name}`] }],
    ["Acrescentar à ordenação", { sorts: [...others, name].slice(-5) }],
    ["Tirar da ordenação", { sorts: others }],
    ["Alargar", { widths: { ...view.widths, [name]: width + 80 } }],
    ["Estreitar", { widths: { ...view.widths, [name]: Math.max(width - 80, 64) } }],
    ["Mover para a esquerda", { order: moved(table, view, name, -1) }],
    ["Mover para a direita", { order: moved(table, view, name, 1) }],
    view.frozen.includes(name)
      ? ["Soltar", { frozen: view.frozen.filter((one) => one !== name) }]
      : ["Fixar à esquerda", { frozen: [...view.frozen, name] }],
    ["Ocultar esta coluna", { hidden: [...view.hidden, name] }],
  ];
  const isOfUse = ([, changes]: [string, Partial<GridView>]): boolean => writeView({ ...view, ...changes }) !== now;
  const now = writeView(view);
  return (
    <Dialog title={column.display_name} onClose={onClose}>
      <p className="mt-quiet">
        {column.name} · {TYPE_LABELS[column.type]}
        {column.nullable ? " · pode ficar vazia" : ""}
      </p>
      {column.description && <p>{column.description}</p>}
      <SelectField
        label="No rodapé"
        choices={[["", "Nada"], ...totalsOf(column.type).map((fn) => [fn, TOTAL_LABELS[fn]] as const)]}
        value={view.totals[name] ?? ""}
        onChoose={(fn) => onView({ totals: withTotal(view, name, fn || null) })}
      />
      {can("update") && table.status === "active" && <ColumnFormat table={table} column={column} />}
      <div className="mt-stack">
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

/** Return the order of the columns with one of them a place further. */
function moved(table: Table, view: GridView, name: string, by: number): string[] {
  const names = arranged(table.columns, view).map((one) => one.name);
  const place = names.indexOf(name);
  const next = Math.min(Math.max(place + by, 0), names.length - 1);
  names.splice(next, 0, ...names.splice(place, 1));
  return names;
}

/** Return a view's totals with another one for a column, or none. */
export function withTotal(view: GridView, name: string, fn: Total | null): GridView["totals"] {
  const { [name]: _, ...others } = view.totals;
  return fn ? { ...others, [name]: fn } : others;
}
