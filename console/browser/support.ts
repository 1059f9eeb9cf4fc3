// What the checks share: a company for all checks of a process, calls to the API, a page that is watched for faults.

import { createHmac, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContext, test as base, expect, type Page, type Route } from "@playwright/test";

const PREFIX = "/v1/managed-tables";
const POLL_MS = 200;
const LIMIT_MS = 80_000;

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these by tests/e2e/test_console.py`);
  return value;
}

export type Json = Record<string, unknown>;

/** A user of one company, by the API: what a check prepares, and what it looks up afterwards. */
export class Company {
  readonly token: string;

  constructor(
    permissions: string[] = ["managed-tables:*"],
    readonly id = randomBytes(12).toString("hex"),
    secondsLeft = 3_600,
    user = "0".repeat(24),
  ) {
    const claims = {
      sub: user,
      company_id: id,
      permissions,
      iss: setting("CONSOLE_ISSUER"),
      aud: setting("CONSOLE_AUDIENCE"),
      exp: Math.floor(Date.now() / 1000) + secondsLeft,
    };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
    const signature = createHmac("sha256", setting("CONSOLE_JWT_SECRET")).update(signed).digest("base64url");
    this.token = `${signed}.${signature}`;
  }

  async call(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await fetch(`${setting("CONSOLE_URL")}${PREFIX}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Json);
  }

  /** Make a table with these columns, `name:type` each, and rows. */
  async table(name: string, columns: string[], rows: Json[] = []): Promise<string> {
    const body = {
      display_name: name,
      columns: columns.map((column) => {
        const [columnName, type] = column.split(":");
        return { name: columnName, display_name: columnName, type, nullable: true };
      }),
    };
    const table = await this.call("POST", "", body);
    const id = String(table["_id"]);
    if (rows.length > 0) await this.call("POST", `/${id}/data`, { rows });
    return id;
  }

  /** Send a file and confirm it as it was inferred; return the table. */
  async load(name: string, content: string): Promise<string> {
    const jobId = await this.upload(name, content);
    const job = await this.reach(jobId, "waiting_confirm");
    const schema = job["inferred_schema"] as { suggested_table_name: string; columns: Json[] };
    const columns = schema.columns.map(({ name: column, display_name, type, nullable }) => ({
      name: column,
      display_name,
      type,
      nullable,
    }));
    await this.call("POST", `/upload-jobs/${jobId}/confirm`, { display_name: schema.suggested_table_name, columns });
    return String((await this.reach(jobId, "done"))["user_table_id"]);
  }

  /** Send a file, for a new table or into one; return the job. */
  async upload(name: string, content: string | Buffer, into?: string): Promise<string> {
    const bytes = Buffer.from(content);
    const files = [{ name, size_bytes: bytes.length }];
    const answer = await this.call("POST", into ? `/${into}/upload` : "/upload", {
      files,
      ...(into ? { mode: "append" } : {}),
    });
    const [post] = answer["uploads"] as { url: string; fields: Record<string, string> }[];
    const form = new FormData();
    for (const [field, value] of Object.entries(post?.fields ?? {})) form.append(field, value);
    form.append("file", new Blob([new Uint8Array(bytes)]), name);
    const sent = await fetch(post?.url ?? "", { method: "POST", body: form });
    if (!sent.ok) throw new Error(`the bucket answered ${sent.status}`);
    return String(answer["job_id"]);
  }

  async reach(jobId: string, status: string): Promise<Json> {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const job = await this.call("GET", `/upload-jobs/${jobId}`);
      if (job["status"] === status) return job;
      if (job["status"] === "failed" || Date.now() > deadline) throw new Error(`the job is ${JSON.stringify(job)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

export interface Watched {
  violations: string[];
  origins: Set<string>;
  faults: string[];
  logged: string[];
}

interface Fixtures {
  /** Whether a check takes the page where the last one left it: then it changes nothing of the document itself. */
  isLent: boolean;
  watched: Watched;
  visit: (path: string, page?: Page, as?: Company) => Promise<void>;
}

interface Shared {
  company: Company;
  /** A company whose table has a million rows, `numero` and `texto`: made by the caller, in SQL. */
  million: { company: Company; table: string };
}

let lent: Page | undefined; // of this process: to load the page takes ten times as long as to show another table

export const test = base.extend<Fixtures, Shared>({
  isLent: [false, { option: true }],
  context: async ({ browser, context, isLent }, use) => {
    if (isLent) lent ??= await (await keepRoutes(await browser.newContext())).newPage();
    await use(isLent && lent ? lent.context() : await keepRoutes(context));
  },
  page: async ({ context, isLent }, use) => {
    const page = isLent && lent ? lent : await context.newPage();
    await use(page);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await context.setOffline(false);
    await context.clearPermissions();
  },
  company: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright's own form of a fixture without others
    async ({}, use) => {
      const company = new Company();
      await company.call("POST", "/provision");
      await use(company);
    },
    { scope: "worker" },
  ],
  million: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const [companyId, table = ""] = setting("CONSOLE_MILLION").split("/");
      await use({ company: new Company(undefined, companyId), table });
    },
    { scope: "worker" },
  ],
  watched: [
    async ({ page }, use) => {
      const watched: Watched = { violations: [], origins: new Set(), faults: [], logged: [] };
      watch(page, watched);
      await use(watched);
      expect(watched.violations, "violations of the content security policy").toEqual([]);
      expect(watched.faults, "errors of the page's own").toEqual([]);
    },
    { auto: true },
  ],
  visit: async ({ page, company, isLent }, use) => {
    let isNear = isLent && (await standsIdle(page)); // what is visited again is loaded again
    await use(async (path, other = page, as = company) => {
      const isSaying = /^\/tabelas\/\w+($|\?)/.test(path); // how many rows there are; other screens leave what was said
      const told = page.getByRole("status").last();
      isNear &&= isSaying || !/^(Gravado|Copiado)$/.test((await told.textContent()) ?? "");
      if (isNear && other === page) await page.evaluate((to) => history.pushState(null, "", to), path);
      else await other.goto(`${path}#token=${as.token}`);
      if (isNear) await expect(told).not.toHaveText(/^(Gravado|Copiado)$/);
      isNear &&= other !== page;
      await expect(other.locator("main")).toBeVisible();
      // A cell that is still to come takes no keys: whoever types waits for it.
      const arrived = '[role="grid"][aria-busy="false"], .mt-group, .mt-empty, form, [role="alert"]';
      if (path.startsWith("/tabelas/")) await expect(other.locator(arrived).first()).toBeVisible();
    });
  },
});

/** Whether a page shows the console, and nothing in it waits or lies over it. */
async function standsIdle(page: Page): Promise<boolean> {
  return (await page.locator(".mt main:not(:has(dialog))").count()) === 1 && !(await isAsked(page));
}

/** Note what a page does wrong: refusals of its policy, exceptions, calls to other origins. */
export function watch(page: Page, watched: Watched): void {
  page.on("console", (message) => {
    const text = message.text();
    watched.logged.push(text);
    if (/Content Security Policy|TrustedHTML|TrustedScript/.test(text)) watched.violations.push(text);
  });
  page.on("pageerror", (error) => watched.faults.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && !request.url().startsWith("blob:"))
      watched.origins.add(new URL(request.url()).origin);
  });
}

/** Nothing of WCAG 2.2 AA that a program can find. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight)); // where the bar at the foot lies over nothing
  const look = async (): Promise<void> => {
    const found = await new AxeBuilder({ page })
      .setLegacyMode() // in the page itself, which has no frame: another page for each look takes longer
      .options({ resultTypes: ["violations"] })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
      .analyze();
    expect(
      found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`),
    ).toEqual([]);
  };
  await expect(look).toPass({ timeout: 20_000 }); // what is being read again is dimmed meanwhile
}

/** Whether the page asks before it is closed: something is not saved. */
export function isAsked(page: Page): Promise<boolean> {
  return page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
}

/** Drop a file of one row on the page. */
export function drop(page: Page, name: string): Promise<void> {
  return page.evaluate((called) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["produto;valor\nA;1,5\n"], called, { type: "text/csv" }));
    for (const type of ["dragover", "drop"]) {
      const isLeft = document.body.dispatchEvent(
        new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
      );
      if (isLeft) throw new Error("the browser would have opened the file");
    }
  }, name);
}

/** No sideways scroll of the page itself. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const wide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const outside = [...document.querySelectorAll("*")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 1,
    );
    return outside.map((one) => `${location.pathname}: ${one.outerHTML.slice(0, 100)}`).slice(0, 3);
  });
  expect(wide).toEqual([]);
}

/** No target that is too small for a finger, but links within a sentence. */
export async function expectLargeTargets(page: Page): Promise<void> {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("main button, main a, main input, main select, main summary, nav a")]
      .filter((element) => element.checkVisibility() && !element.closest(".mt-hidden, .mt-skip"))
      .map((element) => ({
        box: (element.closest("label") ?? element).getBoundingClientRect(),
        html: element.outerHTML.slice(0, 90),
      }))
      .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
      .map(({ html }) => `${location.pathname}: ${html}`),
  );
  expect(small).toEqual([]);
}

/** How many KiB, compressed, of code and style a page has loaded so far. */
export async function loadedKiB(page: Page): Promise<number> {
  const urls = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((one) => one.name)
      .filter((name) => /\/assets\/.*\.(js|css)$/.test(name)),
  );
  let bytes = 0;
  for (const url of new Set(urls)) bytes += await compressedSize(page, url);
  return bytes / 1024;
}

const sizes = new Map<string, number>();

async function compressedSize(page: Page, url: string): Promise<number> {
  const known = sizes.get(url);
  if (known !== undefined) return known;
  const size = gzipSync(await (await page.request.get(url)).body()).length;
  sizes.set(url, size);
  return size;
}

export { expect };

export const DIGITS = { inteiro: "9007199254740993", longo: "123456789012345678901234567890.5" };

export const SLOW_3G = { offline: false, latency: 2_000, downloadThroughput: 50_000, uploadThroughput: 50_000 };

export function cell(page: Page, row: number, column: number) {
  return page.locator(`[role="row"][aria-rowindex="${row + 1}"] [role="gridcell"][aria-colindex="${column + 1}"]`);
}

export async function more(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Mais desta tabela" }).click();
  await page.getByRole("button", { name, exact: true }).click();
}

export function column(name: string) {
  return { name, display_name: name, type: name === "valor" ? "decimal" : "text", nullable: true };
}

/** Have a request done, and its answer lost. */
export async function lose(route: Route): Promise<void> {
  await route.fetch();
  await route.abort();
}

export function loseSave(route: Route): Promise<void> {
  return route.request().method() === "PUT" ? lose(route) : route.continue();
}

/** Hold the next request to an address back until the function that is returned is called. */
export async function holdNext(page: Page, url: RegExp | string): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((go) => {
    release = go;
  });
  const goOn = async (route: Route): Promise<void> => {
    await released;
    await route.continue();
  };
  await page.route(url, goOn, { times: 1 });
  return release;
}

/** Have a page take itself for hidden: it asks for nothing, and is behind its colleagues. */
export async function fallBehind(page: Page): Promise<void> {
  await page.addInitScript(() => Object.defineProperty(document, "visibilityState", { get: () => "hidden" }));
}

/** With no route at all a page sends its requests past the check, and at first also past a route that is set up then. */
async function keepRoutes(context: BrowserContext): Promise<BrowserContext> {
  await context.route("**/never", (route) => route.continue());
  return context;
}
