import type { Cell, Difference, Job, Proof, Table } from "../api/types";
import { t } from "../ui/language";
import { type Choices, detailText } from "../ui/parts";
import { columnLetter, formatCell, typeLabels } from "../values/cells";
import { formatCount, formatNumber, plural } from "../values/numbers";
import { delimiters, encodings, marks, orders, wordOf } from "../values/words";
import type { Adjustment, Draft, ReviewedColumn, Target } from "./draft";
import { exampleOf, type Places, type Spot, tableOf } from "./lines";
import { brokenRules, refusedByRules } from "./rules";

// What a person should look at before importing, as one list, worst first.

type Warning = Job["warnings"][number];

export interface Check {
  /** `stop`: nothing is imported as it is; `value`: a value may not be what the file says; `look`: what else was seen. */
  weight: "stop" | "value" | "look";
  text: string;
  /** The difference's or warning's own sentence, which a proof may say as well. */
  sentence?: string;
  spot: Spot | null;
  /** Lines that show it, the first of them, and how many there are. */
  lines?: readonly number[];
  count?: number | undefined;
  /** The column that it is about, by its inferred name. */
  column: string | null;
  /** What the file shows otherwise than the table remembers; gone once a person has said what holds. */
  difference?: Difference;
  /** What one click says of it, by the column's source, so that the table takes it on. */
  acceptance?: [source: string, adjustment: Adjustment];
}

/** Return the entries that say what a proof that does not hold says, too: its line stands for them. */
export function saidBy({ holds, text }: Proof, checks: readonly Check[]): Check[] {
  return holds ? [] : checks.filter(({ sentence }) => sentence !== undefined && text.includes(sentence));
}

/** A line of the list: a check, or a proof that does not hold, which stands for all that say the same. */
export interface Entry {
  text: string;
  weight: Check["weight"];
  /** Whether a person has said what holds. */
  isDecided: boolean;
  /** Where it leads. */
  check: Check;
  lines: readonly number[];
  /** Lines besides those, which are not known here. */
  more: number;
  /** What differs, to be shown side by side. */
  differences: readonly Check[];
}

/** Return the list's lines: what is not proven first, then whatever no proof says. */
export function entriesOf({ proofs }: Job, checks: readonly Check[]): Entry[] {
  const said = new Set<Check>();
  const failed = (proofs ?? []).flatMap((proof) => {
    const by = saidBy(proof, checks);
    const [first] = by;
    if (!first) return [];
    for (const check of by) said.add(check);
    return [entryOf(proof.text, first, by, proof.lines ?? [])];
  });
  return [
    ...failed,
    ...checks.flatMap((one) => (said.has(one) ? [] : [entryOf(one.text, one, [one], one.lines ?? [])])),
  ];
}

function entryOf(text: string, check: Check, by: readonly Check[], lines: readonly number[]): Entry {
  return {
    text,
    weight: check.weight,
    isDecided: by.every((one) => one.text.startsWith("✓ ")),
    check: { ...check, spot: by.find((one) => one.spot)?.spot ?? check.spot },
    lines: lines.filter((line) => !saysLine(text, line)).slice(0, SHOWN_LINES),
    more: Math.max((check.count ?? 0) - SHOWN_LINES, 0),
    differences: by.filter((one) => one.difference),
  };
}

const SHOWN_LINES = 5;

/** Whether a sentence has the number of a line: it is not said twice. */
export function saysLine(text: string, line: number): boolean {
  return (text.match(/\d[\d.,]*/g) ?? []).some((one) => one.replace(/[.,]+$/, "") === formatCount(line));
}

export const WEIGHTS: readonly Check["weight"][] = ["stop", "value", "look"];

/** Return the list, what the proofs say that do not hold first; what a person has decided about a column (its type, mark or order) is no doubt any more. */
export function checksOf(
  job: Job,
  columns: readonly ReviewedColumn[],
  places: Places,
  targets: readonly Target[],
  table: Table | null = null,
): Check[] {
  const found = [
    ...(job.recipe?.differences ?? []).map((difference) => ofDifference(job, difference, columns, places)),
    ...misfits(job, places),
    ...conflicts(job, columns),
    ...columns.flatMap((one) => ofChosenType(job, one, places)),
    ...(table ? brokenRules(job, columns, places, table) : []),
    ...missing(job, columns, targets),
    ...job.warnings.map((warning) => ofWarning(job, warning, columns, places)),
    ...columns.flatMap((one) => exceptions(job, one, places)),
  ];
  const failed = (job.proofs ?? []).filter((proof) => !proof.holds);
  const unsaid = failed.filter((proof) => saidBy(proof, found).length === 0);
  found.push(...unsaid.map((proof) => ofProof(job, proof, columns, places)));
  const proven = failed.flatMap((proof) => saidBy(proof, found)); // they open the review
  const ordered = WEIGHTS.flatMap((weight) => found.filter((check) => check.weight === weight));
  return [...new Set([...proven, ...ordered])];
}

/** A proof that does not hold, where no difference and no warning says why. */
function ofProof(job: Job, proof: Proof, ...known: Known): Check {
  const { text, lines: [line] = [], columns: about = [], file = null, sheet = null } = proof;
  const [columns, places] = known;
  const column = columns.find(({ name, column: own }) => about.includes(name) || about.includes(own.name));
  const name = column?.column.name ?? null;
  const spot = line === undefined ? null : spotOf(job, { line, file, sheet }, places, name, text);
  return { weight: "value", text, sentence: text, spot, column: name };
}

type Known = [columns: readonly ReviewedColumn[], places: Places];

/** What the file shows otherwise than those before it; a column that was mapped by a person is no doubt any more. */
function ofDifference(job: Job, difference: Difference, columns: readonly ReviewedColumn[], places: Places): Check {
  const { code, severity, text, column: name, before, after, lines = [] } = difference;
  const label = code === "COLUMN_RENAMED" || code === "COLUMN_NEW" ? after : null;
  const about = columns.find((one) => (label ? one.source === label : one.name === name || one.column.name === name));
  const column = about?.column.name ?? null;
  const headerLine = job.reading?.tables.find((table) => table.include)?.header_line;
  const [line = ABOUT_HEADERS.has(code) ? headerLine : undefined] = lines;
  const spot = line ? spotOf(job, { line }, places, column, text) : null;
  if (about && (about.adjustment.into !== undefined || isDecided(about))) {
    return { weight: "look", text: `✓ ${text}`, sentence: text, spot, column };
  }
  const adjustment = about && acceptanceOf(difference);
  return {
    weight: severity === "told" ? "look" : "value",
    text,
    sentence: text,
    spot: spot && { ...spot, before: code === "COLUMN_NEW" ? t`nenhuma` : wordsOf(code, before) },
    column,
    difference,
    ...(about && adjustment ? { acceptance: [about.source, adjustment] } : {}),
  };
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
  const field = { MARK_CHANGED: "decimal_mark", DATE_ORDER_CHANGED: "date_order" }[code as string];
  return field === undefined ? null : { [field]: after };
}

/** Return what a difference shows before or after, as people say it. */
export function wordsOf(code: Difference["code"], value: Difference["before"]): string {
  if (value === null || value === undefined) return "";
  const choices: Partial<Record<Difference["code"], Choices>> = {
    ENCODING_CHANGED: encodings(),
    DELIMITER_CHANGED: delimiters(),
    MARK_CHANGED: marks(),
    DATE_ORDER_CHANGED: orders(),
  };
  return wordOf(choices[code] ?? [], typeof value === "number" ? formatNumber(String(value)) : String(value));
}

function misfits(job: Job, places: Places): Check[] {
  return (job.error?.details ?? []).map((detail) => {
    const name = detail.column ? String(detail.column) : null;
    // A confirmation may have renamed columns: details have the new names.
    const column = job.confirmed_schema?.columns.find((one) => one.name === name)?.source ?? name;
    const spot = spotOf(job, detail, places, column, detail.reason);
    const letter = spot && spot.place !== null ? columnLetter(spot.place) : undefined;
    return { weight: "stop", text: detailText(detail, letter), spot, column };
  });
}

function conflicts(job: Job, columns: readonly ReviewedColumn[]): Check[] {
  return (job.append_plan?.conflicts ?? []).map(({ column, count, details: [first] }) => {
    const example = first ? t`, como ${detailText(first)}` : "";
    const fed = columns.find((one) => one.name === column || one.column.name === column);
    return {
      weight: "stop",
      text: t`${plural(count, "valor não serve", "valores não servem")} para “${column}”, da tabela${example}`,
      spot: first ? spotOf(job, first, [], null, first.reason) : null,
      column: fed?.column.name ?? null,
    };
  });
}

/** Values of a column that do not fit the type that a person has chosen: of the commonest and of those that were told. */
interface Misfits {
  count: number;
  /** Whether there may be more: not all of its values are known here. */
  isLeast: boolean;
  /** The first one, with its line where that is known. */
  value: string;
  reason: string;
  place: Placed | null;
}

/** Return what is known not to fit, or null; of a stated mark or order only the cells of a text tell. */
export function misfitsOf(reviewed: ReviewedColumn): Misfits | null {
  const { column, include, into, type, adjustment } = reviewed;
  const isText = column.type === "text";
  if (!include || into || type === column.type || type === "text") return null;
  if (!isText && (adjustment.decimal_mark ?? adjustment.date_order)) return null;
  const faultOf = (value: Cell): string | undefined =>
    value === null ? undefined : exampleOf(reviewed, formatCell(value, column.type), null).fault;
  const { rows = 0, empty = 0, top = [] } = column.profile ?? {};
  const commonest = top.map(([value, count]) => [value as Cell, Number(count)] as const);
  const told = (column.inference?.exceptions ?? []).filter(({ value }) => faultOf(value) !== undefined);
  const wrong = commonest.filter(([value]) => faultOf(value) !== undefined);
  const value = told[0]?.value ?? wrong[0]?.[0] ?? null;
  const reason = faultOf(value);
  if (reason === undefined) return null;
  const sum = (counts: readonly (readonly [Cell, number])[]): number =>
    counts.reduce((all, [, count]) => all + count, 0);
  return {
    count: Math.max(told.length, sum(wrong)),
    isLeast: sum(commonest) < rows - empty,
    value: formatCell(value, column.type),
    reason,
    place: told[0] ?? null,
  };
}

function ofChosenType(job: Job, reviewed: ReviewedColumn, places: Places): Check[] {
  const found = misfitsOf(reviewed);
  if (!found || isToldOf(job, reviewed)) return [];
  const { count, isLeast, value, reason, place } = found;
  const many = plural(count, "valor não serve", "valores não servem");
  const words = t`${reviewed.source}: ${isLeast ? t`ao menos ${many}` : many} como ${typeLabels()[reviewed.type]}: “${value}” ${reason}`;
  const column = reviewed.column.name;
  return [{ weight: "stop", text: words, spot: place && spotOf(job, place, places, column, reason), column }];
}

/** Whether the last confirmation has said of each value of this type which does not fit. */
function isToldOf({ error, confirmed_schema }: Job, { name, type }: ReviewedColumn): boolean {
  const isThat = confirmed_schema?.columns.some((one) => one.name === name && one.type === type) ?? false;
  return isThat && (error?.details ?? []).some(({ column }) => column === name);
}

/** How many rows will not go, where it is known: at least, and at most, for a row may have several values that do not fit. */
export function rowsOut(job: Job, columns: readonly ReviewedColumn[], draft: Draft): { least: number; most: number } {
  const isOpened = ({ name }: Target): boolean => draft.makeNullable.includes(name);
  const refused = (job.append_plan?.conflicts ?? []).filter(({ column: name }) =>
    columns.some(({ include, into }) => include && into?.name === name && !isOpened(into)),
  );
  const chosen = columns.flatMap((one) => misfitsOf(one) ?? []);
  const counts = [...[...refused, ...chosen].map(({ count }) => count), ...refusedByRules(job, columns)];
  const all = job.inferred_schema?.total_row_count_estimate ?? 0;
  const most = chosen.some((one) => one.isLeast) ? all : counts.reduce((sum, count) => sum + count, 0);
  return { least: Math.max(0, ...counts), most: Math.min(most, all) };
}

/** The table's columns that nothing of the file feeds; a recipe's differences tell of its own. */
function missing(job: Job, columns: readonly ReviewedColumn[], targets: readonly Target[]): Check[] {
  const fed = new Set(columns.map(({ include, into }) => include && into?.name));
  const left = targets.filter(({ name }) => !fed.has(name)).map((one) => one.display_name ?? one.name);
  if (job.recipe || left.length === 0) return [];
  return [
    { weight: "look", text: t`Nada neste arquivo preenche ${left.join(", ")}, da tabela`, spot: null, column: null },
  ];
}

function ofWarning(job: Job, warning: Warning, columns: readonly ReviewedColumn[], places: Places): Check {
  const { text, lines: [line] = [], may_change_a_value, file, sheet } = warning;
  const about = columns.filter((one) => warning.columns?.includes(one.column.name));
  const isDoubt = may_change_a_value && (about.length === 0 || !about.every(isDecided));
  const [first] = about;
  const isOne = (job.reading?.tables ?? []).length < 2; // file or sheet, of which all is said then
  const of = [!isOne && file, !isOne && sheet, about.length === 1 && first?.source].filter(Boolean);
  const column = first?.column.name ?? null;
  const spot = line === undefined ? null : spotOf(job, { ...warning, line }, places, column, text);
  return {
    weight: isDoubt ? "value" : "look",
    text: `${of.join(", ")}${of.length > 0 ? ": " : ""}${text}`,
    sentence: text,
    spot,
    lines: warning.lines ?? [],
    count: warning.count ?? warning.lines?.length,
    column,
  };
}

function exceptions(job: Job, { column, source, type }: ReviewedColumn, places: Places): Check[] {
  const [first] = column.inference?.exceptions ?? [];
  if (!first || type !== column.type) return [];
  const { line, value, reason } = first;
  const text = t`${source}: ${reason}, como${value === null ? "" : ` “${value}”`} na linha ${line}`;
  return [{ weight: "look", text, spot: spotOf(job, first, places, column.name, reason), column: column.name }];
}

/** Whether a person has said how a column is to be read; the type of the table's column says nothing of that. */
function isDecided({ include, into, type, column, adjustment }: ReviewedColumn): boolean {
  return !include || (!into && type !== column.type) || Boolean(adjustment.decimal_mark ?? adjustment.date_order);
}

type Placed = Pick<Warning, "file" | "sheet"> & { line?: number };

/** Return the cell that a detail speaks of, or null where it names no line of a file. */
export function spotOf(job: Job, placed: Placed, places: Places, column: string | null, reason: string): Spot | null {
  if (placed.line === undefined || !job.reading) return null;
  const table = tableOf(job.reading.tables, placed.file ?? "", placed.sheet ?? null);
  if (table < 0) return null;
  return { table, line: placed.line, place: places[table]?.get(column ?? "") ?? null, reason };
}
