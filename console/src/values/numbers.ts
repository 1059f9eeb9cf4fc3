// Numbers stay texts from the API to the screen and back: a JavaScript number holds 15 digits, a cell may have 1,000.

import { language, say } from "../ui/language";

const PLAIN_NUMBER = /^(-?)(\d+)(?:\.(\d+))?$/;
const GROUPED_BY_POINTS = /^\d{1,3}(\.\d{3})+$/;

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

/** How a number is shown; what is not there is as its type has it. */
export interface NumberFormat {
  thousands?: boolean | null;
  decimals?: number | null;
  currency?: keyof typeof CURRENCIES | null;
  percent?: boolean | null;
}

const formatters = new Map<string, Intl.NumberFormat>();

/** Write a number for the eye, rounded half away from zero: `≈` stands before one that has more digits than are shown. */
export function showNumber(text: string, { thousands, decimals, currency, percent }: NumberFormat): string {
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

/**
 * Read a number as a Brazilian writes it (`1.234,56`, `R$ 10`, `-3`, `(99,90)`, `50%`), or as the API does (`1234.56`).
 * Returns the API's digits, or null where the text is none. Points alone part thousands only where each
 * part after the first has three digits.
 */
export function parseNumber(text: string): string | null {
  const bare = text.replace(/[\s\u00a0\u202f]/g, "").replace(/^([-−+(]*)R\$/i, "$1");
  const accounted = /^\((.+)\)$/.exec(bare); // an accountant's minus
  const inner = (accounted?.[1] ?? bare).replace(/^R\$/i, "");
  const signed = /^([-−+]?)(?:R\$)?(.*?)(%?)$/i.exec(inner);
  if (!signed || (accounted && signed[1])) return null;
  const plain = toPlainDigits(signed[2] ?? "");
  if (plain === null) return null;
  const isNegative = accounted !== null || signed[1] === "-" || signed[1] === "−";
  const [whole = "", fraction] = (signed[3] ? hundredth(plain) : plain).split(".");
  const kept = whole.replace(/^0+(?=\d)/, "");
  return `${isNegative ? "-" : ""}${kept}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** Move the point two places to the left: no digit is lost, as it would be by a division. */
function hundredth(plain: string): string {
  const [whole = "", fraction = ""] = plain.split(".");
  const padded = whole.padStart(3, "0");
  return `${padded.slice(0, -2)}.${padded.slice(-2)}${fraction}`.replace(/\.?0+$/, "");
}

function toPlainDigits(digits: string): string | null {
  if (digits.includes(",")) {
    const [whole = "", fraction = "", ...rest] = digits.split(",");
    if (rest.length > 0 || !/^\d+$/.test(fraction)) return null;
    const joined = GROUPED_BY_POINTS.test(whole) ? whole.replaceAll(".", "") : whole;
    return /^\d+$/.test(joined) ? `${joined}.${fraction}` : null;
  }
  if (GROUPED_BY_POINTS.test(digits)) return digits.replaceAll(".", "");
  return /^\d+(\.\d+)?$/.test(digits) ? digits : null;
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
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KB", "MB", "GB"];
  let size = bytes / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${formatMeasure(size)} ${units[unit] ?? ""}`;
}
