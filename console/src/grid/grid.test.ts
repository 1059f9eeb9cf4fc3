import { describe, expect, it } from "vitest";
import type { Table } from "../api/types";
import { readView, shownColumns, withColumn, writeView } from "./view";

describe("views", () => {
  const view = {
    where: {
      and: [
        { column: "valor", op: "gte" as const, value: "10.5" },
        { or: [{ column: "nome", op: "in" as const, value: ["Silva, João", "Maria"] }] },
        { not: { column: "nome", op: "eq" as const, value: "x" } },
      ],
    },
    q: "1.234,5",
    sort: ["-valor", "data"],
    columns: [
      { name: "valor", width: 240 },
      { name: "gone" },
      { name: "nome", hidden: true },
      { name: "data", frozen: true },
    ],
    totals: { valor: "avg" as const },
    group_by: ["nome"],
    row_height: 64,
  };
  const names = ["nome", "valor", "pago", "data"];
  const table = { columns: names.map((name) => ({ name })) } as unknown as Table;
  const shown = (changes: object) => shownColumns(table, { ...view, ...changes }).map(({ name }) => name);

  it("come back from the address", () => expect(readView(writeView(view))).toEqual(view));
  it("share the places of columns that are not as the table has them, and put those that stay first", () => {
    expect(shown({})).toEqual(["data", "valor", "pago"]);
    const moved = withColumn(table, { ...view, columns: [] }, "data", {}, "pago");
    expect([moved.columns.map(({ name }) => name), shown(moved)]).toEqual([
      ["data", "pago"],
      ["nome", "valor", "data", "pago"],
    ]);
    expect(shown(withColumn(table, view, "nome", { hidden: false }))).toEqual(["data", "valor", "nome", "pago"]);
  });
  it("ignore what is no part of them", () =>
    expect(readView("where=1&columns=[null]&sort=[1]&group_by=[&x=y")).toEqual(readView("")));
  it.each(['{"and":[null]}', '{"and":5}', '{"or":null}', '{"and":[{"or":["a"]}]}'])(
    "ignore a condition such as %s",
    (where) => expect(readView(`where=${where}&totals={"valor":{}}`)).toEqual(readView("")),
  );
});
