import type { Job, Table } from "../api/types";
import { useGet } from "../ui/context";
import { t } from "../ui/language";
import { classes } from "../ui/parts";
import { isNumeric, showCell } from "../values/cells";
import { formatCount } from "../values/numbers";

const ROWS = 5;
const COLUMNS = 8;
const A_PAGE = 100; // of which the last one may be short

/**
 * The first rows that a load brought into a table, or the last ones where others stand before them. Once other rows came
 * after them nothing is shown: they would be taken for the file's.
 */
export function CameIn({ job, table }: { job: Job; table: Table }) {
  const isAll = job.mode === "create" || job.mode === "replace";
  const wanted = Math.min(ROWS, job.result?.inserted ?? 0);
  const at = isAll
    ? { page: 1, per_page: ROWS }
    : { page: Math.max(Math.ceil(table.row_count / A_PAGE), 1), per_page: A_PAGE };
  const query = { ...at, numbers: "string", count: false } as const;
  const path = { table_id: table._id };
  const { data } = useGet("/{table_id}/data", { path, query }, { enabled: wanted > 0 });
  const all = data?.records ?? []; // in the order in which they were inserted
  const rows = isAll ? all.slice(0, wanted) : all.slice(-wanted);
  const row = String(rows.at(-1)?.["id"] ?? "");
  const origin = useGet(
    "/{table_id}/data/{row_id}/origin",
    { path: { ...path, row_id: row } },
    { enabled: row !== "" },
  );
  if (origin.data?.job_id !== job._id) return null;
  const columns = table.columns.slice(0, COLUMNS);
  const left = table.columns.length - columns.length;
  const title = isAll ? t`As primeiras linhas` : t`As últimas linhas que entraram`;
  return (
    <div className="mt-scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="mt-compare">
        <caption>
          {title}
          {left > 0 && t` · e mais ${formatCount(left)} colunas`}
        </caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={classes(isNumeric(column.type) && "mt-number")}>
                {column.display_name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={String(one["id"])}>
              {columns.map((column) => (
                <td key={column.name} className={classes("mt-preview-cell", isNumeric(column.type) && "mt-number")}>
                  {showCell(one[column.name] as Parameters<typeof showCell>[0], column)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
