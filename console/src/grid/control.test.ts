import { describe, expect, it } from "vitest";
import { GridControl, type GridParts } from "./control";
import type { FootRow } from "./edits";

/** A grid of one row and the empty one below it, and what is written there. */
function gridWithFoot() {
  const written: [row: string, name: string, text: string][] = [];
  const begun: FootRow[] = [];
  const edits = {
    standing: null,
    atFoot: null,
    textsOfNew: {},
    stateOf: () => undefined,
    begun: (): FootRow => {
      const row = { id: String(begun.length + 1), keys: new Map() };
      begun.push(row);
      return row;
    },
    hold: () => {},
    editNew: (row: FootRow, name: string, text: string) => written.push([row.id, name, text]),
  };
  const columns = ["nome", "cidade"].map((name) => ({ name, type: "text", nullable: true }));
  const rows = { rowAt: (index: number) => (index === 0 ? { id: "first" } : undefined) };
  const sheet = { edits, rows, isEditable: true, doubts: new Map(), table: { columns, rules: [] } };
  const control = new GridControl();
  const port = { reveal: () => {} };
  control.drawn = { sheet, columns, rows: 2, data: 1, port, state: {}, control } as unknown as GridParts;
  return { control, written };
}

describe("a row at the foot", () => {
  it("takes what is typed there, though the focus is led to where it has landed meanwhile", () => {
    const { control, written } = gridWithFoot();
    control.begin({ row: 1, column: 0 }, "M");
    control.finish("right", "Maria");
    control.begin({ row: 1, column: 1 }, "N");
    control.focus({ row: 0, column: 1 }, false, false);
    control.finish("down", "Natal");
    expect(written).toEqual([
      ["1", "nome", "Maria"],
      ["1", "cidade", "Natal"],
    ]);
  });

  it("is another one after Enter", () => {
    const { control, written } = gridWithFoot();
    for (const text of ["Bia", "Caio"]) {
      control.begin({ row: 1, column: 0 }, text.slice(0, 1));
      control.finish("down", text);
    }
    expect(written.map(([row]) => row)).toEqual(["1", "2"]);
  });
});
