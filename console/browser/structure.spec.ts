import type { Route } from "@playwright/test";
import { test as alone, cell, column, drop, expect, expectAccessible, isAsked, lose, loseSave } from "./support.ts";

const test = alone.extend({ isLent: true });

test("a table is made by hand, its name after its title, with a description and a key", async ({
  page,
  company,
  visit,
}) => {
  await visit("/nova");
  await page.getByLabel("Título", { exact: true }).fill("Preço Médio");
  await expect(page.getByLabel("Nome da tabela")).toHaveValue("preco_medio");
  await page.getByLabel("Descrição").first().fill("De todos os meses");
  await page.getByLabel("Nome para as pessoas").fill("Mês");
  await page.getByLabel("Chave").selectOption("mes");
  await page.getByLabel("Nome no banco").fill("competencia"); // the key follows
  await page.getByRole("button", { name: "Acrescentar coluna" }).click();
  await page.getByLabel("Nome para as pessoas").last().fill("Valor");
  await page.getByLabel("Tipo").last().selectOption("decimal");
  await page.getByLabel("Nome da tabela").fill("preço médio");
  await page.getByRole("button", { name: "Criar tabela" }).press("Enter");
  await expect(page.getByRole("alert")).toContainText("preço médio");
  await expect(page.getByRole("button", { name: "Criar tabela" })).toBeFocused();
  await page.getByLabel("Nome da tabela").fill("preco_medio");
  await page.route(/managed-tables(\?.*)?$/, lose, { times: 2 }); // it is made, which neither answer says
  await page.getByRole("button", { name: "Criar tabela" }).click();
  await expect(page.getByRole("alert")).toContainText("Sem conexão");
  await page.getByRole("button", { name: "Criar tabela" }).click(); // and is not told to have a name that is taken
  await expect(page.getByRole("heading", { name: "Preço Médio" })).toBeVisible();
  const { records } = await company.call("GET", "?search=preco_medio");
  expect(records).toEqual([
    expect.objectContaining({
      title: "Preço Médio",
      description: "De todos os meses",
      key: ["competencia"],
      columns: [
        expect.objectContaining({ name: "competencia", display_name: "Mês", type: "text", nullable: true }),
        expect.objectContaining({ name: "valor", display_name: "Valor", type: "decimal", nullable: true }),
      ],
    }),
  ]);
});

test("a column that is renamed without an answer is what the view filters by", async ({ page, company, visit }) => {
  const table = await company.table("apelidos", ["nome:text"], [{ nome: "a" }, { nome: "b" }]);
  await visit(`/tabelas/${table}?where={"column":"nome","op":"eq","value":"b"}`);
  await page.getByRole("button", { name: "Opções da coluna nome" }).click();
  await page.getByText("Mudar nome, tipo ou descrição").click();
  await page.getByLabel("Nome no banco").fill("apelido");
  await page.route(`**/${table}`, loseSave);
  await page.getByRole("button", { name: "Gravar a coluna" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Tirar o filtro nome é igual a b" })).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(page.getByText("1 linha de 2")).toBeVisible();
  expect(decodeURIComponent(page.url())).toContain('"column":"apelido"');

  await visit(`/tabelas/${table}?where={"column":"nome","op":"eq","value":"b"}`); // a link from before
  await expect(page.getByRole("alert")).toContainText(/^\s*Isto não serve\s*"nome" a tabela não tem esta coluna/);
});

test("a column that was taken out comes back with its values", async ({ page, company, visit }) => {
  const table = await company.table("tirada", ["nome:text", "valor:decimal"], [{ nome: "a", valor: "1.5" }]);
  await visit(`/tabelas/${table}/estrutura`);
  await page.getByRole("button", { name: "Tirar a coluna valor" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Tirar a coluna" }).click();
  await page.getByRole("button", { name: "Gravar", exact: true }).click();
  await page.getByRole("button", { name: "Trazer de volta valor" }).click();
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Trazer de volta" }).click();
  await expect(page.getByRole("heading", { name: "Colunas tiradas" })).toHaveCount(0);
  await page.getByRole("link", { name: "Ver as linhas" }).click();
  await expect(cell(page, 1, 2)).toHaveText("1,5");
});

test("what is written of a structure stays, whatever a colleague does to the table meanwhile", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("escrita", ["nome:text", "valor:decimal", "nota:text"]);
  await company.call("PUT", `/${table}`, { columns: ["nome", "valor"].map((name) => column(name)) });
  await visit(`/tabelas/${table}`);
  await page.getByRole("link", { name: "Estrutura" }).click();
  await page.getByLabel("Título", { exact: true }).fill("Minha");
  await company.call("PUT", `/${table}`, { title: "Dela" });
  await page.getByRole("button", { name: "Tirar a coluna valor" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Tirar a coluna" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByLabel("Título", { exact: true })).toHaveValue("Minha");
  await page.route(`**/${table}`, (route) => route.fulfill({ status: 500, json: {} })); // asked for again in vain
  await page.getByRole("button", { name: "Trazer de volta nota" }).click();
  const failed = page.waitForResponse((answer) => answer.status() === 500);
  await page.getByRole("dialog").getByRole("button", { name: "Trazer de volta" }).click();
  await failed;
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("alert")).toContainText("500"); // so that nobody takes it for the table as it is
  await expect(page.getByLabel("Título", { exact: true })).toHaveValue("Minha");
  await page.unroute(`**/${table}`);
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByLabel("Título", { exact: true })).toHaveValue("Dela");

  const ofTable = `**/${table}`;
  await page.getByLabel("Nome no banco").first().fill("nome_todo");
  await page.route(ofTable, loseSave);
  await page.getByRole("button", { name: "Gravar", exact: true }).click();
  await expect(page.getByRole("status").last()).toHaveText("Estrutura gravada"); // by this page, and by nobody else
  expect(await isAsked(page)).toBe(false);
  await page.unroute(ofTable);

  await page.getByLabel("Descrição", { exact: true }).first().fill("Minha");
  await company.call("PUT", `/${table}`, { title: "Outra" });
  await page.getByRole("button", { name: "Gravar", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("alterada por outra pessoa");
  await page.getByRole("button", { name: "Tentar de novo" }).click(); // with the table as it is now
  await page.getByRole("dialog").getByRole("button", { name: "Ficar nesta página" }).click();
  const refuseDeletion = (route: Route) =>
    route.request().method() === "DELETE" ? route.fulfill({ status: 500, json: {} }) : route.continue();
  await page.route(ofTable, refuseDeletion);
  await page.getByRole("button", { name: "Apagar tabela" }).click();
  const asked = page.waitForResponse((answer) => answer.request().method() === "GET" && answer.url().endsWith(table));
  await page.getByRole("dialog").getByRole("button", { name: "Apagar tabela" }).click();
  await asked; // what failed may be done all the same
  await page.getByRole("dialog").getByRole("button", { name: "Manter" }).click();
  await expect(page.getByLabel("Descrição", { exact: true }).first()).toHaveValue("Minha");
  expect(await isAsked(page)).toBe(true);
  for (const away of [
    () => page.getByRole("link", { name: "Envios" }).click(),
    () => page.getByRole("button", { name: "English" }).click(),
    () => page.evaluate(() => history.back()),
    () => drop(page, "por_cima.csv"),
  ]) {
    await away();
    await page.getByRole("dialog").getByRole("button", { name: "Ficar nesta página" }).click();
    await expect(page.getByLabel("Descrição", { exact: true }).first()).toHaveValue("Minha");
  }
  await page.route("**/assets/english-*", (route) => route.abort());
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sair sem gravar" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("Tente de novo"); // it did not come
  await page.getByRole("dialog").getByRole("button", { name: "Ficar nesta página" }).click();
  expect(await isAsked(page)).toBe(true);
  await page.getByLabel("Descrição", { exact: true }).first().press("End"); // a page that nobody touches cannot hold a browser back
  await page.evaluate(() => history.back());
  await page.getByRole("dialog").getByRole("button", { name: "Sair sem gravar" }).click();
  await expect(page.getByRole("grid")).toBeVisible();
  expect(await isAsked(page)).toBe(false);
});

test("a column gets another name, type and description from its head, a day from a calendar, and rows more room", async ({
  page,
  company,
  visit,
}) => {
  const rows = [{ quando: "2025-01-01", valor: "1", texto: "um\ndois" }];
  const table = await company.table("cabeca", ["quando:date", "valor:decimal", "texto:text"], rows);
  const seen = 'where={"and":[{"column":"valor","op":"gte","value":"1"}]}&columns=[{"name":"valor","width":300}]';
  await visit(`/tabelas/${table}?${seen}&sort=["-valor"]&totals={"valor":"sum"}`);
  await page.getByRole("button", { name: "Opções da coluna valor" }).click();
  const menu = page.getByRole("dialog", { name: "valor" });
  await menu.getByLabel("Mostrar os números como").selectOption("BRL");
  await expect(cell(page, 1, 2)).toHaveText("R$ 1,00");
  await menu.getByText("Mudar nome, tipo ou descrição").click();
  await menu.getByLabel("Nome para as pessoas").fill("Valor pago");
  await menu.getByLabel("Descrição").fill("Com impostos");
  await expectAccessible(page);
  await menu.getByRole("button", { name: "Gravar a coluna" }).click();
  await expect(page.getByRole("columnheader", { name: "Valor pago" })).toBeVisible();
  const change = { display_name: "Valor pago", description: "Com impostos", format: { currency: "BRL" } };
  expect(((await company.call("GET", `/${table}`))["columns"] as object[])[1]).toMatchObject({
    name: "valor",
    ...change,
  });
  await page.getByRole("button", { name: "Opções da coluna Valor pago" }).click();
  const again = page.getByRole("dialog", { name: "Valor pago" });
  await again.getByText("Mudar nome, tipo ou descrição").click();
  await again.getByLabel("Descrição").fill("");
  await again.getByRole("button", { name: "Gravar a coluna" }).click();
  await expect(again).toHaveCount(0);
  const [, paid] = (await company.call("GET", `/${table}`))["columns"] as object[];
  expect(paid).toMatchObject({ display_name: "Valor pago", format: { currency: "BRL" } });
  expect(paid).not.toHaveProperty("description");

  await page.getByRole("button", { name: "Opções da coluna Valor pago" }).click();
  await again.getByText("Mudar nome, tipo ou descrição").click();
  await again.getByLabel("Nome no banco").fill("pago");
  await again.getByRole("button", { name: "Gravar a coluna" }).click();
  await expect(page).toHaveURL(/sort=%5B%22-pago/);
  const followed = new URL(page.url()).searchParams;
  expect(["where", "columns", "totals"].map((part) => JSON.parse(followed.get(part) ?? ""))).toEqual([
    { and: [{ column: "pago", op: "gte", value: "1" }] },
    [{ name: "pago", width: 300 }],
    { pago: "sum" },
  ]);
  await expect(cell(page, 1, 2)).toHaveText("R$ 1,00");

  await cell(page, 1, 1).click();
  await page.keyboard.press("Enter");
  await page.getByLabel("Calendário").fill("2025-12-31");
  await expect(page.getByRole("textbox", { name: "quando" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveText("31/12/2025");
  const stored = async () => (await company.call("GET", `/${table}/data`))["records"];
  await expect.poll(stored).toMatchObject([{ quando: "2025-12-31" }]);

  await expect(cell(page, 1, 3)).toHaveText("um ↵ dois");
  await page.getByLabel("Altura das linhas").selectOption("Linhas médias");
  await expect(cell(page, 1, 3)).toHaveText("um\ndois");
  expect((await cell(page, 1, 3).boundingBox())?.height).toBe(64);
  await page.getByRole("button", { name: "Gravar visão" }).click();
  await page.getByLabel("Nome da visão").fill("Altas");
  await page.getByRole("dialog").getByRole("button", { name: "Gravar", exact: true }).click();
  await expect(page).toHaveURL(/visao=/);
  expect((await company.call("GET", `/${table}/views`))["records"]).toMatchObject([{ row_height: 64 }]);
});
