import { type Context, useContext } from "react";

/** Return what a context shares; throws `missing` where nothing around provides it. */
export function useShared<Shared>(context: Context<Shared | null>, missing: string): Shared {
  const shared = useContext(context);
  if (!shared) throw new Error(missing);
  return shared;
}
