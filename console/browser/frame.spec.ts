// Host and foreign pages are made up in the browser: it asks nobody for them, and takes them for what they say they are.

import type { Page } from "@playwright/test";
import { Company, expect, test } from "./support.ts";

const HOST = process.env["CONSOLE_HOST"] ?? "";
const FOREIGN = "http://foreign.test";

async function answerWith(page: Page, origin: string, html: string): Promise<void> {
  await page.context().route(`${origin}/**`, (route) => route.fulfill({ contentType: "text/html", body: html }));
}

function framing(address: string): string {
  return `<iframe src="${address}" width="1000" height="600"></iframe>
    <script>heard = []; addEventListener("message", (event) => heard.push([event.origin, event.data]));</script>`;
}

test("its host's frame gets a token by message; messages of others are ignored", async ({ page, company }) => {
  const here = new URL(process.env["CONSOLE_URL"] ?? "").origin;
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.headers()["authorization"] ?? ""));
  await answerWith(
    page,
    FOREIGN,
    `<script>parent.frames[0].postMessage({ type: "managed-tables:token", token: "evil" }, "*")</script>`,
  );
  await answerWith(page, HOST, framing(`${here}/`));
  await page.goto(`${HOST}/`);
  const heard = () => page.evaluate(() => (window as unknown as { heard: [string, { type: string }][] }).heard);
  await expect.poll(heard).toContainEqual([here, { type: "managed-tables:token-wanted", renew: false }]);
  const loaded = page.waitForEvent("framenavigated", (frame) => frame.url().startsWith(FOREIGN));
  await page.evaluate((origin) => {
    const frame = document.createElement("iframe");
    frame.src = `${origin}/`;
    document.body.append(frame);
  }, FOREIGN);
  await loaded;
  const give = (token: unknown) =>
    page.evaluate(([given, origin]) => frames[0]?.postMessage(given, String(origin)), [
      { type: "managed-tables:token", token },
      here,
    ] as const);
  await give(1); // no token
  await give(new Company(["managed-tables:*"], company.id, -60).token);
  const renewals = async () => (await heard()).filter(([, data]) => "renew" in data && data.renew === true);
  await expect.poll(renewals, "one for all that were refused").toHaveLength(1);
  await give(company.token);
  const framed = page.frameLocator("iframe").first();
  await expect(framed.getByRole("heading", { name: "Tabelas" })).toBeVisible();
  await framed.getByRole("link", { name: "Envios" }).click();
  await expect.poll(heard).toContainEqual([here, { type: "managed-tables:navigated", path: "/envios" }]);
  expect(sent.filter((one) => one.includes("evil"))).toEqual([]);
  await page.evaluate((origin) => frames[0]?.postMessage({ type: "managed-tables:signed-out" }, origin), here);
  await expect(framed.getByText("Você saiu")).toBeVisible();
});

test("no other page may frame it, and the answer has the template's headers", async ({ page, context }) => {
  const here = new URL(process.env["CONSOLE_URL"] ?? "").origin;
  const { headers } = await page.request.get("/").then((answer) => ({ headers: answer.headers() }));
  const policy = headers["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).not.toContain("unsafe-inline");
  expect(policy).toContain(`frame-ancestors ${HOST}`);
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["referrer-policy"]).toBe("no-referrer");
  const outside = await context.newPage(); // `page` is watched, and this is to be refused
  const refusal = outside.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await answerWith(outside, FOREIGN, framing(`${here}/`));
  await outside.goto(`${FOREIGN}/`);
  await refusal;
  await expect(outside.frameLocator("iframe").getByText("Tabelas")).toHaveCount(0);
});

test("a token in the address counts, and outlives a reload, only where the deployment says so; a newer one replaces it", async ({
  page,
  company,
}) => {
  const table = await company.table("vencido", ["nome:text"], [{ nome: "a" }]);
  const old = new Company(["managed-tables:*"], company.id, -60);
  await page.goto(`/tabelas/${table}#token=${old.token}`);
  await expect(page.getByRole("alert")).toContainText("O seu acesso venceu");
  await page.evaluate((token) => {
    location.hash = `token=${token}`;
  }, company.token);
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByRole("gridcell", { name: "a", exact: true })).toBeVisible();
  expect(page.url()).not.toContain(company.token);
  await page.reload(); // the tab keeps the newer one, and no other tab has it
  await expect(page.getByRole("gridcell", { name: "a", exact: true })).toBeVisible();
  const another = await page.context().newPage();
  await another.goto("/");
  await expect(another.getByText("Abra esta página pelo endereço que você recebeu")).toBeVisible();
  await another.close();

  let said: object = { tokenInTab: false };
  await page.route("**/config.json", async (route) => {
    const config = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...config, ...said } });
  });
  await page.reload(); // what was kept before does not count either
  await expect(page.getByText("Abra esta página pelo endereço que você recebeu")).toBeVisible();
  await page.goto(`/tabelas/${table}#token=${company.token}`); // by which the browser alone would load nothing
  await expect(page.getByRole("gridcell", { name: "a", exact: true })).toBeVisible();

  said = { tokenInAddress: false };
  await page.goto(`/#token=${company.token}`);
  await page.reload();
  await page.goto(`/enviar#token=${company.token}`);
  await expect(page.getByText("Abra esta página pelo sistema da sua empresa")).toBeVisible();
});

test("an address of another company or person takes away what is shown", async ({ page, company, visit }) => {
  await company.table("so_desta", ["nome:text"]);
  const other = new Company();
  await other.call("POST", "/provision");
  await visit("/");
  await expect(page.getByText("so_desta")).toBeVisible();
  await page.evaluate((token) => {
    location.hash = `token=${token}`;
  }, other.token);
  await expect(page.getByText("Nenhuma tabela ainda")).toBeVisible();
  await expect(page.getByText("so_desta")).toHaveCount(0);
  expect(page.url()).not.toContain("token");
  await page.goBack(); // to what was the first person's page
  await expect(page.getByText("Nenhuma tabela ainda")).toBeVisible();

  const colleague = new Company(undefined, other.id, undefined, "1".repeat(24));
  await page.evaluate((token) => {
    document.title = "dela";
    location.hash = `token=${token}`;
  }, colleague.token);
  await expect(page).not.toHaveTitle("dela"); // what waits of one person is not saved as another's
  await expect(page.getByText("Nenhuma tabela ainda")).toBeVisible();

  await page.getByRole("link", { name: "Criar tabela" }).first().click();
  await page.getByLabel("Título", { exact: true }).fill("Minha");
  const question = page.waitForEvent("dialog");
  await page.evaluate((token) => {
    location.hash = `token=${token}`;
  }, other.token);
  await (await question).dismiss(); // whoever stays keeps what is written, and the address no token
  await expect(page.getByLabel("Título", { exact: true })).toHaveValue("Minha");
  expect(page.url()).not.toContain("token");
});
