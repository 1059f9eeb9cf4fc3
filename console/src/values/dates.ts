// Dates are texts, too: `new Date("2025-03-04")` is midnight UTC, which in São Paulo is the day before.

const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const BRAZILIAN_DATE = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?$/;
const UTC_DATETIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?Z$/;

/** Write `2025-12-31` as `31/12/2025`. */
export function formatDate(text: string): string {
  const match = ISO_DATE.exec(text);
  return match ? `${match[3]}/${match[2]}/${match[1]}` : text;
}

const MONTHS = [
  "janeiro",
  "fevereiro",
  "março",
  "abril",
  "maio",
  "junho",
  "julho",
  "agosto",
  "setembro",
  "outubro",
  "novembro",
  "dezembro",
];

/** Write `2025-04-03` as `3 de abril de 2025`: no doubt which is the month. */
export function formatLongDate(text: string): string {
  const match = ISO_DATE.exec(text);
  return match ? `${Number(match[3])} de ${MONTHS[Number(match[2]) - 1] ?? ""} de ${match[1]}` : text;
}

/** Read `31/12/2025` or `2025-12-31`; null where it is no day of the calendar. */
export function parseDate(text: string): string | null {
  const trimmed = text.trim();
  const brazilian = BRAZILIAN_DATE.exec(trimmed);
  const iso = ISO_DATE.exec(trimmed);
  if (brazilian) return calendarDay(brazilian[3], brazilian[2], brazilian[1]);
  return iso ? calendarDay(iso[1], iso[2], iso[3]) : null;
}

function calendarDay(year = "", month = "", day = ""): string | null {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const lengths = [31, isLeap(y) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const length = lengths[m - 1];
  if (length === undefined || d < 1 || d > length || y < 1) return null;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Write an instant (`…Z`) in the reader's own zone, every digit of its fraction kept. */
export function formatDatetime(text: string): string {
  const match = UTC_DATETIME.exec(text);
  if (!match) return text;
  const local = new Date(`${match[1]}T${match[2]}Z`);
  const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
  const date = `${pad(local.getDate())}/${pad(local.getMonth() + 1)}/${pad(local.getFullYear(), 4)}`;
  const time = `${pad(local.getHours())}:${pad(local.getMinutes())}:${pad(local.getSeconds())}`;
  return `${date} ${time}${match[3] ?? ""}`;
}

/** Read `31/12/2025 08:30` as an instant of the reader's zone; null where it is none. */
export function parseDatetime(text: string): string | null {
  const trimmed = text.trim();
  if (UTC_DATETIME.test(trimmed)) return trimmed;
  const [datePart = "", timePart = "00:00"] = trimmed.split(/[ T]+/);
  const date = parseDate(datePart);
  const time = TIME.exec(timePart);
  if (!date || !time) return null;
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  const [hours, minutes, seconds] = [Number(time[1]), Number(time[2]), Number(time[3] ?? "0")];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const local = new Date(2000, month - 1, day, hours, minutes, seconds);
  local.setFullYear(year, month - 1, day); // the constructor takes years below 100 for 19xx
  return local.toISOString().replace(/\.\d+Z$/, `${time[4] ?? ""}Z`);
}

/** Write an instant of the metadata as `25/11/2026, 14:03`. */
export function formatMoment(text: string): string {
  return formatDatetime(text.replace(/\.\d+Z$/, "Z"))
    .replace(/:\d{2}$/, "")
    .replace(" ", ", ");
}
