import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTable } from "../api/queries";
import { fileNames, type Job } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useCaller } from "../ui/context";
import { Button, Failure, Field } from "../ui/parts";
import { Steps } from "../ui/Steps";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { type Adjustment, keptSentence, type ReviewedColumn, review } from "./adjustments";
import { Cancel } from "./Cancel";
import { CheckList } from "./CheckList";
import { ColumnPanel } from "./ColumnPanel";
import { ConfirmBar } from "./ConfirmBar";
import { type Check, checksOf } from "./checks";
import { useExamples } from "./examples";
import { FileGrid } from "./FileGrid";
import { type Spot, usePlaces } from "./lines";
import { type Draft, recall, remember } from "./memory";
import { useReanalyze } from "./mutations";
import { MisfitChoice, Plan } from "./Plan";
import { ReadingOptions, ReadingSummary } from "./ReadingOptions";
import { stated, type Wish } from "./readings";
import { TableTabs } from "./TableTabs";

export interface ReviewProps {
  job: Job;
  /** Whether the files are being read again: what is shown is of the reading before. */
  isRereading: boolean;
}

/** The file's lines under the columns that they become, what is to be checked, one column's panel, and the way on. */
export function Review({ job, isRereading }: ReviewProps): ReactNode {
  const { can } = useCaller();
  const table = useTable(job.user_table_id ?? "", job.user_table_id !== null);
  const targets = table.data?.columns ?? NO_COLUMNS;
  const [draft, setDraft] = useDraft(job);
  const schema = job.inferred_schema;
  const columns = useMemo(
    () => (schema ? review(schema, draft.adjustments, targets) : []),
    [schema, draft.adjustments, targets],
  );
  const places = usePlaces(job);
  const checks = checksOf(job, columns, places);
  const reanalyze = useReanalyze(job);
  const isBusy = isRereading || reanalyze.isPending;
  const look = useLook(job, columns, checks);
  const kept = useKept(job, draft, isBusy);
  const reading = job.reading?.tables[look.table];
  const adjustAll = (sources: readonly string[], changes: Adjustment): void => {
    const after = new Map(draft.adjustments);
    for (const source of sources) after.set(source, { ...after.get(source), ...changes });
    setDraft({ adjustments: after });
  };
  const adjust = (source: string, changes: Adjustment): void => adjustAll([source], changes);
  const wish = (changes: Wish | null): void => {
    if (!reading) return;
    const all = new Map(draft.stated);
    const next = changes ? stated(reading, all.get(look.table), changes) : { file: reading.file, sheet: reading.sheet };
    if (changes) all.set(look.table, next);
    else all.delete(look.table);
    setDraft({ stated: all });
    reanalyze.mutate(next);
  };
  const isStated = draft.stated.has(look.table) || reading?.reasons.some((one) => one.code === "STATED") === true;
  const hasConflicts = (job.append_plan?.conflicts.length ?? 0) > 0;

  return (
    <section aria-labelledby="review-title" className="mt-review">
      <div className="mt-title-bar">
        <h1 id="review-title">{fileNames(job)}</h1>
        <Steps now={2} />
      </div>
      <p className="mt-quiet">
        {schema && `${plural(schema.total_row_count_estimate, "linha")} · ${plural(schema.columns.length, "coluna")}`}
        {job.expires_at && ` · guardado até ${formatMoment(job.expires_at)}`}
      </p>
      <CheckList
        message={job.error?.message ?? null}
        checks={checks}
        total={job.error?.details_total ?? 0}
        onCheck={look.at}
      >
        {job.error && (
          <MisfitActions job={job} columns={columns} onAll={adjustAll} onSkip={() => setDraft({ onMisfit: "skip" })} />
        )}
        {!job.error && hasConflicts && (
          <MisfitChoice onMisfit={draft.onMisfit} onChoice={(onMisfit) => setDraft({ onMisfit })} />
        )}
      </CheckList>
      {reanalyze.error && <Failure error={reanalyze.error} />}
      {kept && <p className="mt-note">{kept}</p>}
      {schema && !job.user_table_id && (
        <Field label="Nova tabela" hint="Letras minúsculas, números e _" className="mt-target">
          {(ids) => (
            <input
              {...ids}
              value={draft.tableName ?? schema.suggested_table_name}
              spellCheck={false}
              onChange={(event) => setDraft({ tableName: event.target.value })}
            />
          )}
        </Field>
      )}
      {job.append_plan && (
        <Plan
          plan={job.append_plan}
          columns={columns}
          targets={targets}
          onMisfit={draft.onMisfit}
          onChoice={(onMisfit) => setDraft({ onMisfit })}
        />
      )}
      {reading && job.reading && (
        <section className="mt-panel" aria-labelledby="reading-title" aria-busy={isBusy}>
          <h2 id="reading-title">Como o arquivo foi lido</h2>
          <TableTabs tables={job.reading.tables} chosen={look.table} onChoose={look.choose} />
          <ReadingSummary table={reading} isStated={isStated} />
          {!reading.include && <p>{reading.reasons.map((reason) => reason.text).join(" · ")}</p>}
          <div className="mt-actions mt-reading-bar">
            {job.reading.tables.length > 1 && (
              <Button disabled={isBusy} onClick={() => wish({ include: !reading.include })}>
                {reading.include ? "Deixar de fora" : "Incluir na importação"}
              </Button>
            )}
            <ReadingOptions key={`${look.table}/${job.updated_at}`} table={reading} isBusy={isBusy} onWish={wish} />
            {isStated && (
              <Button disabled={isBusy} onClick={() => wish(null)}>
                Voltar ao detectado
              </Button>
            )}
            <Button
              onClick={() =>
                adjustAll(
                  columns.map((one) => one.source),
                  { type: "text" },
                )
              }
            >
              Importar tudo como texto
            </Button>
          </div>
          <Sheet
            job={job}
            look={look}
            columns={columns}
            checks={checks}
            targets={targets}
            isBusy={isBusy}
            onAdjust={adjust}
            onWish={wish}
          >
            {look.column && (
              <ColumnPanel
                key={`${look.column.column.name}/${job.updated_at}`}
                columns={columns}
                column={look.column}
                place={places[look.table]?.get(look.column.column.name) ?? null}
                targets={targets}
                zone={job.reading.timezone}
                checks={checks.filter((check) => check.column === look.column?.column.name)}
                canBeEmptied={look.column.into?.nullable === false && can("update")}
                isEmptied={draft.makeNullable.includes(look.column.name)}
                onSelect={look.select}
                onAdjust={adjust}
                onCheck={look.at}
                onEmptied={(isEmptied) =>
                  setDraft({ makeNullable: toggled(draft.makeNullable, look.column?.name, isEmptied) })
                }
              />
            )}
          </Sheet>
        </section>
      )}
      {schema ? (
        <ConfirmBar
          job={job}
          table={table.data ?? null}
          name={draft.tableName ?? schema.suggested_table_name}
          draft={draft}
          columns={columns}
          checks={checks}
          isBusy={isBusy}
          onCheck={look.at}
        />
      ) : (
        <Cancel job={job} />
      )}
    </section>
  );
}

const NO_COLUMNS: [] = [];

function toggled(names: readonly string[], name: string | undefined, isIn: boolean): readonly string[] {
  const others = names.filter((one) => one !== name);
  return isIn && name !== undefined ? [...others, name] : others;
}

/** What a person has said so far, kept in the browser. */
function useDraft(job: Job): [Draft, (changes: Partial<Draft>) => void] {
  const [draft, setDraft] = useState<Draft>(() => recall(job));
  const change = (changes: Partial<Draft>): void =>
    setDraft((before) => {
      const after = { ...before, ...changes };
      remember(job, after);
      return after;
    });
  return [draft, change];
}

export interface Look {
  table: number;
  spot: Spot | null;
  column: ReviewedColumn | null;
  choose: (table: number) => void;
  select: (column: string) => void;
  /** Go to where an entry of the list leads. */
  at: (check: Check) => void;
}

/** What a person looks at: a file or sheet, a column, a cell. */
function useLook(job: Job, columns: readonly ReviewedColumn[], checks: readonly Check[]): Look {
  const included = job.reading?.tables.findIndex((table) => table.include) ?? -1;
  const [table, choose] = useState(Math.max(included, 0));
  const [spot, setSpot] = useState<Spot | null>(null);
  const [selected, select] = useState<string | null>(null);
  const doubtful = checks.find((check) => check.column !== null)?.column;
  const name = selected ?? doubtful;
  const column = columns.find((one) => one.column.name === name) ?? columns[0] ?? null;
  const at = (check: Check): void => {
    if (check.column !== null) select(check.column);
    if (check.spot) {
      choose(check.spot.table);
      setSpot({ ...check.spot }); // another object: the same cell takes the focus again
    } else document.getElementById("panel-title")?.scrollIntoView({ block: "nearest" });
  };
  return { table, spot, column, choose, select, at };
}

/** Say what became of a person's changes when the files were read again. */
function useKept(job: Job, { adjustments }: Draft, isBusy: boolean): string | null {
  const announce = useAnnounce();
  const schema = job.inferred_schema;
  const readings = useRef(schema);
  useEffect(() => {
    if (readings.current === schema || !schema) return;
    readings.current = schema;
    announce(
      keptSentence(schema, adjustments) ?? `Arquivo lido de novo: ${plural(schema.total_row_count_estimate, "linha")}`,
    );
  }, [schema]);
  return schema && !isBusy ? keptSentence(schema, adjustments) : null;
}

interface SheetProps {
  job: Job;
  look: Look;
  columns: readonly ReviewedColumn[];
  checks: readonly Check[];
  targets: Parameters<typeof FileGrid>[0]["targets"];
  isBusy: boolean;
  onAdjust: (source: string, changes: Adjustment) => void;
  onWish: (wish: Wish) => void;
  children: ReactNode;
}

/** The lines of the chosen file or sheet, and beside them the panel of the chosen column. */
function Sheet({ job, look, columns, checks, children, ...rest }: SheetProps): ReactNode {
  const table = job.reading?.tables[look.table];
  const places = usePlaces(job)[look.table];
  const exampleOf = useExamples(job, table);
  const byPlace = new Map<number, ReviewedColumn>();
  if (table?.include) {
    for (const one of columns) {
      const place = places?.get(one.column.name);
      if (place !== undefined) byPlace.set(place, one);
    }
  }
  const doubts = new Map<string, number>();
  for (const { column } of checks) if (column !== null) doubts.set(column, (doubts.get(column) ?? 0) + 1);
  if (!table) return null;
  return (
    <div className="mt-review-sheet">
      <div className="mt-review-lines">
        <FileGrid
          key={look.table}
          job={job}
          table={table}
          spot={look.spot?.table === look.table ? look.spot : null}
          columns={byPlace}
          selected={look.column?.column.name ?? null}
          doubts={doubts}
          exampleOf={exampleOf}
          onSelect={look.select}
          {...rest}
        />
      </div>
      {children}
    </div>
  );
}

interface MisfitActionsProps {
  job: Job;
  columns: readonly ReviewedColumn[];
  onAll: (sources: readonly string[], changes: Adjustment) => void;
  onSkip: () => void;
}

/** What can be done at once about values that did not fit. */
function MisfitActions({ job, columns, onAll, onSkip }: MisfitActionsProps): ReactNode {
  const named = new Set((job.error?.details ?? []).map((detail) => detail.column));
  const misfits = columns.filter((one) => named.has(one.name) && !one.into && one.type !== "text");
  return (
    <div className="mt-actions">
      {misfits.map(({ source }) => (
        <Button key={source} onClick={() => onAll([source], { type: "text" })}>
          Importar “{source}” como texto
        </Button>
      ))}
      <Button onClick={onSkip}>Separar estas linhas num arquivo e importar as outras</Button>
    </div>
  );
}
