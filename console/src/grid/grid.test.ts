import { describe, expect, it } from "vitest";
import type { SavedView, Table } from "../api/types";
import { move } from "./model";
import { arranged, askedOf, bodyOf, readView, toggleSort, viewOf, whereOf, writeView } from "./view";
import { barOf, follow, MAX_SCROLL_HEIGHT, ROW_HEIGHT, scrollHeight, visibleColumns, visibleRows } from "./viewport";

const MILLION = { content: 1_000_000 * ROW_HEIGHT, viewport: 640 };

describe("scrolling", () => {
  it("moves a small table by pixels", () => {
    const extent = { content: 100 * ROW_HEIGHT, viewport: 640 };
    expect(follow({ bar: 0, top: 0 }, 96, extent)).toEqual({ bar: 96, top: 96 });
  });

  it("caps the element that is scrolled", () => expect(scrollHeight(MILLION)).toBe(MAX_SCROLL_HEIGHT));

  it("moves three rows for a wheel's 96 px in the middle of a million", () => {
    const top = 500_000 * ROW_HEIGHT;
    const bar = barOf(top, MILLION);
    expect(follow({ bar, top }, bar + 96, MILLION).top).toBe(top + 96);
  });

  it("reaches the last row at the end of the bar, and the first at its start", () => {
    const end = scrollHeight(MILLION) - MILLION.viewport;
    expect(follow({ bar: 0, top: 0 }, end, MILLION).top).toBe(MILLION.content - MILLION.viewport);
    expect(follow({ bar: end, top: 1 }, 0, MILLION).top).toBe(0);
  });

  it("shows the rows in sight and a few more", () => {
    expect(visibleRows(0, 640, 1_000_000)).toEqual([0, 26]);
    expect(visibleRows(MILLION.content - 640, 640, 1_000_000)).toEqual([999_974, 1_000_000]);
    expect(visibleRows(0, 640, 0)).toEqual([0, 0]);
  });

  it("shows the columns in sight of very many", () => {
    const shown = visibleColumns(Array<number>(1_500).fill(160), 0, 100_000, 1_200);
    expect(shown.offset).toBe(shown.first * 160);
    expect(shown.end - shown.first).toBeLessThan(16);
  });
});

describe("keys", () => {
  const bounds = { rows: 10, columns: 3, page: 4 };
  it.each([
    ["ArrowDown", false, { row: 6, column: 1 }],
    ["ArrowUp", false, { row: 4, column: 1 }],
    ["PageDown", false, { row: 9, column: 1 }],
    ["PageUp", false, { row: 1, column: 1 }],
    ["Home", false, { row: 5, column: 0 }],
    ["End", true, { row: 9, column: 2 }],
    ["Home", true, { row: 0, column: 0 }],
  ])("%s (control %s)", (key, control, place) =>
    expect(move({ row: 5, column: 1 }, key, control, bounds)).toEqual(place),
  );

  it("leaves other keys alone", () => expect(move({ row: 5, column: 1 }, "a", false, bounds)).toBeNull());
});

describe("views", () => {
  const view = {
    filters: [
      [{ column: "valor", op: "gte" as const, value: "10.5" }],
      [{ column: "valor", op: "gte" as const, value: "12" }],
      [
        { column: "nome", op: "in" as const, value: ["Silva, João", "Maria"] },
        { column: "pago", op: "eq" as const, value: true },
      ],
    ],
    search: "",
    sorts: ["-valor", "data"],
    hidden: ["obs"],
    order: ["pago", "valor"],
    frozen: ["data"],
    beyond: { not: { column: "nome", op: "eq" as const, value: "x" } },
    widths: { valor: 240 },
    totals: { valor: "avg" as const },
    groupBy: ["nome"],
    rowHeight: 64,
  };
  const columns = [
    ["nome", "text"],
    ["valor", "decimal"],
    ["pago", "boolean"],
    ["data", "date"],
  ].map(([name, type]) => ({ name, type, display_name: name, nullable: true }));
  const table = { columns } as unknown as Table;

  it("come back from the address", () => expect(readView(writeView(view))).toEqual(view));
  it("come back from what is saved of them", () => {
    const saved = bodyOf(table, { ...view, beyond: null }) as SavedView;
    expect(viewOf(saved)).toEqual({
      ...view,
      beyond: null,
      hidden: [],
      order: ["data", "pago", "valor", "nome"],
    });
    expect(viewOf({ ...saved, where: view.beyond })).toMatchObject({ filters: [], beyond: view.beyond });
  });
  it("put the columns that stay first, and those without a place last", () =>
    expect(arranged(table.columns, view).map(({ name }) => name)).toEqual(["data", "pago", "valor", "nome"]));
  it("leave no trace where nothing is set", () => expect(writeView(readView(""))).toBe(""));
  it("ignore what is no part of them", () => expect(readView("filtros=1&ordem=[&x=y")).toEqual(readView("")));

  it("are read from an address of 0.3.0, too", () => {
    const older = readView("filter[valor][gt]=10&filter[pago][eq]=true&q=ana&sort_by=-valor,nome&ocultas=cep");
    expect(older).toEqual({
      ...readView(""),
      filters: [[{ column: "valor", op: "gt", value: "10" }], [{ column: "pago", op: "eq", value: true }]],
      search: "ana",
      sorts: ["-valor", "nome"],
      hidden: ["cep"],
    });
  });

  it("ask for all of their filters, for one condition of each, and for values with commas as they are", () => {
    expect(whereOf({ ...view, beyond: null })).toEqual({
      and: [
        { column: "valor", op: "gte", value: "10.5" },
        { column: "valor", op: "gte", value: "12" },
        {
          or: [
            { column: "nome", op: "in", value: ["Silva, João", "Maria"] },
            { column: "pago", op: "eq", value: true },
          ],
        },
      ],
    });
  });

  it("ask for a search beside their conditions", () =>
    expect(askedOf({ ...readView(""), search: "1.234,5" })).toEqual({ q: "1.234,5" }));

  it("sort up, down and not at all, alone or beside others", () => {
    expect(toggleSort([], "a", false)).toEqual(["a"]);
    expect(toggleSort(["a"], "a", false)).toEqual(["-a"]);
    expect(toggleSort(["-a"], "a", false)).toEqual([]);
    expect(toggleSort(["a"], "b", true)).toEqual(["a", "b"]);
    expect(toggleSort(["a", "b"], "b", true)).toEqual(["a", "-b"]);
  });
});
