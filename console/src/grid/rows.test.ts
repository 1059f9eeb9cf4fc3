import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { Api } from "../api/session";
import { isInRange, rangeOf, spread } from "./model";
import { RowSource } from "./rows";

vi.stubGlobal("window", globalThis); // the timers of a browser

interface Question {
  query: Record<string, unknown>;
  answer: (ids: string[], total?: number | null) => Promise<void>;
}

/** An API whose answers come when the test says so. */
function slowApi() {
  const questions: Question[] = [];
  const POST = (_path: string, { body }: { body: Record<string, unknown> }) =>
    new Promise((resolve) => {
      questions.push({
        query: body,
        answer: async (ids, total = null) => {
          const page = { records: ids.map((id) => ({ id, nome: id, _version: "1" })), total, next_cursor: "seguinte" };
          resolve(page);
          await new Promise((settled) => setTimeout(settled));
        },
      });
    });
  return { api: { POST } as unknown as Api, questions };
}

describe("rows in blocks", () => {
  it("are counted once, each asked for by the cursor of the one before, and put in place when they are newer", async () => {
    const { api, questions } = slowApi();
    const rows = new RowSource(new QueryClient(), api, "t", {});
    const first = rows.need(0, 1);
    await questions[0]?.answer(["a", "b"], 400);
    await first;
    expect([rows.total, rows.rowAt(1)?.id, rows.indexOf("b"), rows.indexOf("z")]).toEqual([400, "b", 1, -1]);
    void rows.need(0, 210);
    await vi.waitFor(() => expect(questions).toHaveLength(2));
    expect(questions[0]?.query).toMatchObject({ page: 1, per_page: 200, count: true });
    expect(questions[1]?.query).toMatchObject({ cursor: "seguinte", count: false });
    rows.replace({ id: "a", nome: "depois" });
    expect([rows.rowAt(0), rows.rowAt(1)?.id]).toEqual([{ id: "a", nome: "depois" }, "b"]);
  });
});

describe("ranges", () => {
  const range = rangeOf({ row: 5, column: 3 }, { row: 4, column: 1 });

  it("lie between two cells", () => {
    expect(range).toEqual({ top: 4, bottom: 5, left: 1, right: 3 });
    expect([isInRange(range, 4, 2), isInRange(range, 6, 2), isInRange(range, 4, 0)]).toEqual([true, false, false]);
  });

  it("are filled by one cell, or take what is pasted as it is", () => {
    expect(spread([["x"]], range)).toEqual([
      ["x", "x", "x"],
      ["x", "x", "x"],
    ]);
    expect(spread([["a", "b"]], range)).toEqual([["a", "b"]]);
  });
});
