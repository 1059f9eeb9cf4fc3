import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { decided, keyOf, type Repair, statedColumns, withLeft } from "./repairs";

const SP: Repair = { column: "uf", from: "SAO PAULO", to: "SP" };
const EMPTY: Repair = { column: "valor", from: "-x-", empty: true };

test("a decision takes the place of one about the same value, or is taken back", () => {
  expect(decided(null, {})).toBeNull();
  expect(decided(null, { [keyOf(SP)]: SP })).toEqual([SP]);
  const other = { ...SP, to: "MG" };
  expect(decided([SP, EMPTY], { [keyOf(other)]: other })).toEqual([other, EMPTY]);
  expect(decided([SP, EMPTY], { [keyOf(SP)]: null, [keyOf(EMPTY)]: null })).toEqual([]);
});

test("two people's decisions stand side by side", () => {
  const theirs = decided(null, { [keyOf(SP)]: SP });
  expect(decided(theirs, { [keyOf(EMPTY)]: EMPTY })).toEqual([SP, EMPTY]);
});

test("only what is said of columns is sent with a draft", () => {
  const columns = ["a", "b", "c"].map((name) => ({ name }));
  const adjustments = { A: { type: "text" as const }, C: { into: null } };
  expect(statedColumns({ columns } as never, ["A", "B", "C"], adjustments)).toEqual([
    { name: "a", type: "text" },
    { name: "c", table_column: null },
  ]);
});

test("figures are those that repairs leave", () => {
  const job = {
    append_plan: {
      conflicts: [
        { column: "valor", count: 9, details: [{ value: "-x-" }, { value: "y" }] },
        { column: "outro", count: 2, details: [] },
      ],
    },
    checks: [{ rule: "r_uf", columns: ["uf"], broken: 5 }],
    error: { details: [{ column: "valor", value: "-x-" }] },
  } as unknown as Job;
  const left = [{ column: "valor", rule: null, count: 1 }];
  expect(withLeft(job, left, null)).toBe(job);
  expect(withLeft(job, left, [EMPTY])).toMatchObject({
    append_plan: { conflicts: [{ column: "valor", count: 1, details: [{ value: "y" }] }] },
    checks: [{ broken: 0 }],
    error: null,
  });
});
