import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import type { Api, Caller, Session } from "../api/session";
import type { UploadQueue } from "../api/uploads";
import { t } from "./language";
import { useShared, useStore } from "./store";

const Announce = createContext<(text: string) => void>(() => {});

/** Say something to who cannot see it; the last of several within a moment is said. */
export function useAnnounce(): (text: string) => void {
  return useContext(Announce);
}

/** One polite live region for the whole console, which also shows what it says. */
export function Announcer({ children }: { children: ReactNode }) {
  const [text, setText] = useState("");
  const timer = useRef(0);
  const announce = useCallback((said: string) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setText(said), 150);
  }, []);
  return (
    <Announce value={announce}>
      {children}
      <p className="mt-live" role="status" aria-live="polite">
        {text}
      </p>
    </Announce>
  );
}

interface Shared extends Session {
  uploads: UploadQueue;
}

export const SessionProvider = createContext<Shared | null>(null);

const useSession = (): Shared => useShared(SessionProvider, "no session: mount the console by mount()");

/** Return the client of the API that this console was mounted with. */
export function useApi(): Api {
  return useSession().api;
}

/** Return who the token speaks of; everything is allowed until there is one. */
export function useCaller(): Caller {
  return useStore(useSession().caller);
}

/** Return the files that are on their way. */
export function useUploads(): UploadQueue {
  return useSession().uploads;
}

/** Who did something, as far as the reader can know. */
export function useWho(): (userId: string | null) => string {
  const { userId: own } = useCaller();
  return (userId) =>
    userId === null ? t`Alguém, fora desta página,` : userId === own ? t`Você` : t`Usuário ${userId.slice(-6)}`;
}
