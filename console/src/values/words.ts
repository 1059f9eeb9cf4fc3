// What the choices of a reading are called, in the review and in what a table remembers.

import type { Choices } from "../ui/fields";

export const DELIMITERS: Choices = [
  [";", "Ponto e vírgula ( ; )"],
  [",", "Vírgula ( , )"],
  ["\t", "Tabulação"],
  ["|", "Barra ( | )"],
];
export const ENCODINGS: Choices = [
  ["utf-8", "Unicode (UTF-8)"],
  ["cp1252", "Windows ocidental"],
  ["latin-1", "Latino"],
  ["cp850", "DOS"],
  ["utf-16", "Unicode (UTF-16)"],
];
export const ORDERS: Choices = [
  ["dmy", "dia/mês/ano"],
  ["mdy", "mês/dia/ano"],
  ["ymd", "ano/mês/dia"],
];
export const MARKS: Choices = [
  [",", "vírgula: 1.234,56"],
  [".", "ponto: 1,234.56"],
];

export function wordOf(choices: Choices, value: string): string {
  return choices.find(([one]) => one === value)?.[1] ?? value;
}
