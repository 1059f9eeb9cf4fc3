import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiFailure, openSession } from "./session";

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

describe("a session", () => {
  afterEach(() => vi.unstubAllGlobals());
  const status = (getToken: (renew: boolean) => Promise<string>) =>
    openSession({ apiUrl: "https://api.test/", getToken }).api.GET("/status");

  it("throws the API's own sentence, code and wait", async () => {
    vi.stubGlobal("fetch", () =>
      Promise.resolve(json(429, { error: "Muitas requisições", code: "TOO_MANY_REQUESTS" }, { "Retry-After": "7" })),
    );
    const failure = await status(() => Promise.resolve("abc")).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiFailure);
    expect(failure).toMatchObject({ status: 429, message: "Muitas requisições", retryAfterSeconds: 7 });
    expect((failure as ApiFailure).code).toBe("TOO_MANY_REQUESTS");
  });
});
