import type { Rule, RuleKind, Table } from "../api/types";
import { columnOf } from "../table/columns";
import { operatorLabels } from "../table/conditions";
import { t } from "../ui/language";
import type { Choices } from "../ui/parts";
import { showCell } from "../values/cells";

// Rules in sentences: what each says of its columns, by the names that people know.

export const kindLabels = (): Record<RuleKind, string> => ({
  range: t`Fica entre dois valores`,
  length: t`Tem um número de caracteres`,
  pattern: t`Segue um padrão`,
  list: t`É um dos valores de uma lista`,
  unique: t`Não se repete`,
  compare: t`Compara-se com outra coluna`,
  in_table: t`Existe em outra tabela`,
  named: t`É um código conhecido (CPF, CEP…)`,
});

export type Severity = NonNullable<Rule["severity"]>;
export type Named = NonNullable<Rule["name"]>;

export const namedLabels = (): Choices<Named> => [
  ["cpf", "CPF"],
  ["cnpj", "CNPJ"],
  ["cep", "CEP"],
  ["uf", t`Sigla de estado (UF)`],
  ["email", "E-mail"],
  ["ean", t`Código de barras (EAN)`],
  ["nfe_key", t`Chave de NF-e`],
  ["phone_br", t`Telefone com DDD`],
];

export const severityLabels = (): Choices<Severity> => [
  ["refuse", t`Recusar: a linha que a quebra não entra`],
  ["warn", t`Só marcar: a linha entra, e é encontrada depois`],
];

const SHOWN_VALUES = 6; // of a list

/** Say a rule in a sentence; `tables` are those that it may refer to. */
export function ruleWords(rule: Rule, table: Table, tables: readonly Table[] = []): string {
  const [first = ""] = rule.columns;
  const label = rule.columns.map((name) => columnOf(table, name).display_name).join(" + ");
  const shown = (value: unknown): string =>
    value === "today" ? t`hoje` : showCell(value as string, { type: columnOf(table, first).type });
  switch (rule.kind) {
    case "range":
      return boundsWords(label, rule, shown);
    case "length":
      return lengthWords(label, rule);
    case "pattern":
      return t`${label} segue o padrão ${rule.pattern}`;
    case "list":
      return listWords(label, (rule.values ?? []).map(shown));
    case "unique":
      return rule.columns.length > 1 ? t`${label}: juntas não se repetem` : t`${label} não se repete`;
    case "compare":
      return compareWords(rule, table);
    case "in_table":
      return inTableWords(label, rule, tables);
    case "named":
      return t`${label} é: ${namedLabels().find(([name]) => name === rule.name)?.[1]}`;
  }
}

function boundsWords(label: string, { min, max }: Rule, shown: (value: unknown) => string): string {
  if (max === undefined || max === null) return t`${label} é no mínimo ${shown(min)}`;
  if (min === undefined || min === null) return t`${label} é no máximo ${shown(max)}`;
  return t`${label} fica entre ${shown(min)} e ${shown(max)}`;
}

function lengthWords(label: string, { min, max }: Rule): string {
  if (max === undefined || max === null) return t`${label} tem ao menos ${min} caracteres`;
  if (min === undefined || min === null) return t`${label} tem no máximo ${max} caracteres`;
  return t`${label} tem de ${min} a ${max} caracteres`;
}

function listWords(label: string, values: readonly string[]): string {
  const some = values.slice(0, SHOWN_VALUES).join(", ");
  const rest = values.length - SHOWN_VALUES;
  return rest > 0 ? t`${label} é um destes: ${some} e mais ${rest}` : t`${label} é um destes: ${some}`;
}

function compareWords({ op, columns }: Rule, table: Table): string {
  const [left = "", right = ""] = columns.map((name) => columnOf(table, name).display_name);
  return `${left} ${operatorLabels()[op ?? "eq"]} ${right}`;
}

function inTableWords(label: string, { table: id, column = "" }: Rule, tables: readonly Table[]): string {
  const other = tables.find((one) => one._id === id);
  const name = other && column ? columnOf(other, column).display_name : column;
  return t`${label} existe na coluna ${name} de ${other ? other.title || other.display_name : t`outra tabela`}`;
}
