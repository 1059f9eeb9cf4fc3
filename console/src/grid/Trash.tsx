import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Api } from "../api/session";
import type { DeletedRow, Table } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi, useWho } from "../ui/context";
import { Check } from "../ui/fields";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { Button, Dialog, Failure } from "../ui/parts";
import { showCell } from "../values/cells";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { useParts } from "./parts";

const PER_PAGE = 50;
const MOST = 1_000; // rows of one page of the API, and of one request to restore
const SHOWN_COLUMNS = 5;

/** Deleted rows, by deletion: chosen ones come back, or all of one deletion. */
export function Trash(): ReactNode {
  const { table, edits, isEditable, onClose } = useParts();
  const api = useApi();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const restore = useMutation({
    mutationFn: async (find: () => Promise<readonly string[]>) => {
      let restored = 0;
      try {
        const ids = await find();
        for (let start = 0; start < ids.length; start += MOST) {
          const body = { ids: ids.slice(start, start + MOST) };
          restored += (await api.POST("/{table_id}/trash/restore", { path: { table_id: table._id }, body })).restored;
        }
        return restored;
      } finally {
        if (restored > 0) edits.listener.inserted([]);
      }
    },
    onSuccess: (restored) => {
      setChosen(new Set());
      announce(plural(restored, "linha voltou", "linhas voltaram"));
    },
    onError: () => queries.invalidateQueries({ queryKey: ["trash", table._id] }),
  });
  const { isPending } = restore;
  const toggle = (id: string): void => {
    const after = new Set(chosen);
    if (!after.delete(id)) after.add(id);
    setChosen(after);
  };
  return (
    <Dialog title={t`Lixeira`} isSide onClose={onClose}>
      <p className="mt-quiet">{t`Linhas apagadas ficam aqui por 90 dias, com seus valores.`}</p>
      {restore.error && <Failure error={restore.error} />}
      {isEditable && (
        <Button
          kind="primary"
          disabled={isPending || chosen.size === 0}
          onClick={() => restore.mutate(() => Promise.resolve([...chosen]))}
        >
          {chosen.size === 0 ? t`Trazer de volta as escolhidas` : t`Trazer de volta ${plural(chosen.size, "linha")}`}
        </Button>
      )}
      <Listing
        queryKey={["trash", table._id]}
        perPage={PER_PAGE}
        load={(page, signal) => trashPage(api, table, page, PER_PAGE, signal)}
        empty={t`A lixeira está vazia`}
      >
        {(rows) =>
          deletionsOf(rows).map((deletion) => (
            <Deletion
              key={deletion[0].deleted_at}
              rows={deletion}
              chosen={chosen}
              isEditable={isEditable && !isPending}
              onToggle={toggle}
              onAll={() => restore.mutate(() => idsOf(api, table, deletion[0]))}
            />
          ))
        }
      </Listing>
    </Dialog>
  );
}

interface DeletionProps {
  rows: readonly [DeletedRow, ...DeletedRow[]];
  chosen: ReadonlySet<string>;
  isEditable: boolean;
  onToggle: (id: string) => void;
  onAll: () => void;
}

function Deletion({ rows, chosen, isEditable, onToggle, onAll }: DeletionProps): ReactNode {
  const { table } = useParts();
  const who = useWho();
  const columns = table.columns.slice(0, SHOWN_COLUMNS);
  const words = (row: DeletedRow): string =>
    columns.map((column) => showCell(row[column.name], column) || t`(vazia)`).join(" · ");
  return (
    <section>
      <div className="mt-title-bar">
        <h3>{t`${who(rows[0].deleted_by)} apagou em ${formatMoment(rows[0].deleted_at)}`}</h3>
        {isEditable && <Button kind="quiet" onClick={onAll}>{t`Trazer de volta todas desta vez`}</Button>}
      </div>
      <ul className="mt-list">
        {rows.map((row) => (
          <li key={row.id}>
            {isEditable ? (
              <Check isChecked={chosen.has(row.id)} onCheck={() => onToggle(row.id)}>
                {words(row)}
              </Check>
            ) : (
              words(row)
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function trashPage(api: Api, table: Table, page: number, perPage: number, signal?: AbortSignal) {
  const query = { page, per_page: perPage, numbers: "string" as const };
  return api.GET("/{table_id}/trash", { path: { table_id: table._id }, query, signal });
}

/** Group rows that were deleted at once; the list has them one after the other. */
function deletionsOf(rows: readonly DeletedRow[]): [DeletedRow, ...DeletedRow[]][] {
  const groups: [DeletedRow, ...DeletedRow[]][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last && isOf(row, last[0])) last.push(row);
    else groups.push([row]);
  }
  return groups;
}

function isOf(row: DeletedRow, deletion: DeletedRow): boolean {
  return row.deleted_at === deletion.deleted_at && row.deleted_by === deletion.deleted_by;
}

/** Return the ids of all rows of a deletion, which may be more than a page. */
async function idsOf(api: Api, table: Table, deletion: DeletedRow): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let page = 1; ; page += 1) {
    const { records } = await trashPage(api, table, page, MOST);
    ids.push(...records.filter((row) => isOf(row, deletion)).map((row) => row.id));
    const last = records.at(-1);
    if (records.length < MOST || (last && last.deleted_at < deletion.deleted_at)) return ids;
  }
}
