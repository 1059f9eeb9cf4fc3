import type { Difference, Job } from "../api/types";
import { t } from "../ui/language";
import { type Choices, detailText } from "../ui/parts";
import { columnLetter, formatCell } from "../values/cells";
import { formatCount, formatNumber, plural } from "../values/numbers";
import { delimiters, encodings, marks, orders, wordOf } from "../values/words";
import type { Adjustment, ReviewedColumn, Target } from "./draft";
import { type Places, type Spot, tableOf } from "./lines";

// What a person should look at before importing, as one list, worst first.

type Warning = Job["warnings"][number];

export interface Check {
  /** `stop`: nothing is imported as it is; `value`: a value may not be what the file says; `look`: what else was seen. */
  weight: "stop" | "value" | "look";
  text: string;
  spot: Spot | null;
  /** The column that it is about, by its inferred name. */
  column: string | null;
  /** What the file shows otherwise than the table remembers; gone once a person has said what holds. */
  difference?: Difference;
  /** What one click says of it, by the column's source, so that the table takes it on. */
  acceptance?: [source: string, adjustment: Adjustment];
}

/** The API has them first, and in this order. */
const CHANGES_VALUES: ReadonlySet<Warning["code"]> = new Set<Warning["code"]>([
  "AMBIGUOUS_MARK",
  "UNGROUPED_THOUSANDS",
  "AMBIGUOUS_DATES",
  "TWO_DIGIT_YEARS",
  "MONTHS_AS_DATES",
  "ZEROS_LOST",
  "SHORTENED_NUMBERS",
  "DIGITS_LOST",
  "ROUNDED_NUMBERS",
  "MOJIBAKE",
  "INVALID_UTF8",
  "BYTES_LOST",
  "NUL_REMOVED",
  "REPAIRED_ROWS",
  "MATCHED_BY_POSITION",
]);
const WEIGHTS: Check["weight"][] = ["stop", "value", "look"];

/** Return the list; what a person has decided about a column (its type, mark or order) is no doubt any more. */
export function checksOf(
  job: Job,
  columns: readonly ReviewedColumn[],
  places: Places,
  targets: readonly Target[] = [],
): Check[] {
  const found = [
    ...differences(job, columns, places),
    ...misfits(job, places),
    ...conflicts(job, columns),
    ...missing(job, columns, targets),
    ...job.warnings.map((warning) => ofWarning(job, warning, columns, places)),
    ...columns.flatMap((one) => exceptions(job, one, places)),
  ];
  return WEIGHTS.flatMap((weight) => found.filter((check) => check.weight === weight));
}

/** What the file shows otherwise than those before it; a column that was mapped by a person is no doubt any more. */
function differences(job: Job, columns: readonly ReviewedColumn[], places: Places): Check[] {
  const headerLine = job.reading?.tables.find((table) => table.include)?.header_line;
  return (job.recipe?.differences ?? []).map((difference) => {
    const { code, severity, text, column: name, before, after, lines = [] } = difference;
    const label = code === "COLUMN_RENAMED" || code === "COLUMN_NEW" ? after : null;
    const about = columns.find((one) => (label ? one.source === label : one.name === name || one.column.name === name));
    const isSaid = about !== undefined && (about.adjustment.into !== undefined || isSettled(about));
    const column = about?.column.name ?? null;
    const [line = ABOUT_HEADERS.has(code) ? headerLine : undefined] = lines;
    const spot = line ? spotOf(job, { line }, places, column ?? "", text) : null;
    if (isSaid) return { weight: "look" as const, text: `✓ ${text}`, spot, column };
    const adjustment = about && acceptanceOf(difference);
    return {
      weight: severity === "told" ? ("look" as const) : ("value" as const),
      text,
      spot: spot && { ...spot, before: code === "COLUMN_NEW" ? "nenhuma" : wordsOf(code, before) },
      column,
      difference,
      ...(about && adjustment ? { acceptance: [about.source, adjustment] as [string, Adjustment] } : {}),
    };
  });
}

/** Differences that the line of the labels shows. */
export const ABOUT_HEADERS: ReadonlySet<Difference["code"]> = new Set<Difference["code"]>([
  "HEADER_MOVED",
  "COLUMNS_REORDERED",
  "COLUMN_NEW",
  "COLUMN_MISSING",
  "COLUMN_RENAMED",
  "REQUIRED_MISSING",
]);

/** Return what is said of the column where what is new in the file is to hold from now on. */
function acceptanceOf({ code, column, after }: Difference): Adjustment | null {
  if (code === "COLUMN_NEW") return { include: true, into: null };
  if (code === "COLUMN_RENAMED") return { include: true, into: column ?? null };
  if (code === "MARK_CHANGED") return { decimal_mark: after as Adjustment["decimal_mark"] };
  return code === "DATE_ORDER_CHANGED" ? { date_order: after as Adjustment["date_order"] } : null;
}

const WORDS: Partial<Record<Difference["code"], Choices>> = {
  ENCODING_CHANGED: encodings(),
  DELIMITER_CHANGED: delimiters(),
  MARK_CHANGED: marks(),
  DATE_ORDER_CHANGED: orders(),
};

/** Return what a difference shows before or after, as people say it. */
export function wordsOf(code: Difference["code"], value: Difference["before"]): string {
  if (value === null || value === undefined) return "";
  return wordOf(WORDS[code] ?? [], typeof value === "number" ? formatNumber(String(value)) : String(value));
}

function misfits(job: Job, places: Places): Check[] {
  // A confirmation may have renamed columns: details have the new names.
  const inferredName = (name: string): string =>
    job.confirmed_schema?.columns.find((column) => column.name === name)?.source ?? name;
  return (job.error?.details ?? []).map((detail) => {
    const column = inferredName(String(detail.column ?? ""));
    const spot = spotOf(job, detail, places, column, detail.reason);
    const letter = spot && spot.place !== null ? columnLetter(spot.place) : undefined;
    return { weight: "stop" as const, text: detailText(detail, letter), spot, column: column || null };
  });
}

function conflicts(job: Job, columns: readonly ReviewedColumn[]): Check[] {
  return (job.append_plan?.conflicts ?? []).map(({ column, count, details }) => {
    const [first] = details;
    const example = first ? t`, como ${detailText(first)}` : "";
    const fed = columns.find((one) => one.name === column || one.column.name === column);
    return {
      weight: "stop" as const,
      text: t`${plural(count, "valor não serve", "valores não servem")} para “${column}”, da tabela${example}`,
      spot: first ? spotOf(job, first, [], "", first.reason) : null,
      column: fed?.column.name ?? null,
    };
  });
}

/** The table's columns that nothing of the file feeds; a recipe's differences tell of its own. */
function missing(job: Job, columns: readonly ReviewedColumn[], targets: readonly Target[]): Check[] {
  const fed = new Set(columns.flatMap(({ include, into }) => (include && into ? [into.name] : [])));
  const left = job.recipe
    ? []
    : targets.filter(({ name }) => !fed.has(name)).map((one) => one.display_name ?? one.name);
  if (left.length === 0) return [];
  const text = t`Nada neste arquivo preenche ${left.join(", ")}, da tabela`;
  return [{ weight: "look", text, spot: null, column: null }];
}

function ofWarning(job: Job, warning: Warning, columns: readonly ReviewedColumn[], places: Places): Check {
  const about = columns.filter((one) => warning.columns?.includes(one.column.name));
  const isDecided = about.length > 0 && about.every(isSettled);
  const isValue = CHANGES_VALUES.has(warning.code) && !isDecided;
  const column = about[0]?.column.name ?? null;
  const named = about.length === 1 && about[0] ? `${about[0].source}: ` : "";
  const [line] = warning.lines ?? [];
  const spot = line === undefined ? null : spotOf(job, { ...warning, line }, places, column ?? "", warning.text);
  return { weight: isValue ? "value" : "look", text: `${named}${warning.text}${linesOf(warning)}`, spot, column };
}

function linesOf({ lines = [], count }: Warning): string {
  if (lines.length === 0) return "";
  const shown = lines.slice(0, 5).map(formatCount).join(", ");
  const all = count ?? lines.length;
  return all > 5
    ? t` (linhas ${shown} e outras, ${formatCount(all)} no total)`
    : all === 1
      ? t` (linha ${shown})`
      : t` (linhas ${shown})`;
}

function exceptions(job: Job, { column, source, type }: ReviewedColumn, places: Places): Check[] {
  const [first] = column.inference?.exceptions ?? [];
  if (!first || type !== column.type) return [];
  const spot = spotOf(job, first, places, column.name, first.reason);
  const value = first.value === null || first.value === undefined ? "" : ` “${formatCell(first.value, "text")}”`;
  return [
    {
      weight: "look",
      text: t`${source}: ${first.reason}, como${value} na linha ${first.line}`,
      spot,
      column: column.name,
    },
  ];
}

/** Whether a person has said how a column is to be read. */
function isSettled({ include, type, column, adjustment }: ReviewedColumn): boolean {
  return !include || type !== column.type || Boolean(adjustment.decimal_mark ?? adjustment.date_order);
}

interface Placed {
  file?: string | null;
  sheet?: string | null;
  line?: number;
}

/** Return the cell that a detail speaks of, or null where it names no line of a file. */
function spotOf(job: Job, placed: Placed, places: Places, column: string, reason: string): Spot | null {
  if (placed.line === undefined || !job.reading) return null;
  const table = tableOf(job.reading.tables, placed.file ?? "", placed.sheet ?? null);
  if (table < 0) return null;
  return { table, line: placed.line, place: places[table]?.get(column) ?? null, reason };
}
