// In a frame of another console the token comes by message: from the page around it, and from no other origin than the
// ones it was configured with. It is kept in memory alone.

export const WANTED = "managed-tables:token-wanted";
export const TOKEN = "managed-tables:token";
const NAVIGATED = "managed-tables:navigated";
const SIGNED_OUT = "managed-tables:signed-out";

const LIMIT_MS = 30_000;

/** What of a window this needs: the page's own, but in tests. */
export type FramedWindow = Pick<Window, "addEventListener" | "removeEventListener" | "parent">;

/** Talk to the page around this one; `origins` are the ones it may have. */
export function openHost(origins: readonly string[], here: FramedWindow = window) {
  let token: string | null = null;
  let waiting: { resolve: (token: string) => void; reject: (error: Error) => void; timer: number } | null = null;
  let pending: Promise<string> | null = null;
  let signedOut = (): void => {};

  const tell = (message: object): void => {
    for (const origin of origins) here.parent.postMessage(message, origin);
  };
  const hear = (event: MessageEvent): void => {
    if (event.source !== here.parent || !origins.includes(event.origin)) return;
    const data = (event.data ?? {}) as { type?: unknown; token?: unknown };
    if (data.type === TOKEN && typeof data.token === "string") {
      token = data.token;
      clearTimeout(waiting?.timer);
      waiting?.resolve(token);
      waiting = null;
    } else if (data.type === SIGNED_OUT) {
      token = null;
      signedOut();
    }
  };
  const ask = (renew: boolean): Promise<string> => {
    pending ??= new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the host gave no token")), LIMIT_MS) as unknown as number;
      waiting = { resolve, reject, timer };
      tell({ type: WANTED, renew });
    }).finally(() => {
      pending = null;
    });
    return pending;
  };

  here.addEventListener("message", hear);
  return {
    getToken: (renew: boolean): Promise<string> => (token !== null && !renew ? Promise.resolve(token) : ask(renew)),
    navigated: (path: string): void => tell({ type: NAVIGATED, path }),
    /** Hears that the person has signed out, or changed company: what is shown must go. */
    onSignedOut: (listener: () => void): void => {
      signedOut = listener;
    },
    close: (): void => here.removeEventListener("message", hear),
  };
}
