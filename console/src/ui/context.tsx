import { createContext, useContext } from "react";
import type { Caller } from "../api/caller";
import type { Api, Session } from "../api/session";
import type { UploadQueue } from "../api/uploads";
import { t } from "./language";
import { useStore } from "./store";

interface Shared extends Session {
  uploads: UploadQueue;
}

const SessionContext = createContext<Shared | null>(null);

export const SessionProvider = SessionContext;

function useSession(): Shared {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no session: mount the console by mount()");
  return session;
}

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
