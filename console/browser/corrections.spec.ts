import type { Page } from "@playwright/test";
import { test as alone, type Company, expect, expectAccessible, type Json } from "./support.ts";

const test = alone.extend({ isLent: true });
const ROWS = ["SP;1,50", "RJ;2,25", "MG;3,75"];

/** A table of states and values with a rule, and a job whose file has wrong ones. */
async function waiting(company: Company, name: string, ...wrong: string[]): Promise<[table: string, job: string]> {
  const table = await company.table(name, ["uf:text", "valor:decimal"]);
  const rules = [{ id: "r_uf", kind: "list", columns: ["uf"], values: ["SP", "RJ", "MG"] }];
  await company.call("PATCH", `/${table}`, { rules });
  return [table, await again(company, table, ...wrong)];
}

function again(company: Company, table: string, ...wrong: string[]): Promise<string> {
  const lines = ["uf;valor", ...Array.from({ length: 12 }, (_, n) => ROWS[n % 3]), ...wrong];
  return company.upload("vendas.csv", `${lines.join("\n")}\n`, table);
}

const panel = (page: Page) => page.getByRole("region", { name: /^Corrigir/ });

test("wrong values are put right in the review, each once, and next month by themselves", async ({
  page,
  company,
  visit,
}) => {
  const bad = [...Array.from({ length: 4 }, () => "sp.;58 RC"), "RJ;12.5", "MGX;7"];
  const [table, job] = await waiting(company, "consertos", ...bad);
  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: "Corrigir valores" }).click();
  const values = panel(page).getByRole("listitem");
  await expect(values).toHaveCount(4);
  await expect(values.first()).toContainText("uf: “sp.” 4 células");
  await expectAccessible(page);
  await values.first().getByRole("button", { name: "linha 14" }).click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("sp.");
  await values.first().getByRole("textbox").press("Enter"); // the suggestion
  await expect(values.first()).toContainText("→ “SP”");
  const second = values.nth(1).getByRole("textbox");
  await expect(second).toBeFocused();
  await second.fill("58 R");
  await expect(values.nth(1)).toContainText("não é um número");
  await second.press("Enter");
  await expect(second).toHaveValue("58 R"); // it does not fit
  await second.fill("58,50");
  await second.press("Enter");
  await values.nth(2).getByRole("button", { name: "12,5" }).click();
  await expect(values.nth(2)).toContainText("→ “12,5”");
  await values.nth(3).getByRole("textbox").press("ControlOrMeta+z");
  await expect(values.nth(2).getByRole("textbox")).toBeVisible(); // taken back
  await values.nth(2).getByRole("button", { name: "12,5" }).click();
  await panel(page).getByRole("button", { name: "Mostrar o que falta" }).click();
  await expect(values).toHaveCount(1);
  await values.getByRole("textbox").fill("BA"); // no state of the list
  await values.getByRole("textbox").press("Enter");
  await expect(values).toContainText("não é um dos valores da lista");
  await values.getByRole("button", { name: "Desfazer" }).click();
  await values.getByRole("button", { name: "Deixar de fora" }).click();
  await panel(page).getByRole("button", { name: "Fechar" }).click();
  await expect(page.getByRole("button", { name: "Corrigir valores (3 consertos)" })).toBeVisible();
  await page.getByRole("button", { name: /^Acrescentar 17 linhas/ }).click();
  await expect(page.getByText("17 linhas").first()).toBeVisible();
  const done = await company.call("GET", `/upload-jobs/${job}`);
  await expect.poll(async () => (await company.call("GET", `/upload-jobs/${job}`))["status"]).toBe("done");
  expect(done["draft"]).toMatchObject({ repairs: [{ from: "sp." }, { from: "58 RC" }, { from: "12.5" }] });
  const result = (await company.call("GET", `/upload-jobs/${job}`))["result"] as Json;
  expect(result).toMatchObject({ inserted: 17, rejected: 1, repaired: 9 });

  await visit(`/envios/${await again(company, table, "sp.;58 RC", "MGX;1")}`);
  await page.getByRole("button", { name: "Corrigir valores" }).click();
  await expect(values).toHaveCount(1); // the others are remembered
  await expect(values).toContainText("MGX");
  await values.getByRole("textbox").fill("MG");
  await values.getByRole("textbox").press("Enter");
  await panel(page).getByRole("button", { name: "Fechar" }).click();
  await page.getByRole("button", { name: /^Acrescentar 14 linhas/ }).click();
  await expect(page.getByText("14 linhas").first()).toBeVisible();
});

test("texts that are alike become the commonest one", async ({ page, company, visit }) => {
  const lines = [...Array.from({ length: 5 }, () => "São Paulo;1"), "SAO PAULO;2", "paulo, são;3", "Rio;4"];
  const job = await company.upload("cidades_escritas.csv", `cidade;valor\n${lines.join("\n")}\n`);
  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: "Corrigir valores" }).click();
  await expect(panel(page)).toContainText("Nada a corrigir");
  await panel(page).getByLabel("O que corrigir").selectOption("alike");
  const values = panel(page).getByRole("listitem");
  await expect(values).toHaveCount(2);
  await values.first().getByRole("button", { name: "São Paulo" }).click();
  await values.nth(1).getByRole("button", { name: "São Paulo" }).click();
  await panel(page).getByRole("button", { name: "Fechar" }).click();
  await page.getByRole("button", { name: /^Importar 8 linhas/ }).click();
  await expect.poll(async () => (await company.call("GET", `/upload-jobs/${job}`))["status"]).toBe("done");
  const { user_table_id: table } = await company.call("GET", `/upload-jobs/${job}`);
  const rows = (await company.call("GET", `/${table}/data`))["records"] as Json[];
  expect(rows.map(({ cidade }) => cidade)).toEqual([...Array.from({ length: 7 }, () => "São Paulo"), "Rio"]);
});
