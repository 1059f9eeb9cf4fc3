import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { useGet } from "../api/queries";
import { ApiFailure } from "../api/session";
import type { DeletedRow, RowChange } from "../api/types";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { Button, Check, Dialog, Failure, Loading, SelectField } from "../ui/parts";
import { type Cell, showCell } from "../values/cells";
import { formatMoment } from "../values/dates";
import { formatCount, plural } from "../values/numbers";
import { columnOf, rowWords, useParts } from "./sheet";

const actionWords = () => ({ insert: t`criou`, update: t`alterou`, delete: t`apagou`, restore: t`trouxe de volta` });
const doorWords = (): Record<string, string> => ({
  api: t`na página ou por um programa`,
  bulk: t`várias linhas de uma vez`,
  upload: t`por um envio`,
  undo: t`ao desfazer um envio`,
  restore: t`da lixeira`,
  sql: t`direto no banco de dados`,
});
const SHOWN = 5;

type Change = RowChange & { row_id?: string };

/** Every change of a table's rows, newest first. */
export function TableHistory() {
  const { table, onOpen, onClose, api } = useParts();
  const [action, setAction] = useState("");
  const filter = action === "" ? {} : { action: action as Change["action"] };
  return (
    <Dialog title={t`Histórico da tabela`} isSide onClose={onClose}>
      <SelectField
        label={t`Mostrar`}
        choices={[["", t`Todas`], ...Object.entries(actionWords())]}
        value={action}
        onChoose={setAction}
      />
      <Listing
        key={action}
        queryKey={["history", table._id, action]}
        load={(page, signal) => {
          const query = { page, per_page: 20, numbers: "string" as const, ...filter };
          return api.GET("/{table_id}/history", { path: { table_id: table._id }, query, signal });
        }}
        empty={table.history ? t`Nenhuma alteração` : t`Esta tabela não guarda histórico`}
      >
        {(change, index) => (
          <ChangeItem key={index} {...change} onRow={() => onOpen({ story: change.row_id, column: null })} />
        )}
      </Listing>
    </Dialog>
  );
}

interface RowStoryProps {
  rowId: string;
  /** The cell that is asked about; null for the whole row. */
  column: string | null;
}

/** Where a row came from, its line in the file, and what became of it since. */
export function RowStory({ rowId, column }: RowStoryProps) {
  const { table, onClose, api } = useParts();
  const path = { table_id: table._id, row_id: rowId };
  return (
    <Dialog title={t`De onde veio`} isSide onClose={onClose}>
      <Origin rowId={rowId} column={column} />
      <h3>{t`Histórico da linha`}</h3>
      <Listing
        queryKey={["history", table._id, rowId]}
        perPage={Number.POSITIVE_INFINITY}
        load={(_, signal) =>
          api.GET("/{table_id}/data/{row_id}/history", { path, query: { numbers: "string" }, signal })
        }
        empty={<p>{t`Ninguém mudou esta linha${table.history ? "" : t`; esta tabela não guarda histórico`}.`}</p>}
      >
        {(change, index) => <ChangeItem key={index} {...change} column={column} />}
      </Listing>
    </Dialog>
  );
}

function Origin({ rowId, column }: RowStoryProps) {
  const { table, who } = useParts();
  const origin = useGet("/{table_id}/data/{row_id}/origin", { path: { table_id: table._id, row_id: rowId } });
  if (origin.error instanceof ApiFailure && origin.error.status === 404) {
    return <p>{t`Esta linha foi apagada. A Lixeira da tabela pode trazê-la de volta.`}</p>;
  }
  if (origin.error) return <Failure error={origin.error} onRetry={() => void origin.refetch()} />;
  if (!origin.data) return <Loading label={t`Procurando de onde a linha veio`} />;
  const { kind, file, sheet, line, at, user_id: userId, job_id: jobId, available, cells } = origin.data;
  const since = at === null ? "" : t` em ${formatMoment(at)}`;
  if (kind === "api")
    return <p>{t`Esta linha não veio de um arquivo: foi escrita à mão ou por um programa${since}.`}</p>;
  return (
    <>
      <p>
        {file === null ? t`Um envio` : <strong>{file}</strong>}
        {t`${sheet === null ? "" : t`, aba ${sheet}`}${line === null ? "" : t`, linha ${formatCount(line)}`}. ${who(userId)} importou${since}.`}{" "}
        {jobId && <Link href={`/envios/${jobId}`}>{t`Ver o envio`}</Link>}
      </p>
      {available ? (
        <dl className="mt-facts">
          {cells.map((cell) => (
            <div key={cell.column} className={cell.column === column ? "mt-cell-selected" : ""}>
              <dt>{cell.source}</dt>
              <dd aria-current={cell.column === column}>{cell.text ?? ""}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <p className="mt-quiet">{t`O arquivo já foi apagado: a linha não pode mais ser mostrada como estava nele.`}</p>
      )}
    </>
  );
}

interface ChangeItemProps extends RowChange {
  /** The cell that is asked about: it comes first. */
  column?: string | null;
  onRow?: () => void;
}

/** Who changed what, when, by which door, from what to what. */
function ChangeItem({ changes, action, column = null, onRow, ...change }: ChangeItemProps) {
  const { table, who } = useParts();
  const [isWhole, setWhole] = useState(false);
  const first = changes.filter((one) => one.column === column);
  const ordered = [...first, ...changes.filter((one) => one.column !== column)];
  const shown = isWhole ? ordered : ordered.slice(0, SHOWN);
  const door = doorWords()[change.via] ?? change.via;
  return (
    <li>
      <p>
        <strong>
          {who(change.user_id)} {actionWords()[action]}
        </strong>{" "}
        · {formatMoment(change.at)} · {change.job_id ? <Link href={`/envios/${change.job_id}`}>{door}</Link> : door}
        {onRow && <Button kind="quiet" onClick={onRow}>{t`Ver a linha`}</Button>}
      </p>
      {shown.map((one) => {
        const known = columnOf(table, one.column);
        const text = (value: Cell): string => showCell(value, known) || t`(vazia)`;
        return (
          <p key={one.column} className={one.column === column ? "mt-cell-selected" : ""}>
            {known.display_name}: {action !== "insert" && action !== "restore" && <del>{text(one.before)}</del>}
            {action === "update" && " → "}
            {action !== "delete" && text(one.after)}
          </p>
        );
      })}
      {ordered.length > shown.length && (
        <Button
          kind="quiet"
          onClick={() => setWhole(true)}
        >{t`Mostrar as outras ${ordered.length - shown.length}`}</Button>
      )}
    </li>
  );
}

const PER_PAGE = 200;
const SHOWN_COLUMNS = 5;

/** Deleted rows, by deletion: those that are chosen come back. */
export function Trash() {
  const { table, isEditable, onClose, api, announce, who } = useParts();
  const path = { table_id: table._id };
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const restore = useMutation({
    // What is chosen while the list is asked for again is no longer of this one: a mutation's own end comes after that.
    mutationFn: async (ids: ReadonlySet<string>) => {
      const { restored } = await api.POST("/{table_id}/trash/restore", { path, body: { ids: [...ids] } });
      setChosen((now) => new Set([...now].filter((id) => !ids.has(id))));
      announce(plural(restored, "linha voltou", "linhas voltaram"));
    },
  });
  const words = (row: DeletedRow): string => rowWords(table.columns.slice(0, SHOWN_COLUMNS), row);
  return (
    <Dialog title={t`Lixeira`} isSide onClose={onClose}>
      <p className="mt-quiet">{t`Linhas apagadas ficam aqui por 90 dias, com seus valores.`}</p>
      {restore.error && <Failure error={restore.error} />}
      {isEditable && (
        <Button kind="primary" disabled={restore.isPending || chosen.size === 0} onClick={() => restore.mutate(chosen)}>
          {chosen.size === 0 ? t`Trazer de volta as escolhidas` : t`Trazer de volta ${plural(chosen.size, "linha")}`}
        </Button>
      )}
      <Listing
        queryKey={["trash", table._id]}
        perPage={PER_PAGE}
        load={(page, signal) => {
          const query = { page, per_page: PER_PAGE, numbers: "string" as const };
          return api.GET("/{table_id}/trash", { path, query, signal });
        }}
        empty={t`A lixeira está vazia`}
        whole={(rows) =>
          deletionsOf(rows).map((deletion) => (
            <section key={deletion[0].deleted_at}>
              <div className="mt-title-bar">
                <h3>{t`${who(deletion[0].deleted_by)} apagou em ${formatMoment(deletion[0].deleted_at)}`}</h3>
                {isEditable && (
                  <Button
                    kind="quiet"
                    onClick={() => setChosen(new Set([...chosen, ...deletion.map(({ id }) => id)]))}
                  >{t`Escolher estas`}</Button>
                )}
              </div>
              <ul className="mt-list">
                {deletion.map((row) => (
                  <li key={row.id}>
                    {isEditable ? (
                      <Check
                        isChecked={chosen.has(row.id)}
                        onCheck={(isOn) => {
                          const others = [...chosen].filter((id) => id !== row.id);
                          setChosen(new Set(isOn ? [...others, row.id] : others));
                        }}
                      >
                        {words(row)}
                      </Check>
                    ) : (
                      words(row)
                    )}
                  </li>
                ))}
              </ul>
            </section>
          ))
        }
      />
    </Dialog>
  );
}

/** Group rows that were deleted at once; the list has them one after the other. */
function deletionsOf(rows: readonly DeletedRow[]): [DeletedRow, ...DeletedRow[]][] {
  const groups: [DeletedRow, ...DeletedRow[]][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0].deleted_at === row.deleted_at && last[0].deleted_by === row.deleted_by) last.push(row);
    else groups.push([row]);
  }
  return groups;
}
