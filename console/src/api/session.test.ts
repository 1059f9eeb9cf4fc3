import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiFailure, answered, openSession } from "./session";

function answering(...answers: Response[]) {
  const sent: Request[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    sent.push(request);
    return Promise.resolve(answers[Math.min(sent.length - 1, answers.length - 1)]?.clone());
  });
  return sent;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

describe("a session", () => {
  afterEach(() => vi.unstubAllGlobals());
  const status = (getToken: (renew: boolean) => Promise<string>) =>
    answered(openSession({ apiUrl: "https://api.test/", getToken }).api.GET("/v1/managed-tables/status"));

  it("carries the token", async () => {
    const sent = answering(json(200, { provisioned: false }));
    await status(() => Promise.resolve("abc"));
    expect(sent[0]?.headers.get("Authorization")).toBe("Bearer abc");
    expect(sent[0]?.url).toBe("https://api.test/v1/managed-tables/status");
  });

  it("asks for another token once where the first is refused", async () => {
    const sent = answering(json(401, {}), json(200, { provisioned: true }));
    await status((renew) => Promise.resolve(renew ? "new" : "old"));
    expect(sent.map((request) => request.headers.get("Authorization"))).toEqual(["Bearer old", "Bearer new"]);
  });

  it("throws the API's own sentence, code and wait", async () => {
    answering(json(429, { error: "Muitas requisições", code: "TOO_MANY_REQUESTS" }, { "Retry-After": "7" }));
    const failure = await status(() => Promise.resolve("abc")).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiFailure);
    expect(failure).toMatchObject({ status: 429, message: "Muitas requisições", retryAfterSeconds: 7 });
    expect((failure as ApiFailure).code).toBe("TOO_MANY_REQUESTS");
  });

  it("says so where there is no connection", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(status(() => Promise.resolve("abc"))).rejects.toMatchObject({ status: 0 });
  });
});
