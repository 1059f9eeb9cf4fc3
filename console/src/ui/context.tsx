import { createContext, useContext } from "react";
import type { Api } from "../api/session";

const Session = createContext<Api | null>(null);

export const SessionProvider = Session;

/** Return the client of the API that this console was mounted with. */
export function useApi(): Api {
  const api = useContext(Session);
  if (!api) throw new Error("no session: mount the console by mount()");
  return api;
}
