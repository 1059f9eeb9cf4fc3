import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./support.ts";

const EXACT = {
  cep: "01821426",
  inteiro: "9007199254740993",
  longo: "123456789012345678901234567890.5",
  dia: "2025-12-31",
};
const RAW = ["01821426", "9007199254740993", "123456789012345678901234567890,5", "31/12/2025"];
const SHOWN = ["01821426", "9.007.199.254.740.993", "123.456.789.012.345.678.901.234.567.890,5", "31/12/2025"];

const SLOW_3G = { offline: false, latency: 2_000, downloadThroughput: 50_000, uploadThroughput: 50_000 };

function cell(page: Page, row: number, column: number) {
  return page.locator(`[role="row"][aria-rowindex="${row + 1}"] [role="gridcell"][aria-colindex="${column + 1}"]`);
}

test("every digit of a file is shown in the review and in the grid, and comes back in an export", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("digitos.csv", `CEP;Inteiro;Longo;Dia\n${RAW.join(";")}\n`);
  await visit(`/envios/${job}`);
  for (const text of RAW) await expect(page.locator(".mt-preview")).toContainText(text);
  await page.getByRole("button", { name: "Importar 1 linha", exact: true }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  for (const [index, text] of SHOWN.entries()) await expect(cell(page, 1, index + 1)).toHaveText(text);
  await page.getByRole("button", { name: "Exportar" }).click();
  await page.getByLabel("CSV para Excel no Brasil").check();
  await page.getByRole("button", { name: "Preparar arquivo" }).click();
  const address = await page.getByRole("link", { name: /Baixar/ }).getAttribute("href");
  expect(await (await fetch(address ?? "")).text()).toContain(RAW.join(";"));
});

test("every digit is shown, and survives an edit", async ({ page, company, visit }) => {
  const table = await company.table("exatos", ["cep:text", "inteiro:integer", "longo:decimal", "dia:date"], [EXACT]);
  await visit(`/tabelas/${table}`);
  for (const [index, text] of SHOWN.entries()) await expect(cell(page, 1, index + 1)).toHaveText(text);
  await cell(page, 1, 1).click();
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type("9");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveText("018214269");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const rows = await company.call("GET", `/${table}/data?numbers=string`);
  expect((rows["records"] as object[])[0]).toMatchObject({ ...EXACT, cep: "018214269" });
  await expect(cell(page, 1, 2)).toHaveText("9.007.199.254.740.993");
});

test("a value that does not fit is refused at its cell, and kept", async ({ page, company, visit }) => {
  const table = await company.table("recusa", ["valor:decimal"], [{ valor: "1.5" }]);
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.keyboard.type("abc");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveText("abc");
  await expect(cell(page, 1, 1)).toHaveAttribute("aria-invalid", "true");
  await expect(cell(page, 1, 1)).toHaveAttribute("aria-description", /não é um número/);
  const rows = await company.call("GET", `/${table}/data`);
  expect((rows["records"] as { valor: number }[])[0]?.valor).toBe(1.5);
});

test("two people edit one row, and none overwrites the other", async ({ page, browser, company, visit, watched }) => {
  const table = await company.table("dupla", ["nome:text", "valor:integer"], [{ nome: "antes", valor: "1" }]);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 1, 1)).toHaveText("antes");
  const colleague = await browser.newPage();
  await visit(`/tabelas/${table}`, colleague);
  await cell(colleague, 1, 1).click();
  await colleague.keyboard.type("dela");
  await colleague.keyboard.press("Enter");
  await expect(colleague.getByRole("status").last()).toHaveText("Gravado");

  await cell(page, 1, 1).click();
  await page.keyboard.type("minha");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta linha" });
  await expect(dialog).toContainText("dela");
  await expect(dialog).toContainText("minha");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Usar a dela" }).click();
  await expect(cell(page, 1, 1)).toHaveText("dela");

  await cell(colleague, 1, 1).click();
  await colleague.keyboard.type("outra");
  await colleague.keyboard.press("Enter");
  await expect(cell(colleague, 1, 1)).toHaveText("outra");
  await cell(page, 1, 1).click();
  await page.keyboard.type("final");
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Gravar a minha" }).click();
  await expect(cell(page, 1, 1)).toHaveText("final");
  await expect(cell(page, 1, 1)).not.toHaveClass(/saving/);
  const rows = await company.call("GET", `/${table}/data`);
  expect((rows["records"] as { nome: string }[])[0]?.nome).toBe("final");
  expect(watched.faults).toEqual([]);
  await colleague.close();
});

test("a filter is typed in Brazilian, kept in the address, and the last one wins", async ({ page, company, visit }) => {
  const rows = Array.from({ length: 300 }, (_, index) => ({
    nome: index % 2 ? "São Paulo" : "Goiânia",
    valor: `${index}.5`,
  }));
  const table = await company.table("filtros", ["nome:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}`);
  await expect(page.getByText("300 linhas").first()).toBeVisible();
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", SLOW_3G);
  const search = page.getByRole("searchbox", { name: "Procurar nas linhas" });
  await search.fill("goiania");
  await page.waitForRequest(/q=goiania/);
  await search.fill("sao paulo");
  await expect(page.getByText("150 linhas de 300")).toBeVisible();
  await expect(cell(page, 1, 1)).toHaveText("São Paulo");
  await network.send("Network.emulateNetworkConditions", {
    ...SLOW_3G,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
  await page.getByRole("button", { name: "Filtrar" }).click();
  const dialog = page.getByRole("dialog", { name: "Filtrar" });
  await dialog.getByLabel("Coluna").selectOption("valor");
  await dialog.getByLabel("Condição").selectOption("gte");
  await dialog.getByLabel("Valor").fill("289,5");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Aplicar" }).click();
  await expect(page.getByText("6 linhas de 300")).toBeVisible();
  const address = new URL(page.url());
  await visit(address.pathname + address.search);
  await expect(page.getByText("6 linhas de 300")).toBeVisible();
  await expect(cell(page, 1, 2)).toHaveText("289,5");
});

test("sorts, totals, new rows and deletions", async ({ page, company, visit }) => {
  const table = await company.table(
    "somas",
    ["nome:text", "valor:decimal"],
    [
      { nome: "b", valor: "10.25" },
      { nome: "a", valor: "0.1" },
    ],
  );
  await visit(`/tabelas/${table}`);
  await expect(page.locator(".mt-grid-totals")).toContainText("10,35");
  await page.getByRole("columnheader", { name: "nome" }).click();
  await expect(cell(page, 1, 1)).toHaveText("a");
  await expect(page.getByRole("columnheader", { name: "nome" })).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("button", { name: "Nova linha" }).click();
  const dialog = page.getByRole("dialog", { name: "Nova linha" });
  await dialog.getByLabel("nome").fill("c");
  await dialog.getByLabel("valor").fill("1.000,05");
  await dialog.getByRole("button", { name: "Gravar" }).click();
  await expect(cell(page, 3, 2)).toHaveText("1.000,05");
  await page.locator('[role="row"][aria-rowindex="2"] [role="rowheader"]').click();
  await page.getByRole("button", { name: "Apagar 1 linha" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apagar 1 linha" }).click();
  await expect(cell(page, 1, 1)).toHaveText("b");
  await expectAccessible(page);
});

test("cells are copied and pasted as in a spreadsheet, and undone in one step", async ({
  page,
  company,
  visit,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const table = await company.table(
    "colar",
    ["nome:text", "valor:decimal"],
    [
      { nome: "um", valor: "1" },
      { nome: "dois", valor: "2" },
      { nome: "três", valor: "3" },
    ],
  );
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.evaluate(() => navigator.clipboard.writeText("quatro\t1.234,56\ncinco\t7"));
  await page.keyboard.press("Control+v");
  await expect(cell(page, 1, 2)).toHaveText("1.234,56");
  await expect(cell(page, 2, 1)).toHaveText("cinco");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await page.keyboard.press("Control+z");
  await expect(cell(page, 1, 2)).toHaveText("1");
  await expect(cell(page, 2, 1)).toHaveText("dois");

  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(page.locator('[role="gridcell"][aria-selected="true"]')).toHaveCount(4);
  await page.keyboard.press("Control+c");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("um\t1\ndois\t2");
  await cell(page, 2, 1).click();
  await cell(page, 3, 1).click({ modifiers: ["Shift"] });
  await page.keyboard.press("Delete");
  await expect(cell(page, 3, 1)).toHaveText("");
  await expect(cell(page, 2, 1)).not.toHaveClass(/saving/);
  await expect(cell(page, 3, 2)).toHaveText("3");
  const stored = async (): Promise<(string | null)[]> => {
    const rows = await company.call("GET", `/${table}/data`);
    return (rows["records"] as { nome: string | null }[]).map(({ nome }) => nome);
  };
  await expect.poll(stored).toEqual(["um", null, null]);
});

test("what a colleague wrote meanwhile is not undone", async ({ page, company, visit }) => {
  const table = await company.table("desfazer", ["nome:text"], [{ nome: "antes" }]);
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.keyboard.type("minha");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const [row] = (await company.call("GET", `/${table}/data`))["records"] as { id: string }[];
  await company.call("PUT", `/${table}/data/${row?.id ?? ""}`, { nome: "dela" });
  await page.keyboard.press("Control+z");
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta linha" });
  await expect(dialog).toContainText("dela");
  await dialog.getByRole("button", { name: "Usar a dela" }).click();
  await expect(cell(page, 1, 1)).toHaveText("dela");
});

test("a row that stops matching stays until the focus leaves it", async ({ page, company, visit }) => {
  const rows = ["a1", "a2", "a3"].map((nome) => ({ nome, valor: "1" }));
  const table = await company.table("fica", ["nome:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}?filter[nome][starts_with]=a`);
  await expect(page.getByText("3 linhas").first()).toBeVisible();
  await cell(page, 2, 1).click();
  await page.keyboard.type("z");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await expect(cell(page, 2, 1)).toHaveText("z");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByText("2 linhas de 3")).toBeVisible();
  await expect(cell(page, 2, 2)).toBeFocused(); // the row that had the focus, one up
  await expect(cell(page, 2, 1)).toHaveText("a3");
  await expect(page.locator(".mt-grid-totals")).toContainText("2");
});

test("a million rows: the last is one key away, and few are in the document", async ({ page, million }) => {
  await page.goto(`/tabelas/${million.table}#token=${million.company.token}`);
  await cell(page, 1, 1).click();
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/data?")) asked += 1;
  });
  const before = Date.now();
  await page.keyboard.press("Control+End");
  await expect(cell(page, 1_000_000, 2)).toHaveText("linha 1000000");
  const took = Date.now() - before;
  await expect(cell(page, 1_000_000, 2)).toBeFocused();
  expect(asked, "the rows in sight come in one answer, or in two").toBeLessThanOrEqual(2);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  expect(nodes).toBeLessThan(600);
  const grid = page.getByRole("grid");
  await grid.evaluate((element) => {
    element.scrollTop = element.scrollHeight / 2;
  });
  const firstRow = (): Promise<number> =>
    grid.evaluate((element) => {
      const top = element.getBoundingClientRect().top + 40;
      const rows = [...element.querySelectorAll<HTMLElement>(".mt-grid-data")];
      return Math.min(
        ...rows
          .filter((row) => row.getBoundingClientRect().bottom > top + 1)
          .map((row) => Number(row.ariaRowIndex ?? row.getAttribute("aria-rowindex"))),
      );
    });
  await expect.poll(firstRow, "the rows at the end have made room").toBeLessThan(510_000);
  await expect(page.locator('[role="gridcell"]:not(.mt-loading)').first()).toBeVisible();
  const at = await firstRow();
  expect(at).toBeGreaterThan(490_000);
  await grid.hover();
  await page.mouse.wheel(0, 96);
  await expect.poll(firstRow).toBe(at + 3);
  const heap = await heapMB(page);
  console.log(`Ctrl+End in ${took} ms, ${nodes} nodes, heap ${heap.toFixed(1)} MB`);
  expect(heap).toBeLessThan(60);
});

/** What the page's JavaScript holds after a collection. */
async function heapMB(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1_000_000;
}
