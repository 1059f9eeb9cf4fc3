import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useMemo, useRef, useState } from "react";
import { type Answer, type Asked, type Caller, type Having, isGone, type Session } from "../api/session";
import type { Operations } from "../api/types";
import { isSending, type UploadQueue } from "../api/uploads";
import { t } from "./language";
import { useShared, useStore, useWindowEvents } from "./store";

/** What every part of the console shares; everything is allowed until it is known who the token speaks of. */
interface ConsoleParts extends Caller, Omit<Session, "caller"> {
  /** The files that are on their way. */
  uploads: UploadQueue;
  /** Say something to who cannot see it; the last of several within a moment is said. */
  announce: (text: string) => void;
  /** Go on, once a person has said that what is written and not saved may be lost. */
  leaveBy: (go: () => unknown) => void;
  /** Who did something, as far as the reader can know. */
  who: (userId: string | null) => string;
}

const Shared = createContext<ConsoleParts | null>(null);

export const useConsole = (): ConsoleParts => useShared(Shared, "no console around this: mount it by mount()");

type ProviderProps = Pick<ConsoleParts, "uploads"> & { session: Session; children: ReactNode };

/** Share it, with one polite live region, which also shows what it says. */
export function ConsoleProvider({ session, uploads, children }: ProviderProps) {
  const [said, setSaid] = useState({ text: "", count: 0 });
  const timer = useRef(0);
  const caller = useStore(session.caller);
  const { sessions, written, leaving } = session;
  useWindowEvents(["online"], () => sessions.forEach((edits) => void edits.resume()));
  useWindowEvents(["beforeunload"], (event) => {
    const isUnsaved = written.get() || [...sessions.values()].some((edits) => edits.isUnsaved);
    if (isUnsaved || isSending(uploads.state.get())) event.preventDefault();
  });
  const shared = useMemo((): ConsoleParts => {
    const announce = (text: string): void => {
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setSaid(({ count }) => ({ text, count: count + 1 })), 150);
    };
    const who = (userId: string | null): string => {
      if (userId === null) return t`Alguém, fora desta página,`;
      return userId === caller.userId ? t`Você` : t`Usuário ${userId.slice(-6)}`;
    };
    const leaveBy = (go: () => unknown): void => void (written.get() ? leaving.set(go) : go());
    return { ...session, ...caller, uploads, announce, leaveBy, who };
  }, [caller, session, uploads]);
  return (
    <Shared value={shared}>
      {children}
      <div className="mt-live" role="status" aria-live="polite">
        <span key={said.count}>{said.text}</span>
      </div>
    </Shared>
  );
}

const POLL_STEPS_MS = [1_000, 1_000, 2_000, 2_000, 5_000];
/** A job that goes on by itself. */
export const ACTIVE: ReadonlySet<string> = new Set(["queued", "analisando", "inserting"]);

type Got<Path extends Having<"get">> = Answer<Operations[Path]["get"]>;

/** Read from the API; the answer is kept under its question: the path, and what is asked of it. */
export function useGet<Path extends Having<"get">>(
  path: Path,
  asked: Asked<Operations[Path]["get"]>,
  options: Omit<UseQueryOptions<Got<Path>>, "queryKey" | "queryFn"> = {},
) {
  const api = useConsole().api as { GET: (path: Path, asked: object) => Promise<Got<Path>> };
  return useQuery({
    queryKey: [path, asked],
    queryFn: ({ signal }) => api.GET(path, { ...asked, signal }),
    ...options,
  });
}

export const jobQuestion = (jobId: string) =>
  ["/upload-jobs/{job_id}", { path: { job_id: jobId }, query: { numbers: "string" } }] as const;

export function useTable(tableId: string, enabled = true) {
  return useGet("/{table_id}", { path: { table_id: tableId } }, { enabled });
}

/** What a table remembers of its files; null where it remembers nothing. */
export function useRecipe(tableId: string, enabled = true) {
  const found = useGet("/{table_id}/recipe", { path: { table_id: tableId } }, { enabled });
  return isGone(found.error) ? { ...found, data: null, error: null } : found;
}

/**
 * Follow a job: asked each second at first and after each change of its status, each five seconds later, and not
 * while the page is out of sight.
 */
export function useJob(jobId: string) {
  const change = useRef({ status: "", count: 0 });
  return useGet(...jobQuestion(jobId), {
    refetchInterval: ({ state: { data, dataUpdateCount: count } }) => {
      if (data && data.status !== change.current.status) change.current = { status: data.status, count };
      const step = Math.min(count - change.current.count, POLL_STEPS_MS.length - 1);
      return !data || ACTIVE.has(data.status) ? (POLL_STEPS_MS[step] ?? 5_000) : false;
    },
    staleTime: 0,
  });
}
