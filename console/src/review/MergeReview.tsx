import { useMutation, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { ApiFailure } from "../api/session";
import type { Cell, Confirmation, ErrorBody, Job, MergeConflict, MergePlan, Table } from "../api/types";
import { useConsole, useTable } from "../ui/context";
import { t } from "../ui/language";
import { Button, Check, Failure, Pending, Steps } from "../ui/parts";
import { showCell } from "../values/cells";
import { formatMoment } from "../values/dates";
import { formatCount, plural } from "../values/numbers";
import { Cancel } from "./ConfirmBar";

type Side = "mine" | "theirs";
/** What was decided: one side for all conflicts, or one for each, by its key. */
type Decided = Side | Readonly<Record<string, Side>>;

const keyOf = ({ row_id: row, column }: MergeConflict): string => `${row}/${column}`;

/**
 * A workbook that went out for editing and came back: what it changes, cell by cell, conflicts first. Nothing is written
 * before each conflict has a side, and what is not in the workbook stays in the table unless that is asked otherwise.
 */
export function MergeReview({ job, plan }: { job: Job; plan: MergePlan }) {
  const { api, can, announce } = useConsole();
  const queries = useQueryClient();
  const found = useTable(job.user_table_id ?? "");
  const [decided, setDecided] = useState<Decided>({});
  const [isSkipping, setSkipping] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const confirmation = useMutation({
    mutationFn: (body: Confirmation) => api.POST("/upload-jobs/{job_id}/confirm", { path: { job_id: job._id }, body }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["/upload-jobs/{job_id}"] }),
  });
  const table = found.data;
  if (!table) return <Pending query={found} label={t`Carregando a tabela`} />;
  const open = countOpen(plan, decided);
  const problem = open
    ? t`Escolha qual valor fica: ${plural(open, "célula")} sem decisão`
    : plan.refused_total > 0 && !isSkipping && t`Há linhas que não entram: conserte a planilha ou deixe-as de fora`;
  const go = (): void => {
    if (problem) {
      announce(problem);
      document.querySelector<HTMLElement>("[data-open] input")?.focus();
      return;
    }
    const onMisfit = isSkipping ? "skip" : "reject";
    confirmation.mutate({ conflicts: toBody(plan, decided), delete_absent: isDeleting, on_misfit: onMisfit });
  };
  const place = table.title || table.display_name;
  const failed = (job.error?.details ?? []) as NonNullable<ErrorBody["details"]>;
  return (
    <section className="mt-merge" aria-labelledby="review-title">
      <div className="mt-title-bar">
        <h1 id="review-title">{job.files.map((file) => file.original_name).join(", ")}</h1>
        <Steps now={2} />
      </div>
      <p>{t`Planilha exportada de ${place}. ${outcomeOf(plan)}.`}</p>
      {job.error && <Failure error={new ApiFailure(0, { error: job.error.message, details: failed })} />}
      {job.warnings.map(({ text }, index) => (
        <p key={index}>
          <TriangleAlert /> {text}
        </p>
      ))}
      {plan.conflicts_total > 0 && <Conflicts {...{ plan, table, decided }} onDecided={setDecided} />}
      {plan.refused_total > 0 && <Refused {...{ plan, table }} value={isSkipping} onValue={setSkipping} />}
      {plan.changes.length > 0 && <Changes {...{ plan, table }} />}
      {plan.absent > 0 && (
        <Check value={isDeleting} onValue={setDeleting}>
          {t`Excluir também ${plural(plan.absent, "linha que não está", "linhas que não estão")} na planilha (vão para a lixeira)`}
        </Check>
      )}
      {can("upload") ? (
        <div className="mt-sticky-bar">
          {confirmation.error && <Failure error={confirmation.error} />}
          <Cancel job={job} />
          {problem && <span className="mt-quiet">{problem}</span>}
          <Button
            id="mt-confirm"
            kind="primary"
            aria-disabled={Boolean(problem)}
            disabled={confirmation.isPending}
            onClick={go}
          >
            {t`Mesclar em ${place}`}
          </Button>
        </div>
      ) : (
        <p className="mt-note">{t`Você pode ver esta revisão, mas não importar nem mudar o que foi dito nela.`}</p>
      )}
    </section>
  );
}

/** Say what the merge does, each kind of row once. */
function outcomeOf({ inserted, updated, cells, unchanged, absent, copied }: MergePlan): string {
  const parts = [
    plural(updated, "linha muda", "linhas mudam") + (updated > 0 ? ` (${plural(cells, "célula")})` : ""),
    inserted > 0 && plural(inserted, "linha nova", "linhas novas"),
    copied > 0 && plural(copied, "delas é cópia de outra", "delas são cópias de outras"),
    plural(unchanged, "fica como está", "ficam como estão"),
    absent > 0 && plural(absent, "não está na planilha e fica", "não estão na planilha e ficam"),
  ];
  return parts.filter(Boolean).join(" · ");
}

function countOpen({ conflicts_total: total, conflicts }: MergePlan, decided: Decided): number {
  if (typeof decided === "string") return 0;
  return total - conflicts.filter((one) => keyOf(one) in decided).length;
}

function toBody({ conflicts }: MergePlan, decided: Decided): NonNullable<Confirmation["conflicts"]> | null {
  if (conflicts.length === 0) return null;
  if (typeof decided === "string") return decided;
  return conflicts.map((one) => ({ row_id: one.row_id, column: one.column, take: decided[keyOf(one)] ?? "theirs" }));
}

interface ConflictsProps {
  plan: MergePlan;
  table: Table;
  decided: Decided;
  onDecided: (decided: Decided) => void;
}

/** The cells that were changed on both sides, each with its own choice, and the choice for all at once. */
function Conflicts({ plan, table, decided, onDecided }: ConflictsProps) {
  const { who } = useConsole();
  const sideOf = (one: MergeConflict): Side | undefined =>
    typeof decided === "string" ? decided : decided[keyOf(one)];
  const decide = (one: MergeConflict, side: Side): void => {
    const all = typeof decided === "string" ? sidesOf(plan, decided) : decided;
    onDecided({ ...all, [keyOf(one)]: side });
  };
  const { conflicts, conflicts_total: total } = plan;
  return (
    <>
      <h2>{t`Mudadas na planilha e também por outras pessoas: ${plural(total, "célula")}`}</h2>
      <div className="mt-actions">
        <Button
          aria-pressed={decided === "mine"}
          onClick={() => onDecided("mine")}
        >{t`Ficar com a planilha em todas`}</Button>
        <Button
          aria-pressed={decided === "theirs"}
          onClick={() => onDecided("theirs")}
        >{t`Ficar com a tabela em todas`}</Button>
      </div>
      {total > conflicts.length && (
        <p>{t`Aqui estão as primeiras ${formatCount(conflicts.length)}. Com tantas, a escolha vale para todas.`}</p>
      )}
      <Cells
        label={t`Mudadas dos dois lados`}
        heads={[t`Antes`, t`Na tabela`, t`Na planilha`]}
        table={table}
        cells={conflicts.map((one) => ({
          ...one,
          isOpen: sideOf(one) === undefined,
          sides: (["base", "theirs", "mine"] as const).map((side) => {
            const value = <Value of={table} column={one.column} value={one[side]} />;
            if (side === "base") return value;
            const isGone = side === "theirs" && one.is_deleted;
            return (
              <label key={side} className="mt-check">
                <input
                  type="radio"
                  name={keyOf(one)}
                  disabled={total > conflicts.length}
                  checked={sideOf(one) === side}
                  onChange={() => decide(one, side)}
                />{" "}
                {isGone ? t`(linha excluída)` : value}
                {side === "theirs" && one.at && (
                  <span className="mt-quiet"> {t`${who(one.by)} em ${formatMoment(one.at)}`}</span>
                )}
              </label>
            );
          }),
        }))}
      />
    </>
  );
}

const sidesOf = ({ conflicts }: MergePlan, side: Side) =>
  Object.fromEntries(conflicts.map((one) => [keyOf(one), side] as const));

interface RefusedProps {
  plan: MergePlan;
  table: Table;
  value: boolean;
  onValue: (value: boolean) => void;
}

/** The rows that do not go in, and why; the others go without them where that is asked. */
function Refused({ plan, table, value, onValue }: RefusedProps) {
  const { refused, refused_total: total } = plan;
  return (
    <>
      <h2>{t`Não entram: ${plural(total, "linha")}`}</h2>
      <ul>
        {refused.slice(0, SHOWN).map((one, index) => (
          <li key={index}>
            {t`linha ${formatCount(one.line)}`}
            {one.column && `, ${labelOf(table, one.column)}`}: {one.reason}
          </li>
        ))}
      </ul>
      <Check value={value} onValue={onValue}>{t`Deixar essas linhas de fora e mesclar as outras`}</Check>
    </>
  );
}

const SHOWN = 50;

/** The first cells that change and that nobody else has changed. */
function Changes({ plan, table }: { plan: MergePlan; table: Table }) {
  const { changes, cells } = plan;
  return (
    <>
      <h2>{t`O que muda`}</h2>
      {cells > changes.length && <p>{t`As primeiras ${formatCount(changes.length)} de ${plural(cells, "célula")}.`}</p>}
      <Cells
        label={t`O que muda`}
        heads={[t`Antes`, t`Depois`]}
        table={table}
        cells={changes.map((one) => ({
          ...one,
          sides: (["before", "after"] as const).map((side) => (
            <Value key={side} of={table} column={one.column} value={one[side]} />
          )),
        }))}
      />
    </>
  );
}

interface CellsProps {
  label: string;
  heads: readonly string[];
  table: Table;
  cells: readonly { row_id: string; line: number; column: string; isOpen?: boolean; sides: readonly ReactNode[] }[];
}

/** Cells, each by its line in the workbook and its column, with what stands on each side. */
function Cells({ label, heads, table, cells }: CellsProps) {
  return (
    <div className="mt-scroll" role="region" aria-label={label} tabIndex={0}>
      <table className="mt-compare">
        <thead>
          <tr>
            {[t`Linha`, t`Coluna`, ...heads].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.map((one) => (
            <tr key={`${one.row_id}/${one.column}`} {...(one.isOpen && { "data-open": "" })}>
              <td className="mt-number">{formatCount(one.line)}</td>
              <th scope="row">{labelOf(table, one.column)}</th>
              {one.sides.map((side, index) => (
                <td key={index}>{side}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const labelOf = (table: Table, name: string): string =>
  table.columns.find((column) => column.name === name)?.display_name ?? name;

function Value({ of, column: name, value }: { of: Table; column: string; value: Cell }) {
  const column = of.columns.find((one) => one.name === name);
  const text = column ? showCell(value, { type: column.type }) : String(value ?? "");
  return text === "" ? <span className="mt-quiet">{t`(vazia)`}</span> : <span>{text}</span>;
}
