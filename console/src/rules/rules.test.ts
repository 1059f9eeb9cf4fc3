import { describe, expect, it } from "vitest";
import type { Rule, Table } from "../api/types";
import { chosenBy } from "./choices";
import { draftOf, kindsOf, ruleOf } from "./draft";
import { ruleWords } from "./words";

const columns = Object.entries({ nome: "text", valor: "decimal", total: "integer", dia: "date", pago: "boolean" });
const table = {
  _id: "t",
  columns: columns.map(([name, type]) => ({ name, display_name: name.toUpperCase(), type, nullable: true })),
  rules: [],
} as unknown as Table;

const usual = { severity: "refuse", origin: "person", for_new: false } as const;
const KEPT: [rule: Rule, words: string][] = [
  [{ ...usual, kind: "range", columns: ["valor"], min: "0.5", max: "1234.5" }, "VALOR fica entre 0,5 e 1.234,5"],
  [{ ...usual, kind: "range", columns: ["dia"], max: "today" }, "DIA é no máximo hoje"],
  [{ ...usual, kind: "length", columns: ["nome"], min: 2 }, "NOME tem ao menos 2 caracteres"],
  [{ ...usual, kind: "pattern", columns: ["nome"], pattern: "[a-z]+" }, "NOME segue o padrão [a-z]+"],
  [{ ...usual, kind: "list", columns: ["nome"], values: ["a", "b"] }, "NOME é um destes: a, b"],
  [{ ...usual, kind: "unique", columns: ["nome", "dia"] }, "NOME + DIA: juntas não se repetem"],
  [{ ...usual, kind: "compare", columns: ["valor", "total"], op: "lte" }, "VALOR é menor ou igual a TOTAL"],
  [
    { ...usual, kind: "in_table", columns: ["nome"], table: "x", column: "c" },
    "NOME existe na coluna c de outra tabela",
  ],
  [{ ...usual, kind: "named", columns: ["nome"], name: "cpf" }, "NOME é: CPF"],
];

describe("a rule", () => {
  it.each(KEPT)("is said in a sentence, and written again as it was", (rule, words) => {
    expect(ruleWords(rule, table)).toBe(words);
    expect(ruleOf(draftOf(rule, table), table)).toEqual(rule);
  });

  it("is read as Brazilians write numbers and days", () => {
    const draft = draftOf(KEPT[0]?.[0] as Rule, table);
    expect(ruleOf({ ...draft, min: "1.000,5", max: "" }, table)).toMatchObject({ min: "1000.5" });
    expect(ruleOf({ ...draft, column: "dia", min: "31/12/2025", max: "Hoje" }, table)).toMatchObject({
      columns: ["dia"],
      min: "2025-12-31",
      max: "today",
    });
    expect(ruleOf({ ...draft, min: "dez" }, table)).toBe("“dez” não serve para esta coluna");
    expect(ruleOf({ ...draft, min: "", max: " " }, table)).toBe("Escreva ao menos um dos dois limites");
  });

  it("is of a kind that its column can have", () => {
    expect(kindsOf(table, "pago")).toEqual(["unique"]);
    expect(kindsOf(table, "total")).toContain("compare");
  });
});

it("chooses by what is typed first", () => {
  expect(chosenBy(["Novo", "pago"], "P")).toBe("pago");
  expect(chosenBy(["Novo", "pago"], "x")).toBeUndefined();
});
