import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { Api } from "../api/session";
import type { Table } from "../api/types";
import { RowSource } from "./rows";
import { readView, shownColumns, withColumn, writeView } from "./view";

it("counts rows once, asks for a block by the cursor of the one before, and puts a newer row in its place", async () => {
  const records = [{ id: "a" }, { id: "b" }];
  const POST = vi.fn().mockResolvedValue({ records, total: 400, next_cursor: "seguinte" });
  const rows = new RowSource(new QueryClient(), { POST } as unknown as Api, "t", "{}");
  await rows.need(0, 1);
  expect([rows.total, rows.rowAt(1)?.id, rows.indexOf("b"), rows.indexOf("z")]).toEqual([400, "b", 1, -1]);
  await rows.need(0, 210);
  expect(POST.mock.calls.map(([, { body }]) => body)).toMatchObject([
    { page: 1, per_page: 200, count: true },
    { cursor: "seguinte", count: false },
  ]);
  rows.replace({ id: "a", nome: "depois" });
  expect([rows.rowAt(0), rows.rowAt(1)]).toEqual([{ id: "a", nome: "depois" }, { id: "b" }]);
});

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
