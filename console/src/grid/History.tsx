import { useState } from "react";
import { Link } from "wouter";
import { ApiFailure, isGone } from "../api/session";
import type { Cell, Column, DeletedRow, RowChange, RuleChange } from "../api/types";
import { kindLabels } from "../rules/words";
import { columnOf } from "../table/columns";
import { readRows } from "../table/queries";
import { useGet } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { Button, classes, Dialog, Facts, Pending } from "../ui/parts";
import { formatCell } from "../values/cells";
import { formatMoment } from "../values/dates";
import { formatCount, plural } from "../values/numbers";
import { rowWords, useParts } from "./sheet";

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

const ruleActionWords = (): Record<RuleChange["action"], string> => ({
  added: t`acrescentou a regra`,
  changed: t`mudou a regra`,
  removed: t`retirou a regra`,
});

/** Every change of a table's rows and, on the first page, of its rules, newest first. */
export function TableHistory() {
  const { table, onOpen, onClose, api } = useParts();
  return (
    <Dialog title={t`Histórico da tabela`} isSide onClose={onClose}>
      <Listing
        queryKey={["history", table._id]}
        load={async (page, signal) => {
          const query = { page, per_page: 20, numbers: "string" as const };
          const answer = await api.GET("/{table_id}/history", { path: { table_id: table._id }, query, signal });
          const records = [...answer.rules, ...answer.records].sort((one, other) => other.at.localeCompare(one.at));
          return { ...answer, records };
        }}
        empty={table.history ? t`Nenhuma alteração` : t`Esta tabela não guarda histórico`}
      >
        {(change, index) =>
          "rule" in change ? (
            <RuleItem key={index} {...change} />
          ) : (
            <ChangeItem
              key={index}
              {...change}
              rowId={change.row_id}
              onRow={() => onOpen(<RowStory rowId={change.row_id} column={null} />)}
            />
          )
        }
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
        {(change, index) => <ChangeItem key={index} {...change} rowId={rowId} column={column} />}
      </Listing>
    </Dialog>
  );
}

function Origin({ rowId, column }: RowStoryProps) {
  const { table, who } = useParts();
  const origin = useGet("/{table_id}/data/{row_id}/origin", { path: { table_id: table._id, row_id: rowId } });
  if (isGone(origin.error)) return <p>{t`Esta linha foi apagada. A Lixeira da tabela pode trazê-la de volta.`}</p>;
  if (!origin.data) return <Pending query={origin} label={t`Procurando de onde a linha veio`} />;
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
        <Facts
          facts={cells.map(({ source, text, ...of }) => [
            source,
            of.column === column ? (
              <mark key={of.column} aria-current="true">
                {text || t`(vazia)`}
              </mark>
            ) : (
              text
            ),
          ])}
        />
      ) : (
        <p className="mt-quiet">{t`O arquivo já foi apagado: a linha não pode mais ser mostrada como estava nele.`}</p>
      )}
    </>
  );
}

interface ChangeItemProps extends RowChange {
  rowId: string;
  /** The cell that is asked about: it comes first. */
  column?: string | null;
  onRow?: () => void;
}

/** Who changed what, when, by which door, from what to what: as it was stored, whatever its column shows. */
function ChangeItem({ changes, action, rowId, column = null, onRow, ...change }: ChangeItemProps) {
  const { table, who, isEditable } = useParts();
  const [isWhole, setWhole] = useState(false);
  const first = changes.filter((one) => one.column === column);
  const ordered = [...first, ...changes.filter((one) => one.column !== column)];
  const line = (one: RowChange["changes"][number]) => {
    const known = table.columns.find(({ name }) => name === one.column);
    const text = (value: Cell): string => formatCell(value, known?.type ?? "text") || t`(vazia)`;
    return (
      <p key={one.column} className={classes("mt-stored", one.column === column && "mt-cell-selected")}>
        {known?.display_name ?? t`(coluna retirada)`}:{" "}
        {action !== "insert" && action !== "restore" && <del>{text(one.before)}</del>}
        {action === "update" && " → "}
        {action !== "delete" && text(one.after)}
        {action === "update" && known && isEditable && <PutBack rowId={rowId} column={known} value={one.before} />}
      </p>
    );
  };
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
      {ordered.slice(0, SHOWN).map(line)}
      {ordered.length > SHOWN && (
        <details onToggle={(event) => setWhole(event.currentTarget.open)}>
          <summary>{t`Mais ${plural(ordered.length - SHOWN, "coluna")}`}</summary>
          {isWhole && ordered.slice(SHOWN).map(line)}
        </details>
      )}
    </li>
  );
}

/** Who changed which rule, and when; what it said is not kept. */
function RuleItem({ action, kind, columns, user_id: userId, at }: RuleChange) {
  const { table, who } = useParts();
  const labels = columns.map((name) => columnOf(table, name).display_name);
  return (
    <li>
      <p>
        <strong>
          {who(userId)} {ruleActionWords()[action]}
        </strong>{" "}
        · {formatMoment(at)}
      </p>
      <p>
        {labels.join(" + ")}: {kindLabels()[kind]}
      </p>
    </li>
  );
}

/** The way back to a value that a cell had. */
function PutBack({ rowId, column, value }: { rowId: string; column: Column; value: Cell }) {
  const { table, edits, api } = useParts();
  const put = async (): Promise<void> => {
    const [row] = await readRows(api, table._id, [rowId]);
    if (!row)
      throw new ApiFailure(0, { error: t`Esta linha foi apagada. A Lixeira da tabela pode trazê-la de volta.` });
    await edits.change(row, { [column.name]: value ?? null });
  };
  const about = `${column.display_name}: ${formatCell(value, column.type) || t`(vazia)`}`;
  return <Ask label={t`Voltar a este valor`} about={about} onGo={put} />;
}

const PER_PAGE = 200;

/** Deleted rows, by deletion: they come back one by one, or all of it that are shown. */
export function Trash() {
  const { table, isEditable, onClose, api, announce, who } = useParts();
  const path = { table_id: table._id };
  const restore = async (rows: readonly DeletedRow[]): Promise<void> => {
    const { restored } = await api.POST("/{table_id}/trash/restore", { path, body: { ids: rows.map(({ id }) => id) } });
    announce(plural(restored, "linha voltou", "linhas voltaram"));
  };
  const deletedRow = (row: DeletedRow) => {
    const words = rowWords(table.columns.slice(0, SHOWN), row);
    return (
      <li key={row.id}>
        {words} {isEditable && <Ask label={t`Trazer de volta`} about={words} onGo={() => restore([row])} />}
      </li>
    );
  };
  return (
    <Dialog title={t`Lixeira`} isSide onClose={onClose}>
      <p className="mt-quiet">{t`Linhas apagadas ficam aqui por 90 dias, com seus valores.`}</p>
      <Listing
        queryKey={["trash", table._id]}
        perPage={PER_PAGE}
        load={(page, signal) => {
          const query = { page, per_page: PER_PAGE, numbers: "string" as const };
          return api.GET("/{table_id}/trash", { path, query, signal });
        }}
        empty={t`A lixeira está vazia`}
        whole={(rows) =>
          deletionsOf(rows).map((deletion, index) => {
            const { id, deleted_by, deleted_at } = deletion[0] as DeletedRow;
            const label = t`Trazer de volta ${plural(deletion.length, "linha")}`;
            return (
              <section key={index}>
                <h3>{t`${who(deleted_by)} apagou em ${formatMoment(deleted_at)}`}</h3>
                {isEditable && deletion.length > 1 && <Ask key={id} label={label} onGo={() => restore(deletion)} />}
                <ul className="mt-list">{deletion.map(deletedRow)}</ul>
              </section>
            );
          })
        }
      />
    </Dialog>
  );
}

const AT_ONCE_MS = 100; // between two rows of one deletion: each has a moment of its own

/** Group rows that were deleted at once; the list has them one after the other. */
function deletionsOf(rows: readonly DeletedRow[]): DeletedRow[][] {
  const groups: DeletedRow[][] = [];
  for (const row of rows) {
    const before = groups.at(-1)?.at(-1);
    const gap = before ? Date.parse(before.deleted_at) - Date.parse(row.deleted_at) : AT_ONCE_MS;
    if (gap < AT_ONCE_MS && before?.deleted_by === row.deleted_by) groups.at(-1)?.push(row);
    else groups.push([row]);
  }
  return groups;
}
