import { describe, expect, it } from "vitest";
import type { InferredColumn, InferredSchema, Recipe } from "../api/types";
import { type Check, saidBy } from "./checks";
import { keysOf, review, toConfirmation } from "./draft";
import { exampleOf, placesOf } from "./lines";

function column(name: string, source: string, type: InferredColumn["type"] = "text"): InferredColumn {
  return { name, source, display_name: source, type, nullable: false } as InferredColumn;
}

const schema = {
  columns: [column("valor", "Valor", "decimal"), column("valor_2", "Valor"), column("cep", "CEP")],
} as unknown as InferredSchema;

describe("a person's changes", () => {
  const changes = {
    "Valor (2)": { include: false },
    CEP: { name: "codigo_postal" },
    Some: { type: "text" as const },
  };

  it("belong to a label, and to one of those that share it", () => {
    expect(keysOf(schema.columns)).toEqual(["Valor", "Valor (2)", "CEP"]);
    expect(review(schema, changes).map(({ include, name }) => [include, name])).toEqual([
      [true, "valor"],
      [false, "valor_2"],
      [true, "codigo_postal"],
    ]);
  });

  it("come on top of what was chosen for the table's column before", () => {
    const recipe = { columns: [{ source: "cep", name: "cep", null_tokens: ["n/d"], trim: null, decimal_mark: "," }] };
    const columns = [{ ...column("codigo", "CEP"), table_column: { name: "cep", type: "text", nullable: true } }];
    const fed = { ...schema, columns } as InferredSchema;
    const of = (changes: object) => review(fed, { CEP: changes }, [], recipe as unknown as Recipe)[0]?.adjustment;
    expect(of({ name: "codigo" })).toEqual({ null_tokens: ["n/d"], name: "codigo" });
    expect(of({ null_tokens: ["-"] })).toEqual({ null_tokens: ["-"] });
  });
});

describe("a column that the recipe leaves out", () => {
  const of = (changes: Parameters<typeof review>[1], fresh: string[] | null) =>
    review(schema, changes, [], null, [], fresh).map(({ include }) => include);

  it("stays out until a person includes it, and a new one comes in", () => {
    expect(of({}, ["valor", "valor_2"])).toEqual([true, true, false]);
    expect(of({ CEP: { include: true } }, ["valor", "valor_2"])).toEqual([true, true, true]);
    expect(of({}, null)).toEqual([true, true, true]);
  });
});

describe("a proof that does not hold", () => {
  const proof = { code: "SAME_COLUMNS" as const, text: '"a" é nova; "b" não veio', lines: [], columns: [] };
  const checks = ['"a" é nova', '"c" é nova', undefined].map(
    (sentence): Check => ({ weight: "value", text: "", spot: null, column: null, ...(sentence ? { sentence } : {}) }),
  );

  it("stands for the differences that it names, and one that holds for none", () => {
    expect(saidBy({ ...proof, holds: false }, checks)).toEqual(checks.slice(0, 1));
    expect(saidBy({ ...proof, holds: true }, checks)).toEqual([]);
  });
});

describe("a confirmation", () => {
  const columns = [{ ...column("total", "Total"), table_column: { name: "valor", type: "text", nullable: true } }];
  const of = (into: string | null) => {
    const targets = ["valor", "total"].map((name) => ({ name, type: "text" as const, nullable: true }));
    return toConfirmation(review({ ...schema, columns } as InferredSchema, { Total: { into } }, targets))[0];
  };

  it("names the table's column, or none, where a person says otherwise than the plan", () => {
    expect(of("valor")).toMatchObject({ name: "valor", source: "total" });
    expect(of("total")).toMatchObject({ name: "total", table_column: { name: "total" } });
    expect(of(null)).toMatchObject({ name: "total", table_column: null });
  });
});

describe("an example", () => {
  it.each([
    ["what was read", "date", { type: "date" }, "03/04/2025", "2025-04-03", "3 de abril de 2025"],
    ["the cell itself for a text", "integer", { type: "text" }, "007", "7", "007"],
    ["a number that was a text", "text", { type: "decimal" }, "1.234,50", "1.234,50", "1.234,50"],
    ["a point for a decimal mark", "text", { type: "decimal", decimal_mark: "." }, "1,234.50", null, "1.234,50"],
    ["the month first", "text", { type: "date", date_order: "mdy" }, "03/04/25", null, "4 de março de 2025"],
    ["its day by the order that was found", "date", { type: "datetime" }, "03/04/25", "2025-03-04", "04/03/2025 00:00"],
    ["its digits by the mark that was found", "integer", { type: "decimal" }, "1,500", "1500", "1.500"],
    ["why it does not fit", "text", { type: "integer" }, "n/d", "n/d", "", "não é um número inteiro"],
  ] as const)("shows %s", (_, inferred, adjustment, before, read, after, fault = undefined) => {
    const [reviewed] = review({ ...schema, columns: [column("c", "C", inferred)] }, { C: adjustment });
    expect(reviewed && exampleOf(reviewed, before, read)).toEqual({ after, fault });
  });
});

describe("a file's lines", () => {
  it("have their columns where the header says, or in order", () => {
    expect([...placesOf(["", "CEP", "Valor", "Valor"], schema.columns)]).toEqual([
      ["valor", 2],
      ["valor_2", 3],
      ["cep", 1],
    ]);
    expect([...placesOf([], schema.columns).values()]).toEqual([0, 1, 2]);
    expect([...placesOf(["CEP"], schema.columns).keys()]).toEqual(["cep", "valor_2"]); // the other has none there
  });
});
