import type { Job } from "../api/types";
import type { Mode } from "../api/uploads";
import { t } from "../ui/language";
import type { Choices } from "../ui/parts";

// What the choices of a reading are called, in the review and in what a table remembers.

export const delimiters = (): Choices => [
  [";", t`Ponto e vírgula ( ; )`],
  [",", t`Vírgula ( , )`],
  ["\t", t`Tabulação`],
  ["|", t`Barra ( | )`],
];
export const encodings = (): Choices => [
  ["utf-8", "Unicode (UTF-8)"],
  ["cp1252", t`Windows ocidental`],
  ["latin-1", t`Latino`],
  ["cp850", "DOS"],
  ["utf-16", "Unicode (UTF-16)"],
];
export const orders = (): Choices => [
  ["dmy", t`dia/mês/ano`],
  ["mdy", t`mês/dia/ano`],
  ["ymd", t`ano/mês/dia`],
];
export const marks = (): Choices => [
  [",", t`vírgula: 1.234,56`],
  [".", t`ponto: 1,234.56`],
];

/** What becomes of a file's rows in a table. */
export const modes = (): Choices<Mode> => [
  ["append", t`Acrescentar as linhas do arquivo`],
  ["replace", t`Substituir todas as linhas pelas do arquivo (dá para desfazer)`],
  ["upsert", t`Atualizar pela chave e acrescentar as novas`],
];

/** How far an upload has come. */
export const statusLabels = (): Record<Job["status"], string> => ({
  queued: t`Recebendo`,
  analisando: t`Lendo`,
  waiting_confirm: t`Aguardando sua revisão`,
  inserting: t`Gravando`,
  done: t`Concluído`,
  failed: t`Não importado`,
});

export function wordOf(choices: Choices, value: string): string {
  return choices.find(([one]) => one === value)?.[1] ?? value;
}

/** Return a name as the database takes it, at most 63 characters: `Preço Médio (R$)` gives `preco_medio_r`. */
export function toName(label: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(label) && label !== "id") return label;
  const plain = label.normalize("NFD").replace(/[̀-ͯ]/g, "").toLowerCase();
  const name = plain.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  if (name === "") return "coluna";
  if (name === "id") return "id_original";
  return (/^\d/.test(name) ? `_${name}` : name).slice(0, 63);
}
