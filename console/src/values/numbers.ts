// Numbers stay texts from the API to the screen and back: a JavaScript number holds 15 digits, a cell may have 1,000.

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

const CURRENCIES = { BRL: "R$", USD: "US$", EUR: "€" };

/** How a number is shown; what is not there is as its type has it. */
export interface NumberFormat {
  thousands?: boolean | null;
  decimals?: number | null;
  currency?: keyof typeof CURRENCIES | null;
  percent?: boolean | null;
}

/** Write a number for the eye: `≈` stands before one that has more digits than its format shows. */
export function showNumber(text: string, { thousands, decimals, currency, percent }: NumberFormat): string {
  const match = PLAIN_NUMBER.exec(text);
  if (!match) return text;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = percent ? moved(whole, fraction) : ([whole, fraction] as const);
  const kept = decimals ?? (currency ? Math.max(digits[1].length, 2) : digits[1].length);
  const rounded = toDecimals(...digits, kept);
  const grouped = thousands === false ? rounded.text.replace(".", ",") : formatNumber(rounded.text);
  const money = currency ? `${CURRENCIES[currency]} ` : "";
  return `${rounded.isExact ? "" : "≈ "}${sign}${money}${grouped}${percent ? "%" : ""}`;
}

/** Move the point two places to the right. */
function moved(whole: string, fraction: string): [string, string] {
  const padded = fraction.padEnd(2, "0");
  return [`${whole}${padded.slice(0, 2)}`.replace(/^0+(?=\d)/, ""), padded.slice(2)];
}

/** Write digits with so many decimals, half away from zero. */
function toDecimals(whole: string, fraction: string, decimals: number): { text: string; isExact: boolean } {
  const rest = fraction.slice(decimals);
  const kept = BigInt(`${whole}${fraction.slice(0, decimals).padEnd(decimals, "0")}`) + (rest >= "5" ? 1n : 0n);
  const padded = String(kept).padStart(decimals + 1, "0");
  const text = decimals === 0 ? padded : `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
  return { text, isExact: !/[1-9]/.test(rest) };
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

/** Write a count, which is always small enough for a number. */
export function formatCount(count: number): string {
  return formatNumber(String(Math.trunc(count)));
}

/** Write a count with what it counts: `plural(1, "linha")` gives `1 linha`, others an s at the end. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
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
  return `${formatNumber(size.toFixed(1))} ${units[unit] ?? ""}`;
}
