// Dates are texts, too: `new Date("2025-03-04")` is midnight UTC, which in São Paulo is the day before.

import { language } from "../ui/language";

const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const BRAZILIAN_DATE = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$/;
const FIRST_OF_LAST_CENTURY = 69; // two digits from here on are 19yy, as in the importer, POSIX and PostgreSQL
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?$/;
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

/** Read `31/12/2025`, `31/12/25` or `2025-12-31`; null where it is no day of the calendar. */
export function parseDate(text: string): string | null {
  const trimmed = text.trim();
  const brazilian = BRAZILIAN_DATE.exec(trimmed);
  const iso = ISO_DATE.exec(trimmed);
  if (brazilian) return calendarDay(wholeYear(brazilian[3] ?? ""), brazilian[2], brazilian[1]);
  return iso ? calendarDay(iso[1], iso[2], iso[3]) : null;
}

function wholeYear(year: string): string {
  if (year.length === 4) return year;
  return `${Number(year) >= FIRST_OF_LAST_CENTURY ? "19" : "20"}${year}`;
}

function calendarDay(year = "", month = "", day = ""): string | null {
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  return year !== "0000" && new Date(text).toJSON()?.startsWith(text) ? text : null; // 31 February is 3 March there
}

/** Write an instant (`…Z`) as the clocks of the deployment's zone show it, every digit of its fraction kept. */
export function formatDatetime(text: string): string {
  const match = UTC_DATETIME.exec(text);
  if (!match) return text;
  const [date = "", time = ""] = wallClock(Date.parse(`${match[1]}T${match[2]}Z`), zone).split(" ");
  const shown = match[3] === undefined ? time.replace(/:00$/, "") : `${time}${match[3]}`; // as most files write it
  return `${formatDate(date)} ${shown}`;
}

/** Read `31/12/2025 08:30` as an instant of the deployment's zone; null where it is none. */
export function parseDatetime(text: string): string | null {
  const trimmed = text.trim();
  if (UTC_DATETIME.test(trimmed)) return trimmed;
  const [datePart = "", timePart = "00:00"] = trimmed.split(/[ T]+/);
  const date = parseDate(datePart);
  const time = TIME.exec(timePart);
  if (!date || !time) return null;
  const [hours = "", minutes, seconds = "00"] = [time[1], time[2], time[3]];
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const instant = instantOf(`${date}T${hours.padStart(2, "0")}:${minutes}:${seconds}Z`, zone);
  return new Date(instant).toISOString().replace(/\.\d+Z$/, `${time[4] ?? ""}Z`);
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

/** Return the instant at which a zone's clocks show `shown`; the first of two, in an hour that occurs twice. */
function instantOf(shown: string, name: string): number {
  const wanted = Date.parse(shown);
  const offsetAt = (instant: number): number => Date.parse(`${wallClock(instant, name).replace(" ", "T")}Z`) - instant;
  const day = 86_400_000;
  const candidates = [offsetAt(wanted - day), offsetAt(wanted + day)].map((offset) => wanted - offset);
  const exact = candidates.filter((instant) => instant + offsetAt(instant) === wanted);
  return exact.length > 0 ? Math.min(...exact) : (candidates[0] ?? wanted); // a clock put forward skips an hour
}

/** Write an instant of the metadata as `25/11/2026, 14:03`, in English as `25 Nov 2026, 14:03`. */
export function formatMoment(text: string): string {
  const dateStyle = language.get() === "en" ? "medium" : "short";
  return clockOf(locale(), { timeZone: zone, dateStyle, timeStyle: "short" }).format(new Date(text));
}
