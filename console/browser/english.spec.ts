// English beside Portuguese: by the browser's languages, by the switch, and in each call.

import { expect, expectAccessible, loadedKiB, test } from "./support.ts";

const SALES = ["Pedido;Valor;Data;Pago", "1;1.234,50;31/12/2025;sim", "2;10,00;01/04/2025;não"].join("\n");

test("a browser that asks for Portuguese loads no English, and the switch is remembered", async ({ page, visit }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/managed-tables")) asked.push(request.headers()["accept-language"] ?? "");
  });
  await visit("/");
  await expect(page.getByRole("heading", { name: "Tabelas" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "pt-BR");
  expect(asked.every((one) => one === "pt-BR")).toBe(true);
  expect(await loadedKiB(page)).toBeLessThan(130);
  asked.length = 0;
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { name: "Tables" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect.poll(() => asked.includes("en")).toBe(true); // what the list asked before the switch may come still
  expect(asked.slice(asked.indexOf("en")).every((one) => one === "en")).toBe(true);
  await page.goto("about:blank");
  await visit("/");
  await expect(page.getByRole("heading", { name: "Tables" })).toBeVisible();
  await page.getByRole("button", { name: "Português" }).click();
  await expect(page.getByRole("heading", { name: "Tabelas" })).toBeVisible();
});

test("a browser that asks for English gets it, while cells stay as the company writes them", async ({
  browser,
  company,
  visit,
}) => {
  const table = await company.load("sales.csv", SALES);
  const job = await company.upload("next.csv", SALES);
  await company.reach(job, "waiting_confirm");
  const context = await browser.newContext({ locale: "en-US", timezoneId: "America/Sao_Paulo" });
  const page = await context.newPage();
  await visit(`/tabelas/${table}`, page);
  await expect(page.getByRole("gridcell", { name: "1.234,50" })).toBeVisible();
  await expect(page.getByRole("gridcell", { name: "31/12/2025" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Upload a file" }).or(page.getByText("2 rows")).first()).toBeVisible();
  expect(await loadedKiB(page), "with English").toBeLessThan(170);
  await expectAccessible(page);
  await visit(`/envios/${job}`, page);
  await expect(page.getByRole("button", { name: /^Import 2 rows into/ })).toBeVisible();
  for (const path of [
    "/",
    "/envios",
    "/nova",
    "/enviar",
    "/acesso",
    "/exportados",
    `/tabelas/${table}`,
    `/envios/${job}`,
  ]) {
    await visit(path, page);
    await expect(page.locator("main")).not.toContainText(/Carregando|Loading/);
    const text = (await page.locator(".mt").textContent()) ?? "";
    expect(text.match(/\b(de|não|uma?|linhas?|colunas?|tabelas?|enviar|com|para|arquivos?)\b/gi) ?? [], path).toEqual(
      [],
    );
  }
  await context.close();
});
