// Numbers stay texts from the API to the screen and back: a JavaScript number holds 15 digits, a cell may have 1,000.

import type { ColumnFormat } from "../api/types";
import { language, say } from "../ui/language";
import patterns from "./patterns.json";

const PLAIN_NUMBER = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Write `1234567.5` as `1.234.567,5`; a text that is no plain number comes back as it is. */
export function formatNumber(text: string): string {
  const match = PLAIN_NUMBER.exec(text);
  if (!match) return text;
  const [, sign, whole = "", fraction] = match;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ".");
  return `${sign}${grouped}${fraction === undefined ? "" : `,${fraction}`}`;
}

const MOST_DECIMALS = 100; // that a browser writes
const CURRENCIES = { BRL: "R$", USD: "US$", EUR: "€" };

const formatters = new Map<string, Intl.NumberFormat>();

/** Write a number for the eye, rounded half away from zero: `≈` stands before one that has more digits than are shown. */
export function showNumber(text: string, { thousands, decimals, currency, percent }: ColumnFormat): string {
  const match = PLAIN_NUMBER.exec(text);
  if (!match) return text;
  const [, , , fraction = ""] = match;
  const shift = percent ? 2 : 0;
  const kept = Math.min(decimals ?? Math.max(fraction.length - shift, currency ? 2 : 0), MOST_DECIMALS);
  const key = [kept, percent, thousands].join();
  const formatter = formatters.get(key) ?? formatterOf(kept, percent === true, thousands !== false);
  formatters.set(key, formatter); // which takes long to make
  const shown = formatter.format(text as `${number}`); // of a text no digit is lost
  const isExact = !/[1-9]/.test(fraction.slice(kept + shift));
  return `${isExact ? "" : "≈ "}${shown.replace(/^-?/, currency ? `$&${CURRENCIES[currency]} ` : "$&")}`;
}

function formatterOf(decimals: number, percent: boolean, useGrouping: boolean): Intl.NumberFormat {
  const style = percent ? "percent" : "decimal";
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat("pt-BR", { style, useGrouping, ...digits });
}

/** Whether a text is, as a whole and but for blanks around it, what a pattern of the importer's describes. */
export function matcher(...wanted: string[]): (text: string) => boolean {
  const compiled = new RegExp(`^\\s*(?:${wanted.join("|")})\\s*$`);
  return (text) => compiled.test(text);
}

const MARKS = [",", "."] as const;
export type Mark = (typeof MARKS)[number];
const INTEGERS = patterns.integer.map((one) => matcher(one));
const DECIMALS = patterns.decimal.map((one) => matcher(one));
const MOST_DIGITS = 1000; // of a number that is written out
const NEGATIVE = /^[^\d]*[-(]|-\s*$/; // in front, or behind as SAP writes it

/** Read a whole number of 64 bits as a file's is read; null where the text is none, or has a decimal comma (`1,234`). */
export function parseInteger(text: string, only?: Mark | null): string | null {
  const digits = !only && parsed(text, DECIMALS, ",")?.includes(".") ? null : parsed(text, INTEGERS, only);
  return digits !== null && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits) ? String(BigInt(digits)) : null;
}

/**
 * Read a number as a file's is read (`1.234,56`, `R$ 10`, `-3`, `(99,90)`, `1e3`), by a decimal comma or else by a
 * point unless the mark is given, or a percentage, which is a hundredth. Returns the API's digits, or null where the text is none.
 */
export function parseNumber(text: string, only?: Mark | null): string | null {
  const percent = /^([^e]*)%\s*$/i.exec(text);
  if (!percent) return parsed(text, DECIMALS, only);
  const number = parsed(percent[1] ?? "", DECIMALS, only);
  return number && moved(number, -2);
}

function parsed(text: string, matchers: typeof DECIMALS, only?: Mark | null): string | null {
  const mark = MARKS.find((one, index) => (only ?? one) === one && matchers[index]?.(text));
  if (mark === undefined) return null;
  const [digits = "", exponent = "0"] = text.replace(/^[^\d.,]+|[^\d]+$|[^\d.,e+-]/gi, "").split(/e/i);
  const plain = digits.replaceAll(mark === "," ? "." : ",", "").replace(",", ".");
  if (text.length + Math.abs(Number(exponent)) > MOST_DIGITS) return null;
  const number = moved(plain, Number(exponent));
  return NEGATIVE.test(text) && /[1-9]/.test(number) ? `-${number}` : number;
}

/** Move the point so many places to the right: no digit is lost, as it would be by a multiplication. */
function moved(number: string, places: number): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d*)\.?(\d*)$/.exec(number) ?? [];
  const point = whole.length + places;
  const digits = "0".repeat(Math.max(1 - point, 0)) + (whole + fraction).padEnd(point, "0");
  const at = Math.max(point, 1);
  const rest = digits.slice(at);
  return `${sign}${digits.slice(0, at).replace(/^0+(?=\d)/, "")}${rest && `.${rest}`}`;
}

/** Write a count, which is always small enough for a number, as the chosen language does. */
export function formatCount(count: number): string {
  return count.toLocaleString(language.get());
}

/** Write a measure, such as seconds, to one decimal. */
export function formatMeasure(measure: number): string {
  return measure.toLocaleString(language.get(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Write a count with what it counts: `plural(1, "linha")` gives `1 linha`, others an s at the end. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${say(count === 1 ? one : many)}`;
}

/** Write a size in bytes as people read it. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 3);
  return power === 0 ? `${bytes} bytes` : `${formatMeasure(bytes / 1024 ** power)} ${["KB", "MB", "GB"][power - 1]}`;
}
