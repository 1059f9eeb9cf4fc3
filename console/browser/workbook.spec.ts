import type { Page } from "@playwright/test";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { test as alone, type Company, expect, expectAccessible, expectNoSidewaysScroll, type Json } from "./support.ts";

const test = alone.extend({ isLent: true });
const SHEET = "xl/worksheets/sheet1.xml";

/** Change texts of a workbook's rows, as who opens it in a program does. */
async function changed(url: string, texts: Readonly<Record<string, string>>): Promise<Buffer> {
  const files = unzipSync(new Uint8Array(await (await fetch(url)).arrayBuffer()));
  const names = Object.keys(files).filter((name) => name === SHEET || name === "xl/sharedStrings.xml");
  for (const name of names) {
    const before = strFromU8(files[name] as Uint8Array);
    const after = Object.entries(texts).reduce((text, [from, to]) => text.replace(`>${from}<`, `>${to}<`), before);
    files[name] = strToU8(after);
  }
  return Buffer.from(zipSync(files));
}

async function exported(page: Page, company: Company, table: string): Promise<string> {
  await page.getByRole("button", { name: "Exportar" }).click();
  await page.getByRole("radio", { name: /para editar/ }).check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Preparar arquivo" }).click();
  await expect(page.getByRole("link", { name: /^Baixar/ })).toBeVisible({ timeout: 30_000 });
  await page.keyboard.press("Escape");
  const { records } = await company.call("GET", `/${table}/exports`);
  return String((records as Json[])[0]?.["url"]);
}

const WIDE = [1280, 390] as const;

test("a workbook goes out for editing, and comes back cell by cell", async ({ page, company, visit }) => {
  const names = ["Ana", "Bia", "Caio", "Davi"];
  const rows = names.map((nome, n) => ({ nome, cidade: `Cidade ${n}`, valor: `${n}.50` }));
  const table = await company.table("planilha_de_volta", ["nome:text", "cidade:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}`);
  const book = await changed(await exported(page, company, table), {
    Ana: "Ana Maria",
    "Cidade 1": "Bauru",
    "Cidade 2": "Jundiaí",
  });
  const page1 = await company.call("GET", `/${table}/data`);
  const [, bia, caio, davi] = page1["records"] as Json[];
  const edit = (row: Json | undefined, values: Json) =>
    company.call("PATCH", `/${table}/data/${String(row?.["id"])}`, values);
  await edit(bia, { cidade: "Santos" });
  await edit(caio, { cidade: "Marília" });
  await edit(davi, { nome: "Davi Luiz" });

  await visit(`/enviar?tabela=${table}`);
  await expect(page.getByText(/De uma planilha exportada para editar/)).toBeVisible();
  const name = "planilha.xlsx";
  await page.getByLabel("Arquivos").setInputFiles({ name, mimeType: "application/octet-stream", buffer: book });
  await expect(page.getByText(/^Planilha exportada de/)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/1 linha muda \(1 célula\) · 1 fica como está/)).toBeVisible();
  const conflicts = page.getByRole("region", { name: "Mudadas dos dois lados" }).getByRole("row");
  await expect(conflicts).toHaveCount(3); // with the head
  await expect(conflicts.nth(1)).toContainText(/Cidade 1.*Santos.*Bauru/);
  const changes = page.getByRole("region", { name: "O que muda" }).getByRole("row");
  await expect(changes.nth(1)).toContainText(/nomeAnaAna Maria/);
  for (const width of WIDE) {
    await page.setViewportSize({ width, height: 844 });
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  }
  await page.setViewportSize({ width: 1280, height: 800 });

  const merge = page.getByRole("button", { name: /^Mesclar em/ });
  await merge.press("Enter");
  await expect(conflicts.nth(1).getByRole("radio").first()).toBeFocused(); // nothing is written yet
  await page.getByRole("button", { name: "Ficar com a tabela em todas" }).click();
  await conflicts.nth(1).getByRole("radio", { name: "Bauru" }).check();
  await merge.click();
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible({ timeout: 30_000 });
  const after = (await company.call("GET", `/${table}/data`))["records"] as Json[];
  expect(after.map((row) => [row["nome"], row["cidade"]])).toEqual([
    ["Ana Maria", "Cidade 0"],
    ["Bia", "Bauru"],
    ["Caio", "Marília"],
    ["Davi Luiz", "Cidade 3"],
  ]);
  await page.getByRole("button", { name: "Desfazer importação" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Desfazer importação" }).click();
  await expect(page.getByRole("heading", { name: "Importação desfeita" })).toBeVisible();
  const undone = (await company.call("GET", `/${table}/data`))["records"] as Json[];
  expect(undone.map((row) => row["cidade"])).toEqual(["Cidade 0", "Santos", "Marília", "Cidade 3"]);
});
