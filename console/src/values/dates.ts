// Dates are texts, too: `new Date("2025-03-04")` is midnight UTC, which in São Paulo is the day before.

import { language } from "../ui/language";
import { matcher } from "./numbers";
import patterns from "./patterns.json";

const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const FIRST_OF_LAST_CENTURY = 69; // two digits from here on are 19yy, as in the importer, POSIX and PostgreSQL
const CLOCK = /(\d+):(\d+)(?::(\d+)(?:[.,](\d+))?)? ?([ap]m)? ?(z|utc|gmt)?(?:([-+]\d\d):?(\d\d)?)?\s*$/i;
const CLOCKS = { first: Date.parse("0001-01-02"), last: Date.parse("9999-12-30") }; // in every zone of these years
const isCompactDay = matcher(patterns.compactDay);
const isDay = matcher(`(?:${patterns.day})(?:${patterns.midnight})?`);
const isMoment = matcher(`(?:${patterns.day})${patterns.time}?`);
const UTC_DATETIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?Z$/;

/** Write `2025-12-31` as `31/12/2025`. */
export function formatDate(text: string): string {
  const match = ISO_DATE.exec(text);
  return match ? `${match[3]}/${match[2]}/${match[1]}` : text;
}

/** Write `2025-04-03` as `3 de abril de 2025`: no doubt which is the month. */
export function formatLongDate(text: string): string {
  return ISO_DATE.test(text) ? clockOf(locale(), { dateStyle: "long", timeZone: "UTC" }).format(new Date(text)) : text;
}

/** Read a day as a file's is read, its day first; null where it is none. */
export function parseDate(text: string): string | null {
  return (/^\s*[12]\d{7}\s*$/.test(text) ? isCompactDay : isDay)(text) ? dayOf(text.trim()) : null;
}

/** Return the day that a text of one begins with. */
function dayOf(text: string): string {
  const compact = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  if (compact) return iso(compact[1], compact[2], compact[3]);
  const named = /^(?:(\d+)[ºo°]?(?:[-/ ]| de ))?([a-z]{3})[^\d]*(\d+)/i.exec(text);
  if (named) {
    const at = patterns.months.indexOf((named[2] ?? "").toLowerCase());
    return iso(named[3], patterns.months.slice(at + 3, at + 5), named[1]);
  }
  const [, first = "", second = "", third] = /^(\d+)[-/.](\d+)(?:[-/.](\d+))?/.exec(text) ?? [];
  if (first.length === 4) return iso(first, second, third);
  return third ? iso(third, second, first) : iso(second, first);
}

function iso(year = "", month = "", day = "1"): string {
  const century = year.length === 4 ? "" : Number(year) >= FIRST_OF_LAST_CENTURY ? "19" : "20";
  return `${century}${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

/** Write an instant (`…Z`) as the clocks of the deployment's zone show it, every digit of its fraction kept. */
export function formatDatetime(text: string): string {
  const match = UTC_DATETIME.exec(text);
  if (!match) return text;
  const [date = "", time = ""] = wallClock(Date.parse(`${match[1]}T${match[2]}Z`), zone).split(" ");
  const shown = match[3] === undefined ? time.replace(/:00$/, "") : `${time}${match[3]}`; // as most files write it
  return `${formatDate(date)} ${shown}`;
}

/** Read a moment as a file's is read, in the deployment's zone where it names none; null where it is none. */
export function parseDatetime(text: string): string | null {
  if (!isMoment(text)) return null;
  const [, hour = "0", minute = "00", second = "00", fraction = "", half, utc, ahead, minutes = "00"] =
    CLOCK.exec(text) ?? [];
  const hours = half ? (Number(hour) % 12) + (/p/i.test(half) ? 12 : 0) : hour;
  const clocks = `${dayOf(text.trim())}T${String(hours).padStart(2, "0")}:${minute}:${second}`;
  const instant = ahead ? Date.parse(`${clocks}${ahead}:${minutes}`) : instantOf(`${clocks}Z`, utc ? "UTC" : zone);
  const written = new Date(instant).toISOString();
  const kept = fraction.replace(/0+$/, "");
  return /^(?!0000)\d{4}-/.test(written) ? written.replace(/\.\d+Z$/, `${kept && `.${kept}`}Z`) : null;
}

let zone = "America/Sao_Paulo"; // the zone of times without one, unless the deployment says otherwise
const clocks = new Map<string, Intl.DateTimeFormat>();

/** Say in which zone times are shown and typed: the deployment's, not the reader's. */
export function setZone(name: string): void {
  zone = name;
}

export function zoneName(): string {
  return zone;
}

/** Return the instant at which the clocks of `to` show what those of `from` show at this one. */
export function rezone(text: string, from: string, to: string): string {
  const match = UTC_DATETIME.exec(text);
  if (!match) return text;
  const shown = wallClock(Date.parse(`${match[1]}T${match[2]}Z`), from).replace(" ", "T");
  return new Date(instantOf(`${shown}Z`, to)).toISOString().replace(/\.\d+Z$/, `${match[3] ?? ""}Z`);
}

/** Write an instant as a zone's clocks show it: `2025-12-31 08:30:00`. */
function wallClock(instant: number, name: string): string {
  const clock = clockOf("sv-SE", { timeZone: name, dateStyle: "short", timeStyle: "medium" });
  return clock.format(instant).padStart(19, "0");
}

function clockOf(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = [name, ...Object.values(options)].join();
  const clock = clocks.get(key) ?? new Intl.DateTimeFormat(name, options); // which takes long to make
  clocks.set(key, clock);
  return clock;
}

/** English dates name the month: whether 04/01 is in April is no question then. */
function locale(): string {
  return language.get() === "en" ? "en-GB" : "pt-BR";
}

/** Return the instant at which a zone's clocks show `shown`: as PostgreSQL, the later of an hour that occurs twice. */
function instantOf(shown: string, name: string): number {
  const wanted = Date.parse(shown);
  const offsetAt = (instant: number): number => {
    const known = Math.min(Math.max(instant, CLOCKS.first), CLOCKS.last);
    return Date.parse(`${wallClock(known, name).replace(" ", "T")}Z`) - known;
  };
  const day = 86_400_000;
  const candidates = [offsetAt(wanted - day), offsetAt(wanted + day)].map((offset) => wanted - offset);
  const exact = candidates.filter((instant) => instant + offsetAt(instant) === wanted);
  return Math.max(...(exact.length > 0 ? exact : candidates)); // a clock put forward skips an hour
}

/** Write an instant of the metadata as `25/11/2026, 14:03`, in English as `25 Nov 2026, 14:03`. */
export function formatMoment(text: string): string {
  const dateStyle = language.get() === "en" ? "medium" : "short";
  return clockOf(locale(), { timeZone: zone, dateStyle, timeStyle: "short" }).format(new Date(text));
}
