// In a frame of another console the token comes by message: from the page around it, and from no other origin than the
// ones it was configured with. It is kept in memory alone.

const LIMIT_MS = 30_000;

/** Talk to the page around this one; `origins` are the ones it may have. */
export function openHost(origins: readonly string[]) {
  let token: string | null = null;
  let pending: Promise<string> | null = null;
  let take = (_: string): void => {};
  let signedOut = (): void => {};

  const tell = (type: string, more: object): void => {
    for (const origin of origins) window.parent.postMessage({ type: `managed-tables:${type}`, ...more }, origin);
  };
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !origins.includes(event.origin)) return;
    const data = (event.data ?? {}) as { type?: unknown; token?: unknown };
    if (data.type === "managed-tables:token" && typeof data.token === "string") {
      token = data.token;
      take(token);
    } else if (data.type === "managed-tables:signed-out") {
      token = null;
      signedOut();
    }
  });
  const ask = (renew: boolean): Promise<string> => {
    pending ??= new Promise<string>((resolve, reject) => {
      take = resolve;
      window.setTimeout(() => reject(new Error("the host gave no token")), LIMIT_MS); // of no effect once it came
      tell("token-wanted", { renew });
    }).finally(() => {
      pending = null;
    });
    return pending;
  };
  return {
    getToken: (renew: boolean): Promise<string> => (token !== null && !renew ? Promise.resolve(token) : ask(renew)),
    navigated: (path: string): void => tell("navigated", { path }),
    /** Hears that the person has signed out, or changed company: what is shown must go. */
    onSignedOut: (listener: () => void): void => {
      signedOut = listener;
    },
  };
}
