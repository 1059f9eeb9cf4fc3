import { createContext } from "react";
import type { Caller } from "../api/caller";
import type { Api, Session } from "../api/session";
import type { UploadQueue } from "../api/uploads";
import { t } from "./language";
import { useShared } from "./sharing";
import { useStore } from "./store";

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
