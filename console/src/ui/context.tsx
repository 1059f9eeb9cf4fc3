import { createContext, type ReactNode, useMemo, useRef, useState } from "react";
import type { Caller, Session } from "../api/session";
import { isSending, type UploadQueue } from "../api/uploads";
import { t } from "./language";
import { useShared, useStore, useWindowEvents } from "./store";

/** What every part of the console shares; everything is allowed until it is known who the token speaks of. */
interface ConsoleParts extends Caller, Omit<Session, "caller"> {
  /** The files that are on their way. */
  uploads: UploadQueue;
  /** Say something to who cannot see it; the last of several within a moment is said. */
  announce: (text: string) => void;
  /** Who did something, as far as the reader can know. */
  who: (userId: string | null) => string;
}

const Shared = createContext<ConsoleParts | null>(null);

export const useConsole = (): ConsoleParts => useShared(Shared, "no console around this: mount it by mount()");

type ProviderProps = Pick<ConsoleParts, "uploads"> & { session: Session; children: ReactNode };

/** Share it, with one polite live region, which also shows what it says. */
export function ConsoleProvider({ session, uploads, children }: ProviderProps) {
  const [said, setSaid] = useState("");
  const timer = useRef(0);
  const caller = useStore(session.caller);
  const { sessions, written } = session;
  useWindowEvents(["online"], () => sessions.forEach(({ state }) => void state.get().again?.()));
  useWindowEvents(["beforeunload"], (event) => {
    const isWritten = written.get() || document.querySelector(".mt-cell-edited") !== null;
    const isUnsaved = isWritten || [...sessions.values()].some((edits) => edits.isUnsaved);
    if (isUnsaved || isSending(uploads.state.get())) event.preventDefault();
  });
  const shared = useMemo((): ConsoleParts => {
    const announce = (text: string): void => {
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setSaid(text), 150);
    };
    const who = (userId: string | null): string => {
      if (userId === null) return t`Alguém, fora desta página,`;
      return userId === caller.userId ? t`Você` : t`Usuário ${userId.slice(-6)}`;
    };
    return { ...session, ...caller, uploads, announce, who };
  }, [caller, session, uploads]);
  return (
    <Shared value={shared}>
      {children}
      <p className="mt-live" role="status" aria-live="polite">
        {said}
      </p>
    </Shared>
  );
}
