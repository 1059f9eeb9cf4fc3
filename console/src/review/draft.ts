// What a person has said in a review: kept by the server, so that it is there in another browser and for a colleague.

import { useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Api } from "../api/session";
import type { Job, Recipe, Table } from "../api/types";
import { useApi, useCaller } from "../ui/context";
import { useShared } from "../ui/sharing";
import type { Adjustment, ReviewedColumn, Target } from "./adjustments";
import type { Check } from "./checks";
import type { Spot } from "./lines";

export interface Draft {
  /** By the label as the file has it: names may change from one reading to the next. */
  adjustments: Readonly<Record<string, Adjustment>>;
  onMisfit: "reject" | "skip";
  /** Columns of the table that are to accept empty cells. */
  makeNullable: readonly string[];
  /** What the new table is called; null is the name that was suggested. */
  tableName: string | null;
  /** The sources of a new table's columns, those first that a person has moved. */
  order: readonly string[];
  /** Whether the table is to remember how this file was read. */
  remember: boolean;
}

export interface Look {
  table: number;
  spot: Spot | null;
  column: ReviewedColumn | null;
  choose: (table: number) => void;
  select: (column: string | null) => void;
  /** Whether a person has chosen the column: a phone shows its panel then. */
  isChosen: boolean;
  /** Go to where an entry of the list leads. */
  at: (check: Check) => void;
}

/** What the parts of a review share. */
export interface ReviewParts {
  job: Job;
  /** The table that the file goes into, and what it remembers of its files; null where there is none. */
  table: Table | null;
  recipe: Recipe | null;
  look: Look;
  columns: readonly ReviewedColumn[];
  checks: readonly Check[];
  targets: readonly Target[];
  isBusy: boolean;
  draft: Draft;
  onDraft: (changes: Partial<Draft>) => void;
  onAdjust: (sources: readonly string[], changes: Adjustment) => void;
}

export const ReviewProvider = createContext<ReviewParts | null>(null);

export const useReview = (): ReviewParts => useShared(ReviewProvider, "no review around this");

const START: Draft = {
  adjustments: {},
  onMisfit: "reject",
  makeNullable: [],
  tableName: null,
  order: [],
  remember: true,
};
const SAVE_AFTER_MS = 400;

/** Put changes on top of a draft, column by column and field by field. */
export function withChanges(draft: Draft, changes: Partial<Draft>): Draft {
  const adjustments = { ...draft.adjustments };
  for (const [source, adjustment] of Object.entries(changes.adjustments ?? {})) {
    adjustments[source] = { ...adjustments[source], ...adjustment };
  }
  return { ...draft, ...changes, adjustments };
}

function draftOf(job: Pick<Job, "draft">): Draft {
  return withChanges(START, (job.draft ?? {}) as Partial<Draft>);
}

function toBody(draft: Draft): NonNullable<Job["draft"]> {
  return JSON.parse(JSON.stringify(draft)) as NonNullable<Job["draft"]>; // without what is undefined
}

export interface DraftHandle {
  draft: Draft;
  change: (changes: Partial<Draft>) => void;
  /** Send what has not been sent yet; resolves when the server has it. */
  flush: () => Promise<void>;
  /** What the last attempt to keep it failed by, or null. */
  failure: unknown;
}

/** The draft of a job's review; a change is sent a moment later, on top of what colleagues have sent since. */
export function useDraft(job: Job): DraftHandle {
  const api = useApi();
  const queries = useQueryClient();
  const { can } = useCaller();
  const mayKeep = can("upload");
  const [draft, setDraft] = useState(() => draftOf(job));
  const [failure, setFailure] = useState<unknown>(null);
  const keeper = useMemo(() => new Keeper(api, job._id), [api, job._id]);
  keeper.listener = (kept, problem) => {
    setFailure(problem);
    if (!kept) return;
    queries.setQueryData<Job>(["job", job._id], (before) => before && { ...before, draft: toBody(kept) });
    setDraft(withChanges(kept, keeper.unsent));
  };
  const read = useRef(job.draft);
  useEffect(() => {
    if (read.current === job.draft) return;
    read.current = job.draft; // the files were read again, or a colleague has been here
    setDraft(withChanges(draftOf(job), keeper.unsent));
  }, [job.draft]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (keeper.isBehind) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
      void keeper.flush().catch(() => {});
    };
  }, [keeper]);
  const change = useCallback(
    (changes: Partial<Draft>): void => {
      setDraft((before) => withChanges(before, changes));
      if (mayKeep) keeper.add(changes);
    },
    [keeper, mayKeep],
  );
  return { draft, change, flush: keeper.flush, failure };
}

/** Sends the changes of one review, one request after the other. */
class Keeper {
  listener: (kept: Draft | null, problem: unknown) => void = () => {};
  unsent: Partial<Draft> = {};
  isBehind = false;
  private timer = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly api: Api,
    private readonly jobId: string,
  ) {}

  add(changes: Partial<Draft>): void {
    this.unsent = withChanges(this.unsent as Draft, changes);
    this.isBehind = true;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.flush().catch(() => {}), SAVE_AFTER_MS);
  }

  readonly flush = (): Promise<void> => {
    window.clearTimeout(this.timer);
    const sent = this.queue.then(() => this.send());
    this.queue = sent.catch(() => {});
    return sent;
  };

  private async send(): Promise<void> {
    if (!this.isBehind) return;
    const sending = this.unsent;
    this.unsent = {};
    this.isBehind = false;
    const path = { job_id: this.jobId };
    try {
      const query = { fields: "draft", numbers: "string" as const };
      const there = await this.api.GET("/upload-jobs/{job_id}", { path, query });
      const body = withChanges(draftOf(there), sending);
      await this.api.PUT("/upload-jobs/{job_id}/draft", { path, body: toBody(body) });
      this.listener(body, null);
    } catch (problem) {
      this.unsent = withChanges(sending as Draft, this.unsent);
      this.isBehind = true;
      this.listener(null, problem);
      throw problem;
    }
  }
}
