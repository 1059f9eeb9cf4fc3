import { notifyManager, useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useEffect, useMemo, useRef, useState } from "react";
import { type Api, ApiFailure, tagOf } from "../api/session";
import type { Column, Confirmation, InferredColumn, InferredSchema, Job, Reanalysis, Recipe } from "../api/types";
import type { Mode } from "../api/uploads";
import { jobQuestion, useConsole, useGet, useRecipe, useTable } from "../ui/context";
import { t } from "../ui/language";
import { Store, useShared, useStore, useWindowEvents } from "../ui/store";
import { isDay, isNumeric, parseCell } from "../values/cells";
import { plural } from "../values/numbers";
import { toName } from "../values/words";
import { type Check, checksOf, rowsOut } from "./checks";
import { type Overrides, PAGE_LINES, type Spot, usePlaces } from "./lines";
import { decided, type Repair, statedColumns, toConfirmed, withLeft } from "./repairs";

type Confirmed = NonNullable<Confirmation["columns"]>[number];

/** What the API can be told of how a column's cells are read, and of which types; of others it is kept, and not sent. */
export const HOW = {
  decimal_mark: isNumeric,
  date_order: isDay,
  timezone: (type: Column["type"]) => type === "datetime",
  trim: (type: Column["type"]) => type === "text",
  true_tokens: (type: Column["type"]) => type === "boolean",
  false_tokens: (type: Column["type"]) => type === "boolean",
  null_tokens: () => true,
};

type How = Pick<Confirmed, keyof typeof HOW>;

/** What a person changed of a column; what is not here, or null, stays as it was inferred. */
export interface Adjustment extends How, Partial<Pick<Confirmed, "name" | "type" | "nullable">> {
  include?: boolean;
  /** Whether it is one of the columns that together are there once only. */
  isKey?: boolean;
  /** What rows get that do not name it, as a person types it. */
  standard?: string;
  /** The table's column that it feeds; null: a new one. */
  into?: string | null;
}

export interface ReviewedColumn {
  column: InferredColumn;
  source: string;
  include: boolean;
  name: string;
  type: Column["type"];
  nullable: boolean;
  /** The table's column that it feeds, or null. */
  into: Target | null;
  adjustment: Adjustment;
}

/** A column of the table that the file goes into. */
export type Target = Pick<Column, "name" | "type" | "nullable"> & { display_name?: string };

function sourceOf(column: InferredColumn): string {
  return column.source ?? column.display_name;
}

/** Return what each column is known by under another reading: its label, and which of those that share it. */
export function keysOf(columns: readonly InferredColumn[]): readonly string[] {
  const seen = new Map<string, number>();
  return columns.map((column) => {
    const source = sourceOf(column);
    const count = (seen.get(source) ?? 0) + 1;
    seen.set(source, count);
    return count === 1 ? source : `${source} (${count})`;
  });
}

/** Return what was chosen for what fed the table's column before: it holds again; marks and orders are each file's own. */
function remembered(recipe: Recipe | null, { table_column: into }: InferredColumn): Adjustment {
  const found = recipe?.columns.find(({ name }) => name === into?.name);
  return found ? saidOf({ ...found, decimal_mark: null, date_order: null }) : {};
}

/** Return what is said of how the cells are read, without what is left to the file, or is of another type than this. */
function saidOf(said: How, type?: Column["type"]): How {
  const fields = (Object.keys(HOW) as (keyof How)[]).filter((field) => type === undefined || HOW[field](type));
  return Object.fromEntries(fields.flatMap((field) => ((said[field] ?? null) === null ? [] : [[field, said[field]]])));
}

/** Return the columns of a schema with a person's changes on top; `targets` are those of the table that they go into.
 *
 * `order` has the sources of the columns that come first, `fresh` the names of those that are new to the table: what
 * feeds nothing and is none of them, the recipe leaves out.
 */
export function review(
  schema: InferredSchema,
  adjustments: Readonly<Record<string, Adjustment>>,
  targets: readonly Target[] = [],
  recipe: Recipe | null = null,
  order: readonly string[] = [],
  fresh: readonly string[] | null = null,
): ReviewedColumn[] {
  const keys = keysOf(schema.columns);
  const rank = ({ source }: ReviewedColumn): number => order.indexOf(source) + 1 || order.length + 1;
  const reviewed = schema.columns.map((column, index) => {
    const source = keys[index] ?? column.name;
    const adjustment = { ...remembered(recipe, column), ...adjustments[source] };
    const chosen = targets.find((target) => target.name === adjustment.into) ?? null;
    const into = adjustment.into === undefined ? (column.table_column ?? null) : chosen;
    const isLeftOut = fresh !== null && !into && !fresh.includes(column.name);
    return {
      column,
      source,
      include: adjustment.include ?? !isLeftOut,
      name: into?.name ?? (adjustment.name?.trim() ? toName(adjustment.name) : column.name),
      type: into?.type ?? adjustment.type ?? column.type,
      // Next month's file has a blank: a column may be empty unless a person says that it must not.
      nullable: into?.nullable ?? (adjustment.isKey ? false : (adjustment.nullable ?? true)),
      into,
      adjustment,
    };
  });
  return reviewed.sort((one, other) => rank(one) - rank(other));
}

/** Say what became of a person's changes under another reading; null where there were none. */
export function keptSentence(schema: InferredSchema, adjustments: Readonly<Record<string, Adjustment>>): string | null {
  const adjusted = Object.keys(adjustments);
  if (adjusted.length === 0) return null;
  const sources = new Set(keysOf(schema.columns));
  const lost = adjusted.filter((source) => !sources.has(source));
  const words = t`Mantivemos ${plural(adjusted.length - lost.length, "ajuste")}`;
  if (lost.length === 0) return words;
  return `${words}; ${plural(lost.length, "não vale mais", "não valem mais")}: ${lost.join(", ")}`;
}

/** Say in one sentence what the table will remember of where its files' columns go. */
export function rememberedWords(columns: readonly ReviewedColumn[]): string {
  const labelled = (some: readonly ReviewedColumn[]): string => some.map(({ source }) => `“${source}”`).join(", ");
  const taken = columns.filter((one) => one.include);
  const led = taken.filter(({ into, source }) => into && (into.display_name ?? into.name) !== source);
  const fresh = taken.filter(({ into }) => !into);
  const out = columns.filter((one) => !one.include);
  const parts = [
    ...led.map(({ source, into }) => t`“${source}” vai para ${into?.display_name ?? into?.name}`),
    fresh.length > 0 && t`${labelled(fresh)} entra como coluna nova`,
    out.length > 0 && t`${labelled(out)} fica de fora`,
  ].filter(Boolean);
  if (parts.length === 0) return t`Será lembrado: cada coluna vai para a que tem o nome dela.`;
  return t`Será lembrado: ${parts.join("; ")}.`;
}

/** Return the columns of a confirmation. */
export function toConfirmation(columns: readonly ReviewedColumn[]): Confirmed[] {
  return columns
    .filter((one) => one.include)
    .map(({ column, name, type, nullable, into, adjustment }) => {
      const { standard, name: typed = "" } = adjustment;
      const read = into || !standard ? null : parseCell(standard, type, false);
      return {
        name,
        display_name: into || [name, ""].includes(typed.trim()) ? column.display_name : typed.trim(),
        type,
        nullable,
        ...(name === column.name ? {} : { source: column.name }),
        ...(name === column.name && into?.name !== column.table_column?.name ? { table_column: into } : {}),
        ...(column.format && type === column.type && !into ? { format: column.format } : {}),
        ...(read?.ok ? { default: read.value } : {}),
        ...saidOf(adjustment, type),
      };
    });
}

// What a person has said in a review: kept by the server, so that it is there in another browser and for a colleague.

export interface Draft {
  /** By the label as the file has it: names may change from one reading to the next. */
  adjustments: Readonly<Record<string, Adjustment>>;
  onMisfit: "reject" | "skip";
  /** What the rows do with the table's, where that is not what the upload said. */
  mode: Mode | null;
  /** Columns of the table that are to accept empty cells. */
  makeNullable: readonly string[];
  /** What the new table is called; null is the name that was suggested. */
  tableName: string | null;
  /** The sources of a new table's columns, those first that a person has moved. */
  order: readonly string[];
  /** What is put in the place of values; null: what the table remembers. */
  repairs: readonly Repair[] | null;
  /** Whether the table is to remember how this file was read. */
  remember: boolean;
  /** Whether a table that confirms itself goes on doing so, though this file is read otherwise. */
  keepAutoConfirm: boolean;
}

/** What is said at once: fields of the draft, and decisions about values, by their keys; null takes one back. */
export type Said = Partial<Draft> & { decisions?: Readonly<Record<string, Repair | null>> };

const NO_COLUMNS: [] = [];

/** What the parts of a review share: the job, what was said of it, what is looked at, and what can be done. */
export function useReviewParts(job: Job) {
  const { user_table_id: into, inferred_schema: schema } = job;
  const shared = useConsole();
  const { api, can } = shared;
  // The table that the files go into, and what it remembers of its files; null where there is none.
  const target = useTable(into ?? "", into !== null);
  const table = target.data ?? null;
  const { data: recipe = null, isLoading } = useRecipe(into ?? "", job.recipe !== null);
  const isAlone = recipe?.auto_confirm === "unchanged"; // files load with nobody looking
  const targets: readonly Target[] = table?.columns ?? NO_COLUMNS;
  const { draft, change: onDraft, flush, failure } = useDraft(job);
  const fresh = recipe ? (job.append_plan?.new ?? null) : null;
  const columns = useMemo(
    () => (schema ? review(schema, draft.adjustments, targets, recipe, draft.order, fresh) : []),
    [schema, draft.adjustments, targets, recipe, draft.order, fresh],
  );
  const allPlaces = usePlaces(job);
  const left = useGet("/upload-jobs/{job_id}/misfits", misfitsOf(job, 1), {
    enabled: draft.repairs !== null && job.status === "waiting_confirm",
    placeholderData: (before) => before,
  });
  const mended = withLeft(job, left.data?.left, draft.repairs);
  const checks = checksOf(mended, columns, allPlaces, targets, table);
  const out = rowsOut(mended, columns, draft);
  const look = useLook(job, columns, checks);
  const path = { job_id: job._id };
  const reanalysis = useMutation({
    mutationFn: (body: Reanalysis) => api.POST("/upload-jobs/{job_id}/reanalyze", { path, body }),
  });
  useEffect(reanalysis.reset, [job.updated_at]); // it was done, whatever its answer was
  const confirmation = useMutation({
    mutationFn: async (body: Confirmation) => {
      await flush(); // values that do not fit bring the draft back
      return api.POST("/upload-jobs/{job_id}/confirm", { path, body });
    },
  });
  const name = draft.tableName?.trim() || (schema?.suggested_table_name ?? ""); // of a new table
  const { file = 0, sheet = null } = job.reading?.tables[look.table] ?? {}; // what is looked at
  const told = job.stated?.tables?.find((one) => one.file === file && (one.sheet ?? null) === sheet);
  const { file: _, sheet: __, ...stated } = { file, sheet, ...told }; // so far, of how it is read
  /** Have the files read again, with this said of the file or sheet that is looked at. */
  const onOverride = (overrides: Overrides) => reanalysis.mutate({ tables: [{ file, sheet, ...overrides }] });
  const onAdjust = (sources: readonly string[], changes: Adjustment): void =>
    onDraft({ adjustments: Object.fromEntries(sources.map((source) => [source, changes])) });
  const onConfirm = (onMisfit = draft.onMisfit): void => {
    const key = columns.filter((one) => one.include && one.adjustment.isKey).map((one) => one.name);
    const emptied = draft.makeNullable.filter((one) => columns.some((column) => column.into?.name === one));
    confirmation.mutate({
      display_name: toName(name),
      ...(into || toName(name) === name ? {} : { title: name }),
      columns: toConfirmation(columns),
      ...(into || key.length === 0 ? {} : { key }),
      on_misfit: onMisfit,
      ...(draft.repairs ? { repairs: toConfirmed(draft.repairs, columns) } : {}),
      ...(into && draft.mode ? { mode: draft.mode } : {}),
      remember: draft.remember,
      ...(isAlone && can("update") && draft.keepAutoConfirm ? { keep_auto_confirm: true } : {}),
      ...(emptied.length > 0 ? { make_nullable: emptied } : {}),
    });
  };
  const isBusy = job.status === "analisando" || reanalysis.isPending || isLoading || (into !== null && table === null);
  const places = allPlaces[look.table] ?? new Map<string, number>(); // of the file or sheet that is looked at
  const problem = problemOf(columns, isBusy);
  const shown = {
    ...shared,
    job: into && draft.mode ? { ...mended, mode: draft.mode } : mended,
    target,
    table,
    recipe,
    look,
    columns,
    places,
    allPlaces,
    checks,
    out,
    targets,
    isBusy,
    isAlone,
    draft,
    name,
  };
  const acts = { flush, reanalysis, confirmation, onDraft, onAdjust, onOverride, onConfirm };
  return { ...shown, ...acts, stated, problem, failure };
}

export type ReviewParts = ReturnType<typeof useReviewParts>;

/** What is asked of values that are to be put right: another draft is another question. */
export function misfitsOf(job: Job, page: number, kind: "misfit" | "alike" = "misfit") {
  const version = JSON.stringify([job.updated_at, job.draft?.["repairs"], job.draft?.["columns"]]);
  return { path: { job_id: job._id }, query: { page, kind, per_page: 50 }, version };
}

/** Say what keeps the files from being imported as they are, and which column it is about; null where nothing does. */
function problemOf(columns: readonly ReviewedColumn[], isBusy: boolean): [words: string, at?: ReviewedColumn] | null {
  if (isBusy) return [t`O arquivo está sendo lido de novo`];
  if (!columns.some((one) => one.include)) return [t`Escolha ao menos uma coluna`];
  const wrong = columns.find(({ include, into, type, adjustment: { standard } }) => {
    return include && !into && standard && !parseCell(standard, type, false).ok;
  });
  if (wrong) return [t`O valor padrão de “${wrong.source}” não serve para o tipo dela`, wrong];
  const names = columns.map(({ include, name }) => include && name);
  const at = columns.find(({ include, name }, index) => include && names.indexOf(name) < index);
  return at ? [t`Duas colunas do arquivo vão para “${at.name}”: mude uma delas`, at] : null;
}

/** What a person looks at: a file or sheet, a cell of it, a column. */
function useLook(job: Job, columns: readonly ReviewedColumn[], checks: readonly Check[]) {
  const included = job.reading?.tables.findIndex((table) => table.include) ?? -1;
  const [table, setTable] = useState(Math.max(included, 0));
  const [shown, show] = useState<number | null>(1); // the first of the lines that are shown; null: those that are no data
  const [spot, setSpot] = useState<(Spot & Pick<Check, "column">) | null>(null); // whose place may be known later
  const [selected, setSelected] = useState<string | null>(null);
  const choose = (index: number): void => {
    setTable(index);
    show(1);
  };
  const select = (name: string | null): void => {
    setSelected(name);
    setSpot(null); // a phone shows the panel or the cell
  };
  const doubtful = checks.find((check) => check.column !== null)?.column;
  const column = columns.find((one) => one.column.name === (selected ?? doubtful)) ?? columns[0] ?? null;
  /** Go to where an entry of the list leads. */
  const at = (check: Check): void => {
    if (check.column !== null) select(check.column);
    if (check.spot) {
      const { table, line } = check.spot;
      setTable(table);
      show(line <= PAGE_LINES ? 1 : line - 5);
      setSpot({ ...check.spot, column: check.column }); // another object: the same cell takes the focus again
    } else document.getElementById("panel-title")?.scrollIntoView({ block: "nearest" });
  };
  const isChosen = selected !== null && spot === null; // by a person: a phone shows its panel then
  return { table, shown, spot, column, choose, show, select, isChosen, at };
}

export const ReviewProvider = createContext<ReviewParts | null>(null);

export const useReview = (): ReviewParts => useShared(ReviewProvider, "no review around this");

const START: Draft = {
  adjustments: {},
  onMisfit: "reject",
  mode: null,
  makeNullable: [],
  tableName: null,
  order: [],
  repairs: null,
  remember: true,
  keepAutoConfirm: false,
};
const SAVE_AFTER_MS = 400;

/** Put changes on top of a draft, column by column and field by field. */
function withChanges(draft: Draft, { decisions = {}, ...changes }: Said): Draft {
  const adjustments = { ...draft.adjustments };
  for (const [source, adjustment] of Object.entries(changes.adjustments ?? {})) {
    adjustments[source] = { ...adjustments[source], ...adjustment };
  }
  return { ...draft, ...changes, adjustments, repairs: decided(changes.repairs ?? draft.repairs, decisions) };
}

function draftOf({ draft }: Pick<Job, "draft">, changes: readonly Said[]): Draft {
  return [(draft ?? {}) as Partial<Draft>, ...changes].reduce<Draft>(withChanges, START);
}

/** Return the draft as the server keeps it: without what is undefined, and with what it takes of columns. */
function toBody(job: Job, draft: Draft): Job["draft"] & object {
  const schema = job.inferred_schema;
  const columns = statedColumns(schema, keysOf(schema?.columns ?? []), draft.adjustments);
  return JSON.parse(JSON.stringify({ ...draft, columns })) as Job["draft"] & object;
}

const MOST_TRIES = 5;

/** Send what was said on top of the draft that is there; again where a colleague's came in between. */
async function keepDraft(api: Api, job: Job, sent: readonly Said[], tries = 1): Promise<Job["draft"] & object> {
  const path = { job_id: job._id };
  const there = await api.GET("/upload-jobs/{job_id}", { path, query: { fields: "draft", numbers: "string" } });
  const body = toBody(job, draftOf(there, sent));
  try {
    await api.PUT("/upload-jobs/{job_id}/draft", { path, body, headers: { "If-Match": tagOf(there) } });
    return body;
  } catch (error) {
    if (tries === MOST_TRIES || !(error instanceof ApiFailure) || error.code !== "DRAFT_CHANGED") throw error;
    return keepDraft(api, job, sent, tries + 1);
  }
}

/**
 * The draft of a job's review: what the server has, and on top of it what has not got there yet, which is sent a moment
 * after it is said, on top of what colleagues have sent since. `flush` sends it now, and resolves when the server has it.
 */
function useDraft(job: Job) {
  const { api, can, written } = useConsole();
  const queries = useQueryClient();
  const said = useMemo(() => new Store<readonly Said[]>([]), []);
  const unsent = useStore(said);
  const draft = useMemo(() => draftOf(job, unsent), [job.draft, unsent]);
  const timer = useRef(0);
  const save = useMutation({
    scope: { id: job._id }, // one after the other
    meta: { asksItself: true },
    onError: () => void queries.invalidateQueries({ queryKey: jobQuestion(job._id) }), // a colleague may have ended it
    mutationFn: async () => {
      const sent = said.get();
      if (sent.length === 0) return;
      const body = await keepDraft(api, job, sent);
      queries.setQueryData<Job>(jobQuestion(job._id), (known) => known && { ...known, draft: body });
      await new Promise<void>((shown) => notifyManager.schedule(shown)); // else a field would lose what was typed, for a moment
      said.set(said.get().slice(sent.length));
    },
  });
  const flush = (): Promise<void> => {
    window.clearTimeout(timer.current);
    return save.mutateAsync();
  };
  const change = (changes: Said): void => {
    if (!can("upload")) return;
    said.set([...said.get(), changes]);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void flush().catch(() => {}), SAVE_AFTER_MS);
  };
  useWindowEvents(["beforeunload"], (event) => {
    if (unsent.length > 0) event.preventDefault();
  });
  useEffect(() => () => void flush().catch(() => {}), []);
  useEffect(() => {
    written.set(save.isError); // then what is sent on leaving may fail, too
    return () => written.set(false);
  }, [save.isError]);
  return { draft, change, flush, failure: save.error };
}
