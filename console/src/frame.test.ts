import { describe, expect, it } from "vitest";
import { type FramedWindow, openHost, TOKEN, WANTED } from "./frame";

const HOST = "https://console.example";

function framed() {
  const sent: [unknown, string][] = [];
  const parent = { postMessage: (message: unknown, origin: string) => sent.push([message, origin]) };
  const target = new EventTarget();
  const here = Object.assign(target, { parent }) as unknown as FramedWindow;
  const hear = (data: unknown, origin = HOST, source: unknown = parent): void => {
    target.dispatchEvent(Object.assign(new Event("message"), { data, origin, source }));
  };
  return { here, sent, hear };
}

describe("a page in a frame", () => {
  it("asks its host for a token, once for all who wait", async () => {
    const { here, sent, hear } = framed();
    const host = openHost([HOST], here);
    const both = Promise.all([host.getToken(false), host.getToken(false)]);
    hear({ type: TOKEN, token: "abc" });
    expect(await both).toEqual(["abc", "abc"]);
    expect(await host.getToken(false)).toBe("abc");
    expect(sent).toEqual([[{ type: WANTED, renew: false }, HOST]]);
  });

  it("asks for another one where the first was refused", async () => {
    const { here, sent, hear } = framed();
    const host = openHost([HOST], here);
    const first = host.getToken(false);
    hear({ type: TOKEN, token: "old" });
    await first;
    const second = host.getToken(true);
    hear({ type: TOKEN, token: "new" });
    expect(await second).toBe("new");
    expect(sent.at(-1)).toEqual([{ type: WANTED, renew: true }, HOST]);
  });

  it("hears no other origin, no other window, and nothing that is no token", async () => {
    const { here, hear } = framed();
    const host = openHost([HOST], here);
    const token = host.getToken(false);
    hear({ type: TOKEN, token: "evil" }, "https://evil.example");
    hear({ type: TOKEN, token: "evil" }, HOST, {});
    hear({ type: TOKEN, token: 1 });
    hear(null);
    hear({ type: TOKEN, token: "good" });
    expect(await token).toBe("good");
  });
});
