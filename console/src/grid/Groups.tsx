import { useState } from "react";
import type { Column, Query, RecordOfRow } from "../api/types";
import { columnOf } from "../table/columns";
import { allOf, type Condition, filtersOf } from "../table/conditions";
import { queryRows } from "../table/queries";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { showCell } from "../values/cells";
import { plural } from "../values/numbers";
import { shownTotal } from "./FootRow";
import { rowWords, useParts } from "./sheet";
import { aggregatesOf, askedOf, shownColumns, totalLabels } from "./view";

const PER_PAGE = 50;

/** The rows of a view in groups that fold, `within` others, each with what the view has at the foot; in the end rows. */
export function Groups({ within = [] }: { within?: readonly Condition[] }) {
  const { table, view, onView, api } = useParts();
  const column = table.columns.find((one) => one.name === view.group_by[within.length]);
  const where = allOf([...filtersOf(view.where), ...within]);
  const totals = aggregatesOf(table, view);
  const grouped: Query = column
    ? { group_by: [column.name], aggregates: [{ fn: "count", as: "__rows" }, ...totals], sort: [column.name] }
    : { sort: view.sort };
  const asked = { ...askedOf({ ...view, where }), ...grouped, per_page: PER_PAGE };
  return (
    <Listing
      queryKey={["groups", table._id, asked]}
      perPage={PER_PAGE}
      load={async (page, signal) => {
        const { total, records } = await queryRows(api, table._id, { ...asked, page }, signal);
        return { total: total ?? 0, records };
      }}
      empty={t`Nenhuma linha com estes filtros`}
      whole={(records) =>
        column ? (
          records.map((group) => (
            <Group key={JSON.stringify(group[column.name])} within={within} column={column} group={group} />
          ))
        ) : (
          <>
            <ul className="mt-list">
              {records.map((row) => (
                <li key={row.id}>{rowWords(shownColumns(table, view), row)}</li>
              ))}
            </ul>
            <Button onClick={() => onView({ where, group_by: [] })}>{t`Abrir estas linhas na grade`}</Button>
          </>
        )
      }
    />
  );
}

type GroupProps = { within: readonly Condition[]; column: Column; group: RecordOfRow };

function Group({ column, group, within }: GroupProps) {
  const { table, view } = useParts();
  const [wasOpen, setOpen] = useState(false); // what was unfolded within stays so
  const value = group[column.name] ?? null;
  const is = value === null ? { op: "is_null" as const, value: true } : { op: "eq" as const, value };
  const figures = aggregatesOf(table, view).map(({ fn, column: name, as }) => {
    const of = columnOf(table, name);
    return t`${totalLabels()[fn]} de ${of.display_name}: ${shownTotal(fn, group[as], of)}`;
  });
  return (
    <details className="mt-group" onToggle={() => setOpen(true)}>
      <summary>
        <strong>{showCell(value, column) || t`(vazia)`}</strong>
        {[plural(Number(group["__rows"]), "linha"), ...figures].map((figure) => (
          <span key={figure}>{figure}</span>
        ))}
      </summary>
      {wasOpen && <Groups within={[...within, { column: column.name, ...is }]} />}
    </details>
  );
}
