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

function opened() {
  const { api, questions } = slowApi();
  const loader = new RowSource(api, "t", {});
  loader.start();
  return { loader, questions };
}

describe("rows in blocks", () => {
  it("are counted once", async () => {
    const { loader, questions } = opened();
    await questions[0]?.answer(["a", "b"], 400);
    expect([loader.total, loader.rowAt(1)?.id, loader.indexOf("b"), loader.indexOf("z")]).toEqual([400, "b", 1, -1]);
    loader.show(200, 210);
    await vi.waitFor(() => expect(questions).toHaveLength(2));
    expect(questions[0]?.query).toMatchObject({ page: 1, per_page: 200 });
    expect(questions[0]?.query).not.toHaveProperty("count");
    expect(questions[1]?.query).toMatchObject({ cursor: "seguinte", count: false });
  });

  it("stay until their newer state is there, and an older answer changes nothing", async () => {
    const { loader, questions } = opened();
    await questions[0]?.answer(["a"], 1);
    const first = loader.reload();
    const second = loader.reload();
    expect(loader.rowAt(0)?.id).toBe("a");
    await questions[2]?.answer(["new"], 7);
    await questions[1]?.answer(["old"], 3);
    await Promise.all([first, second]);
    expect([loader.rowAt(0)?.id, loader.total]).toEqual(["new", 7]);
  });

  it("of a view that was left never come", async () => {
    const { loader, questions } = opened();
    loader.stop();
    await questions[0]?.answer(["a"], 1);
    expect([loader.rowAt(0), loader.total]).toEqual([undefined, null]);
  });

  it("take a row's newer state in its place", async () => {
    const { loader, questions } = opened();
    await questions[0]?.answer(["a"], 1);
    loader.replace({ id: "a", nome: "depois" });
    expect(loader.rowAt(0)).toEqual({ id: "a", nome: "depois" });
  });

  it("are forgotten in the order of their use", async () => {
    const { loader, questions } = opened();
    await questions[0]?.answer(["first"], 9_000);
    for (let number = 1; number <= 40; number += 1) {
      void loader.need(number * 200, number * 200 + 1);
      await questions[number]?.answer([`row ${number}`]);
    }
    expect([loader.rowAt(0), loader.rowAt(200)?.id]).toEqual([undefined, "row 1"]);
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
