import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "module-"));

describe("the module that another console mounts", () => {
  beforeAll(async () => {
    vi.stubEnv("NODE_ENV", "production"); // as `vite build` sets it
    await build({ mode: "module", logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
    vi.unstubAllEnvs();
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is one file to import, its style beside it", () => {
    expect(existsSync(join(folder, "managed-tables-console.js"))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith(".css"))).toHaveLength(1);
  });

  it("exports mount, and asks a browser for nothing that is Node's", () => {
    const code = readFileSync(join(folder, "managed-tables-console.js"), "utf8");
    expect(code).toMatch(/export\s*\{[^}]*\bmount\b[^}]*\}/);
    expect(code).not.toContain("process.env");
    expect(code.length).toBeLessThan(400_000); // React's own development build has 800 KB
  });
});
