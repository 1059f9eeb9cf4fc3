// What a person has said in a review, kept in the browser until the files are imported: opening it again loses nothing.

import type { Job, StatedTable } from "../api/types";
import { type Adjustment, type Adjustments, adjustmentsOfJob } from "./adjustments";

export interface Draft {
  adjustments: Adjustments;
  /** How files and sheets are to be read, by their place in the reading: a next statement comes on top. */
  stated: ReadonlyMap<number, StatedTable>;
  onMisfit: "reject" | "skip";
  /** Columns of the table that are to accept empty cells. */
  makeNullable: readonly string[];
  /** The new table's name; null is the one that was suggested. */
  tableName: string | null;
}

const PREFIX = "managed-tables:review:";
const MAX_KEPT = 20;

/** Return what a review begins with: what was said of it before, or what was confirmed and came back. */
export function recall(job: Job): Draft {
  const empty: Draft = {
    adjustments: adjustmentsOfJob(job),
    stated: new Map(),
    onMisfit: "reject",
    makeNullable: [],
    tableName: (job.error && job.confirmed_schema?.display_name) || null,
  };
  const kept = read(PREFIX + job._id);
  if (!kept) return empty;
  return {
    ...empty,
    ...kept,
    adjustments: new Map(Object.entries(kept.adjustments)),
    stated: new Map(kept.stated.map(([place, table]) => [place, table])),
  };
}

interface Kept extends Omit<Draft, "adjustments" | "stated"> {
  at: number;
  adjustments: Record<string, Adjustment>;
  stated: [number, StatedTable][];
}

export function remember(job: Job, draft: Draft): void {
  const kept: Kept = {
    ...draft,
    at: Date.now(),
    adjustments: Object.fromEntries(draft.adjustments),
    stated: [...draft.stated],
  };
  try {
    localStorage.setItem(PREFIX + job._id, JSON.stringify(kept));
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    const byAge = keys.map((key) => [read(key)?.at ?? 0, key] as const).sort(([one], [other]) => other - one);
    for (const [, key] of byAge.slice(MAX_KEPT)) localStorage.removeItem(key);
  } catch {
    // a browser without storage, or a full one: the review lasts as long as the page
  }
}

export function forget(job: Job): void {
  try {
    localStorage.removeItem(PREFIX + job._id);
  } catch {
    // as above
  }
}

function read(key: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}
