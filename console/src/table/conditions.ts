import type { Where } from "../api/types";
import { t } from "../ui/language";

/** A column beside a value, typed as the API takes it. */
export type Condition = Extract<Where, { column: string }>;
export type Operator = Condition["op"];

export const operatorLabels = (): Record<Operator, string> => ({
  eq: t`é igual a`,
  ne: t`é diferente de`,
  gt: t`é maior que`,
  gte: t`é maior ou igual a`,
  lt: t`é menor que`,
  lte: t`é menor ou igual a`,
  in: t`é um destes`,
  nin: t`não é um destes`,
  contains: t`contém`,
  not_contains: t`não contém`,
  starts_with: t`começa com`,
  ends_with: t`termina com`,
  is_null: t`está vazia`,
});

const ORDERED: readonly Operator[] = ["gt", "gte", "lt", "lte"];
const FOR_ALL: readonly Operator[] = ["eq", "ne", "in", "nin", "is_null"];

/** Return the operators that make sense for a type. */
export function operatorsOf(type: string): readonly Operator[] {
  if (type === "text") return ["contains", ...FOR_ALL, "not_contains", "starts_with", "ends_with", ...ORDERED];
  return type === "boolean" ? ["eq", "ne", "is_null"] : [...FOR_ALL, ...ORDERED];
}

/** Return the parts of a condition that must all hold. */
export function filtersOf(where: Where): readonly Where[] {
  if ("and" in where) return where.and;
  return Object.keys(where).length === 0 ? [] : [where];
}

/** Return the condition that all of these hold. */
export function allOf(filters: readonly Where[]): Where {
  return filters.length === 0 ? {} : { and: [...filters] };
}
