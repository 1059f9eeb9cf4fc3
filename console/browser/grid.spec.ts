import type { Page, Route } from "@playwright/test";
import { test as alone, Company, drop, expect, expectAccessible, isAsked, type Json } from "./support.ts";

const test = alone.extend({ isLent: true });

// With no route at all a page sends its requests past the check, and at first also past a route that is set up then.
alone.beforeEach(({ context }) => context.route("**/never", (route) => route.continue()));

const EXACT = {
  cep: "01821426",
  inteiro: "9007199254740993",
  longo: "123456789012345678901234567890.5",
  dia: "2025-12-31",
};
const RAW = ["01821426", "9007199254740993", "123456789012345678901234567890,5", "31/12/2025"];
const SHOWN = ["01821426", "9007199254740993", "123.456.789.012.345.678.901.234.567.890,5", "31/12/2025"];

const DIGITS = { inteiro: "9007199254740993", longo: "123456789012345678901234567890.5" };
const SLOW_3G = { offline: false, latency: 2_000, downloadThroughput: 50_000, uploadThroughput: 50_000 };

function cell(page: Page, row: number, column: number) {
  return page.locator(`[role="row"][aria-rowindex="${row + 1}"] [role="gridcell"][aria-colindex="${column + 1}"]`);
}

async function more(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Mais desta tabela" }).click();
  await page.getByRole("button", { name, exact: true }).click();
}

function column(name: string) {
  return { name, display_name: name, type: name === "valor" ? "decimal" : "text", nullable: true };
}

/** Have a request done, and its answer lost. */
async function lose(route: Route): Promise<void> {
  await route.fetch();
  await route.abort();
}

function loseSave(route: Route): Promise<void> {
  return route.request().method() === "PUT" ? lose(route) : route.continue();
}

/** Hold the next request to an address back until the function that is returned is called. */
async function holdNext(page: Page, url: RegExp | string): Promise<() => void> {
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

test("every digit of a file is shown in the review and in the grid, and comes back in an export", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("digitos.csv", `CEP;Inteiro;Longo;Dia\n${RAW.join(";")}\n`);
  await visit(`/envios/${job}`);
  for (const text of RAW) await expect(page.locator(".mt-preview")).toContainText(text);
  await page.getByRole("button", { name: /^Importar 1 linha/ }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  const shown = SHOWN.with(1, "9.007.199.254.740.993"); // no order, no year: the analysis proposes a thousands mark
  for (const [index, text] of shown.entries()) await expect(cell(page, 1, index + 1)).toHaveText(text);
  await page.getByRole("button", { name: "Exportar" }).click();
  await page.getByLabel("CSV para Excel no Brasil").check();
  await page.getByRole("button", { name: "Preparar arquivo" }).click();
  const address = await page.getByRole("link", { name: /Baixar/ }).getAttribute("href");
  expect(await (await fetch(address ?? "")).text()).toContain(RAW.join(";"));
});

test("every digit is shown, and survives an edit, which waits for the network", async ({
  page,
  company,
  visit,
  context,
}) => {
  const table = await company.table("exatos", ["cep:text", "inteiro:integer", "longo:decimal", "dia:date"], [EXACT]);
  await visit(`/tabelas/${table}`);
  for (const [index, text] of SHOWN.entries()) await expect(cell(page, 1, index + 1)).toHaveText(text);
  await cell(page, 1, 1).click();
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type("9");
  await context.setOffline(true);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").last()).toContainText("Tentar de novo");
  await page.getByRole("link", { name: "Tabelas" }).click(); // where it goes on waiting
  expect(await isAsked(page)).toBe(true);
  await context.setOffline(false);
  await expect.poll(() => isAsked(page)).toBe(false);
  await page.goBack();
  await expect(cell(page, 1, 1)).toHaveText("018214269");
  await expect(page.getByRole("alert")).toHaveCount(0);
  const rows = await company.call("GET", `/${table}/data?numbers=string`);
  expect((rows["records"] as object[])[0]).toMatchObject({ ...EXACT, cep: "018214269" });
  await expect(cell(page, 1, 2)).toHaveText("9007199254740993");
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

/** Have a page take itself for hidden: it asks for nothing, and is behind its colleagues. */
async function fallBehind(page: Page): Promise<void> {
  await page.addInitScript(() => Object.defineProperty(document, "visibilityState", { get: () => "hidden" }));
}

alone("two people edit one row, and none overwrites the other", async ({ page, browser, company, visit, watched }) => {
  await fallBehind(page);
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
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" });
  await expect(dialog).toContainText("dela");
  await expect(dialog).toContainText("minha");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Usar a dela" }).click();
  await expect(cell(page, 1, 1)).toHaveText("dela");

  await cell(colleague, 1, 1).click();
  await colleague.keyboard.type("outra");
  await colleague.keyboard.press("Enter");
  await expect(cell(colleague, 1, 1)).toHaveText("outra");
  await expect(cell(colleague, 1, 1)).not.toHaveClass(/saving/); // else mine may come first
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

alone("cells that colleagues changed, too, are asked about one after the other", async ({ page, company, visit }) => {
  await fallBehind(page);
  const table = await company.table("ambas", ["nome:text"], [{ nome: "a" }, { nome: "b" }]);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 2, 1)).toHaveText("b");
  const stored = async () => (await company.call("GET", `/${table}/data`))["records"] as { id: string; nome: string }[];
  for (const { id } of await stored()) await company.call("PUT", `/${table}/data/${id}`, { nome: "dela" });
  const isWritten = async (route: Route): Promise<void> => {
    await expect(cell(page, 2, 1)).toHaveText("minha 2"); // before the first one is answered
    await route.continue();
  };
  await page.route(/\/data\/[0-9a-f-]{36}\?/, isWritten, { times: 1 });
  await cell(page, 1, 1).click();
  for (const text of ["minha 1", "minha 2"]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
  }
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" });
  await expect(dialog).toContainText("minha 1");
  await dialog.getByRole("button", { name: "Gravar a minha" }).click();
  await expect(dialog).toContainText("minha 2");
  await dialog.getByRole("button", { name: "Usar a dela" }).click();
  await expect.poll(async () => (await stored()).map(({ nome }) => nome)).toEqual(["minha 1", "dela"]);
  await expect.poll(() => isAsked(page)).toBe(false);
});

test("what is said again is said, and shown, again", async ({ page, company, visit }) => {
  await visit(`/tabelas/${await company.table("dito", ["nome:text"], [{ nome: "a" }])}`);
  const said = page.getByRole("status").last();
  await cell(page, 1, 1).click();
  for (const text of ["b", "c"]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await expect(said).toHaveText("Gravado");
    await expect(said.locator("span")).toHaveCSS("opacity", "1");
    await expect(said.locator("span")).toHaveCSS("opacity", "0"); // it leaves after some seconds
    await page.keyboard.press("ArrowUp");
  }
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
  const asked = page.waitForRequest(/data\/query/);
  await search.fill("goiania");
  await asked;
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
  await page.goto("about:blank");
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
  await page.getByLabel("Rodapé de valor").selectOption("sum");
  await expect(page.locator(".mt-foot-value").last()).toHaveText("10,35");
  await page.getByRole("columnheader", { name: "nome" }).click();
  await expect(cell(page, 1, 1)).toHaveText("a");
  await expect(page.getByRole("columnheader", { name: "nome" })).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("button", { name: "Nova linha" }).click();
  const dialog = page.getByRole("dialog", { name: "Nova linha" });
  await dialog.getByLabel("nome").fill("c");
  await dialog.getByLabel("valor").fill("1.000,05");
  await page.route(`**/${table}/data?*`, lose, { times: 1 });
  await dialog.getByRole("button", { name: "Gravar" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Sem conexão");
  await dialog.getByRole("button", { name: "Gravar" }).click();
  await expect(cell(page, 3, 2)).toHaveText("1.000,05");
  await expect(page.getByRole("alert")).toHaveCount(0);
  expect(await company.call("GET", `/${table}/data`)).toMatchObject({ total: 3 });

  await page.route(/\/data\/[0-9a-f-]{36}\?/, lose, { times: 1 });
  await cell(page, 3, 2).click();
  await page.keyboard.type("7");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByRole("status").last()).toHaveText("Gravado"); // and by nobody else
  await cell(page, 3, 2).click();
  await page.keyboard.press("Control+z");
  await expect(cell(page, 3, 2)).toHaveText("1.000,05");

  await cell(page, 1, 2).click();
  await page.keyboard.type("x");
  await page.keyboard.press("Enter");
  await expect.poll(() => isAsked(page)).toBe(true);
  await page.locator('[role="row"][aria-rowindex="2"] [role="rowheader"]').click();
  await page.getByRole("button", { name: "Apagar 1 linha" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apagar 1 linha" }).click();
  await expect(cell(page, 1, 1)).toHaveText("b");
  await expect.poll(() => isAsked(page)).toBe(false); // the text went with its row
  await expectAccessible(page);

  await page.route(`**/${table}/data?*`, lose, { times: 1 });
  for (const close of ["Fechar", "Gravar"]) {
    await page.getByRole("button", { name: "Nova linha" }).click();
    await dialog.getByLabel("nome").fill("d");
    await dialog.getByRole("button", { name: "Gravar" }).click();
    if (close === "Fechar") await expect(dialog.getByRole("alert")).toContainText("Sem conexão");
    if (close === "Fechar") {
      const question = page.getByRole("dialog", { name: "Sair sem gravar?" });
      for (const key of ["Escape", "Escape", "Escape"]) await page.keyboard.press(key); // asked, kept, asked
      await question.getByRole("button", { name: "Ficar nesta página" }).click();
      await expect(dialog.getByLabel("nome")).toHaveValue("d");
      expect(await isAsked(page)).toBe(true);
      await dialog.getByRole("button", { name: close }).click();
      await question.getByRole("button", { name: "Sair sem gravar" }).click();
      expect(await isAsked(page)).toBe(false);
    }
    await expect(dialog).toHaveCount(0);
  }
  await expect(page.getByText("4 linhas").first()).toBeVisible(); // written in another form it is another row
});

test("deleted rows come back by Ctrl+Z and from the trash, and a cell tells where it came from", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.load("origem.csv", "nome;valor\na;1.000,50\nb;2,50\nc;3,50\n");
  const before = await company.call("GET", `/${table}/data?numbers=string`);
  await visit(`/tabelas/${table}`);
  const remove = async (row: number): Promise<void> => {
    await page.locator(`[role="row"][aria-rowindex="${row + 1}"] [role="rowheader"]`).click();
    await page.getByRole("button", { name: "Apagar 1 linha" }).click();
    await expect(page.getByRole("dialog")).toContainText("90 dias");
    await page.getByRole("dialog").getByRole("button", { name: "Apagar 1 linha" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  };
  await remove(1);
  await expect(cell(page, 1, 1)).toHaveText("b");
  await page.route("**/trash/restore", lose, { times: 1 });
  await page.route("**/data/delete", lose, { times: 1 });
  for (const [key, first] of Object.entries({ "Control+z": "a", "Control+y": "b" })) {
    await page.keyboard.press(key); // from where the dialog, and then the button, left the focus
    await page.getByRole("button", { name: "Tentar de novo" }).click();
    await expect(cell(page, 1, 1)).toHaveText(first);
    await expect(page.getByRole("alert")).toHaveCount(0);
  }
  await remove(2);
  await expect(
    page
      .getByText("1 linha de")
      .or(page.getByText("1 linha", { exact: true }))
      .first(),
  ).toBeVisible();
  await more(page, "Lixeira");
  const trash = page.getByRole("dialog", { name: "Lixeira" });
  await expect(trash.getByRole("heading", { name: /^Você apagou/ })).toHaveCount(2);
  await expectAccessible(page);
  await trash.getByRole("button", { name: "Trazer de volta a · 1.000,50" }).click();
  await expect(trash.getByRole("listitem")).toHaveCount(1);
  await expect(trash.locator(":focus")).toHaveCount(1);
  await trash.getByRole("button", { name: "Trazer de volta c · 3,50" }).click();
  await expect(trash).toContainText("A lixeira está vazia");
  await trash.getByRole("button", { name: "Fechar" }).click();
  await expect(page.getByText("3 linhas", { exact: true }).first()).toBeVisible();
  expect((await company.call("GET", `/${table}/data?numbers=string`))["records"]).toEqual(before["records"]);

  await cell(page, 1, 2).click();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("7,5");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 2)).toHaveText("7,5");
  await expect(cell(page, 1, 2)).not.toHaveClass(/saving/);
  await cell(page, 1, 2).click({ button: "right" });
  const story = page.getByRole("dialog", { name: "De onde veio" });
  await expect(story).toContainText("origem.csv, linha 2");
  await expect(story.locator("dd mark")).toHaveText("1.000,50");
  await expect(story).toContainText("valor: 1.000,50 → 7,5");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await more(page, "Histórico");
  const history = page.getByRole("dialog", { name: "Histórico da tabela" });
  await expect(history.getByRole("listitem")).toHaveCount(7);
  await expect(history.getByRole("listitem").first()).toHaveText(/^Você alterou.*valor: 1\.000,50 → 7,5$/);
  await history.getByRole("listitem").first().getByRole("button", { name: "Ver a linha" }).click();
  await expect(story).toContainText("origem.csv");
});

test("a column is shown in the format that its menu gives it, and stored as it was", async ({
  page,
  company,
  visit,
}) => {
  const rows = [{ ano: "2025", valor: "1234.5", taxa: "0.8755" }];
  const table = await company.table("formatos", ["ano:integer", "valor:decimal", "taxa:decimal"], rows);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 1, 1)).toHaveText("2025");
  const choose = async (column: string, field: string, choice: string): Promise<void> => {
    await page.getByRole("button", { name: `Opções da coluna ${column}` }).click();
    const kept = page.waitForResponse((answer) => answer.request().method() === "PUT");
    await page.getByRole("dialog").getByLabel(field).selectOption(choice);
    expect((await kept).status()).toBe(200);
    await page.keyboard.press("Escape");
  };
  await choose("valor", "Mostrar os números como", "BRL");
  await expect(cell(page, 1, 2)).toHaveText("R$ 1.234,50");
  await choose("taxa", "Mostrar os números como", "percent");
  await expect(cell(page, 1, 3)).toHaveText("87,55%");
  await choose("taxa", "Casas decimais", "1");
  await expect(cell(page, 1, 3)).toHaveText("≈ 87,6%");
  await expect(cell(page, 1, 3)).toHaveAttribute("title", "0,8755");
  await page.getByLabel("Rodapé de valor").selectOption("sum");
  await expect(page.locator(".mt-foot-value").nth(1)).toHaveText("R$ 1.234,50");
  await cell(page, 1, 2).click();
  await page.keyboard.press("F2");
  await expect(page.locator(".mt-cell-editor")).toHaveValue("1.234,5");
  await page.keyboard.press("Enter");
  expect((await company.call("GET", `/${table}/data?numbers=string`))["records"]).toMatchObject(rows);
});

test("a view is saved under a name, opens in another browser, and tells what is gone of it", async ({
  page,
  browser,
  company,
  visit,
}) => {
  const rows = ["a", "b", "c"].map((nome, index) => ({ nome, valor: `${index + 1}`, nota: "x" }));
  const table = await company.table("visoes", ["nome:text", "valor:decimal", "nota:text"], rows);
  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Filtrar" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Coluna").selectOption("valor");
  await dialog.getByLabel("Condição").selectOption("gte");
  await dialog.getByLabel("Valor").fill("2");
  await dialog.getByRole("button", { name: "Aplicar" }).click();
  const menu = async (column: string, action: string): Promise<void> => {
    await page.getByRole("button", { name: `Opções da coluna ${column}` }).click();
    await dialog.getByRole("button", { name: action }).click();
  };
  await menu("valor", "Fixar à esquerda");
  await menu("nota", "Mover para a esquerda");
  await menu("nome", "Ordenar do maior para o menor");
  await page.getByLabel("Rodapé de valor").selectOption("sum");
  await page.getByRole("button", { name: "Gravar visão" }).click();
  await dialog.getByLabel("Nome da visão").fill("Grandes");
  await dialog.getByLabel("Mostrar também aos colegas").check();
  await expectAccessible(page);
  await page.route("**/views", lose, { times: 1 }); // it is saved, whatever becomes of the answer
  await dialog.getByRole("button", { name: "Gravar", exact: true }).click();
  await expect(page.getByLabel("Visão", { exact: true })).toHaveValue(/.+/);
  const { pathname, search } = new URL(page.url());
  expect(search).toMatch(/^\?visao=[0-9a-f]{24}$/);

  const other = await (await browser.newContext()).newPage();
  await visit(pathname + search, other);
  const heads = (shown: Page) => shown.getByRole("columnheader").filter({ has: shown.locator(".mt-grid-label-text") });
  await expect(heads(other)).toHaveText([/valor/, /nota/, /nome/]);
  await expect(other.locator(".mt-grid-header .mt-frozen")).toHaveCount(1);
  await expect(cell(other, 1, 3)).toHaveText("c");
  await expect(other.getByText("2 linhas de 3")).toBeVisible();
  await expect(other.locator(".mt-foot-value").first()).toHaveText("5");
  await other.getByRole("button", { name: /Tirar o filtro/ }).click();
  await expect(other.getByRole("button", { name: "Gravar a visão mudada" })).toBeVisible();
  await other.getByLabel("Visão", { exact: true }).selectOption("Toda a tabela");
  await expect(heads(other)).toHaveText([/nome/, /valor/, /nota/]);
  await other.getByLabel("Visão", { exact: true }).selectOption("Grandes (de todos)");
  await expect(heads(other)).toHaveText([/valor/, /nota/, /nome/]);
  await other.context().close();

  await company.call("PUT", `/${table}`, { columns: ["nome", "valor"].map((name) => column(name)) });
  await visit("/");
  await visit(pathname + search);
  await expect(page.locator(".mt-note-warning", { hasText: "nota" })).toBeVisible();
  await expect(heads(page)).toHaveText([/valor/, /nome/]);
  await page.getByRole("button", { name: "Gravar visão" }).click();
  await dialog.getByRole("button", { name: "Apagar visão" }).click();
  await page.keyboard.press("Escape"); // closes the question alone
  await expect(dialog.getByRole("button", { name: "Apagar visão" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page
    .getByRole("dialog", { name: "Apagar a visão Grandes?" })
    .getByRole("button", { name: "Apagar visão" })
    .click();
  await expect(page.getByLabel("Visão", { exact: true })).toHaveValue("");
  await expect(page.getByRole("button", { name: "Gravar visão" })).toBeFocused();
});

test("a view that was just saved is chosen by its name before the list of views has come again", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("visao_lenta", ["nome:text"], [{ nome: "a" }]);
  await visit(`/tabelas/${table}?sort=["nome"]`);
  await page.route("**/views?*", () => {}); // which never comes
  await page.getByRole("button", { name: "Gravar visão" }).click();
  await page.getByLabel("Nome da visão").fill("Nova");
  await page.getByRole("dialog").getByRole("button", { name: "Gravar", exact: true }).click();
  await expect(page.getByLabel("Visão", { exact: true }).locator("option:checked")).toHaveText("Nova");
});

test("columns may have the names of what objects have of themselves", async ({ page, company, visit }) => {
  const names = ["constructor", "__proto__"];
  const table = await company.table("heranca", ["nome:text", ...names.map((name) => `${name}:text`)], [{ nome: "a" }]);
  await visit(`/tabelas/${table}`);
  for (const at of [1, 2]) await expect(page.locator(".mt-foot-value").nth(at)).toHaveText("");
  await page.getByRole("button", { name: "Nova linha" }).click();
  for (const name of names) await page.getByRole("dialog").getByLabel(name).fill(`de ${name}`);
  await expect(page.locator(".mt-field-error")).toHaveCount(0);
  await page.getByRole("dialog").getByRole("button", { name: "Gravar" }).click();
  for (const [at, name] of names.entries()) await expect(cell(page, 2, at + 2)).toHaveText(`de ${name}`);
});

test("a row that is chosen is the one that opens, and moves with its focus, after another order was seen", async ({
  page,
  company,
  visit,
}) => {
  const rows = Array.from({ length: 9 }, (_, at) => ({ nome: `n${at + 1}`, valor: String(at + 1) }));
  const table = await company.table("ordens", ["nome:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}?sort=["-valor"]`);
  await expect(cell(page, 1, 1)).toHaveText("n9");
  const head = page.getByRole("columnheader", { name: /valor/ });
  await head.click();
  await expect(cell(page, 1, 1)).toHaveText("n1");
  await page.getByRole("rowheader", { name: "3", exact: true }).click();
  await page.getByRole("button", { name: "Abrir linha" }).click();
  await expect(page.getByRole("dialog").getByLabel("nome")).toHaveValue("n3");
  await page.getByRole("dialog").getByRole("button", { name: "Fechar" }).click();

  await cell(page, 1, 2).click();
  await page.keyboard.type("10");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await head.click();
  await head.click(); // the order of before the edit
  await expect(cell(page, 1, 1)).toHaveText("n1");

  await page.getByRole("button", { name: "Opções da coluna valor" }).click();
  await page.getByRole("button", { name: "Tirar da ordenação" }).click();
  await expect(head).toHaveAttribute("aria-sort", "none");
  await cell(page, 3, 1).click();
  const found = await company.call("POST", `/${table}/data/query`, {
    where: { column: "nome", op: "eq", value: "n2" },
  });
  const [gone] = found["records"] as { id: string }[];
  await company.call("POST", `/${table}/data/delete`, { ids: [gone?.id] });
  await expect(cell(page, 2, 1)).toHaveText("n3");
  await expect(page.locator('[data-active="true"]')).toHaveText("n3");
});

test("a table that a colleague changes, or deletes, is followed by its grid", async ({ page, company, visit }) => {
  const rows = [{ nome: "a", valor: "1", nota: "x" }];
  const table = await company.table("seguida", ["nome:text", "valor:decimal", "nota:text"], rows);
  await visit(`/tabelas/${table}?sort=["nota"]`);
  await expect(cell(page, 1, 1)).toHaveText("a");
  const keep = (...names: string[]) => company.call("PUT", `/${table}`, { columns: names.map((name) => column(name)) });
  await keep("nome", "valor");
  await expect(page.getByRole("columnheader", { name: "nota" })).toHaveCount(0); // no row could be sorted by it
  await expect(page.getByRole("alert")).toHaveCount(0);
  await keep("nome");
  await cell(page, 1, 2).click();
  await page.getByRole("rowheader", { name: "1", exact: true }).click();
  await page.keyboard.type("2"); // the focus has stayed in the cell
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("a tabela não tem esta coluna");
  await expect(page.getByRole("columnheader", { name: "valor" })).toHaveCount(0);
  await expect.poll(() => isAsked(page)).toBe(false); // nobody could save it any more
  await cell(page, 1, 1).click();
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("alert")).toHaveCount(0);
  await company.call("DELETE", `/${table}`);
  await expect(page.getByRole("alert")).toContainText("Tabela não encontrada");
});

alone(
  "what is typed goes into the row where it was begun, whatever moves meanwhile",
  async ({ page, company, visit }) => {
    const rows = ["a", "b", "c", "d", "e"].map((nome, at) => ({ nome, valor: String(at + 1) }));
    const table = await company.table("de_onde", ["nome:text", "valor:decimal"], rows);
    const stored = async () =>
      ((await company.call("GET", `/${table}/data?sort_by=nome`))["records"] as { valor: number }[]).map(
        ({ valor }) => valor,
      );
    await visit(`/tabelas/${table}?sort=["valor"]`);
    await expect(cell(page, 1, 1)).toHaveText("a");
    for (const [at, answer] of [/\/data\/[0-9a-f-]{36}\?/, /\/data\/query/].entries()) {
      await cell(page, 1, 2).click();
      await page.keyboard.type(`9${at}`);
      const goOn = await holdNext(page, answer); // the save, and then the question in which order the rows are now
      const asked = page.waitForRequest(answer);
      await page.keyboard.press("Enter");
      await asked;
      const [name = ""] = await cell(page, 2, 1).allTextContents();
      await page.keyboard.type("0,");
      goOn();
      await expect(page.getByRole("status").last()).toHaveText("Gravado");
      if (at === 1) await expect(cell(page, 2, 1)).not.toHaveText(name); // it has moved under the field
      await page.keyboard.type("5");
      await page.keyboard.press("Enter");
      await expect(cell(page, 1, 2)).toHaveText("0,5");
      await expect(cell(page, 1, 1)).toHaveText(name);
      await expect.poll(async () => (await stored())[rows.findIndex(({ nome }) => nome === name)]).toBe(0.5);
    }
    expect(await stored()).toEqual([90, 91, 0.5, 4, 5]);
  },
);

for (const view of ["", '?sort=["-idade"]'])
  alone(
    `rows are written cell by cell at the foot, by Tab and Enter, as fast as one likes ${view}`,
    async ({ page, company, visit }) => {
      const columns = ["nome:text", "idade:integer", "cidade:text"];
      const table = await company.table(`no_pe_${view.length}`, columns, [{ nome: "Ana", idade: "1", cidade: "Rio" }]);
      await visit(`/tabelas/${table}${view}`);
      await expect(cell(page, 1, 1)).toHaveText("Ana");
      const answer = await holdNext(page, "**/data?*");
      await cell(page, 2, 1).click();
      const come = (rows: number) => expect(page.getByText(`${rows} linhas`).first()).toBeVisible();
      for (const row of [0, 1]) {
        for (const text of [`Maria ${row}`, String(25 + row), "Natal"]) {
          await page.keyboard.type(text);
          await page.keyboard.press(text === "Natal" ? "Enter" : "Tab");
          if (row === 1) await come(3);
        }
        if (row === 0) expect(await isAsked(page)).toBe(true); // all of it before the first answer
        answer();
        await come(row + 2);
        await cell(page, row + 3, 1).click();
      }
      for (const [at, name] of ["Bia", "Caio"].entries()) {
        await page.keyboard.type(name);
        await page.keyboard.press("Enter");
        await come(at + 4); // and the next one is written below it
      }
      const stored = async () => (await company.call("GET", `/${table}/data?sort_by=nome`))["records"];
      await expect.poll(stored).toMatchObject([
        { nome: "Ana", idade: 1, cidade: "Rio" },
        { nome: "Bia", idade: null, cidade: null },
        { nome: "Caio", idade: null, cidade: null },
        { nome: "Maria 0", idade: 25, cidade: "Natal" },
        { nome: "Maria 1", idade: 26, cidade: "Natal" },
      ]);
    },
  );

alone("what is written at the foot is neither lost nor written elsewhere", async ({ page, company, visit }) => {
  const first = [
    { nome: "Ana", idade: "1" },
    { nome: "Ari", idade: "2" },
  ];
  const table = await company.table("pe_firme", ["nome:text", "idade:integer"], first);
  let answers: (() => void)[] = [];
  const hold = async (route: Route, refusal?: object): Promise<void> => {
    await new Promise<void>((go) => answers.push(go));
    await (refusal ? route.fulfill({ status: 409, json: refusal }) : route.continue());
  };
  const answer = async (): Promise<void> => {
    await expect.poll(() => answers.length).toBe(1);
    for (const go of answers) go();
    answers = [];
  };
  const write = async (...pressed: string[]): Promise<void> => {
    for (const key of pressed) await (/^[A-Z].*[a-z]$/.test(key) ? page.keyboard.press(key) : page.keyboard.type(key));
  };
  const stored = async () =>
    ((await company.call("GET", `/${table}/data?sort_by=nome`))["records"] as { nome: string; idade: number }[]).map(
      ({ nome, idade }) => `${nome} ${idade}`,
    );
  await visit(`/tabelas/${table}`);
  await page.route("**/data?*", (route) => hold(route, { error: "Já existe", code: "DUPLICATE" }), { times: 2 });
  await cell(page, 3, 1).click();
  await write("dup", "Tab", "25", "Tab");
  await answer();
  await answer();
  await expect(cell(page, 3, 1)).toHaveText("dup"); // it waits for another try
  await expect(cell(page, 3, 2)).toHaveText("25");
  expect(await isAsked(page)).toBe(true);
  await cell(page, 3, 1).click();
  await write("bia", "Enter");
  await expect.poll(stored).toEqual(["Ana 1", "Ari 2", "bia 25"]);
  await expect(cell(page, 4, 2)).toHaveText("");

  await page.route("**/data?*", (route) => hold(route, { error: "Já existe", code: "DUPLICATE" }), { times: 2 });
  await cell(page, 4, 1).click();
  await write("zeca", "Enter", "zuza", "Enter"); // two rows
  await answer();
  await answer();
  await expect(cell(page, 4, 1)).toHaveText("zuza");
  await cell(page, 4, 1).click();
  await page.keyboard.press("Escape"); // the second is given up
  expect(await isAsked(page)).toBe(true);
  await expect(cell(page, 4, 1)).toHaveText("zeca");
  await page.keyboard.press("Control+z");
  await expect(cell(page, 4, 1)).toHaveText("");
  expect(await isAsked(page)).toBe(false);

  await page.route("**/data?*", (route) => hold(route), { times: 1 });
  await cell(page, 4, 1).click();
  await write("caio", "Tab", "7", "Tab", "Control+z");
  await answer();
  await expect(page.getByRole("status").last()).toHaveText("Gravado"); // what was taken back is the last that was written
  await expect.poll(stored).toEqual(["Ana 1", "Ari 2", "bia 25", "caio null"]);

  await page.route("**/data?*", (route) => hold(route), { times: 1 });
  await cell(page, 5, 1).click();
  await write("dora", "Enter");
  await cell(page, 1, 2).click();
  await write("8");
  await answer();
  await expect(page.getByText("5 linhas").first()).toBeVisible();
  await write("Enter", "9", "Enter"); // where the person is by then, whatever has come
  await expect.poll(stored).toEqual(["Ana 8", "Ari 9", "bia 25", "caio null", "dora null"]);

  await page.route("**/data?*", (route) => hold(route, { error: "Já existe", code: "DUPLICATE" }), { times: 2 });
  await cell(page, 6, 1).click();
  await write("gil", "Tab");
  await answer();
  await expect(cell(page, 6, 1)).toHaveText("gil");
  await write("3", "Enter"); // it goes on its way again
  await write("Home", "ivo"); // in a row of its own, whatever comes to stand there meanwhile
  await answer();
  await expect(cell(page, 6, 2)).toHaveText("3");
  await write("Enter");
  await expect.poll(stored).toEqual(["Ana 8", "Ari 9", "bia 25", "caio null", "dora null", "ivo null"]);
  await expect(cell(page, 7, 1)).toHaveText("gil");
  await cell(page, 7, 1).click();
  const goOn = await holdNext(page, "**/data?*");
  await write("gal", "Enter");
  await cell(page, 7, 1).click();
  await write("hugo", "Enter");
  goOn();
  await expect.poll(async () => (await stored()).slice(5)).toEqual(["gal 3", "hugo null", "ivo null"]);
  const [, , , , , ...made] = (await company.call("GET", `/${table}/data?sort_by=nome`))["records"] as { id: string }[];
  await company.call("POST", `/${table}/data/delete`, { ids: made.map(({ id }) => id) });
  await expect(page.getByText("5 linhas").first()).toBeVisible();

  const search = page.getByRole("searchbox", { name: "Procurar nas linhas" });
  await search.fill("Ana");
  await expect(page.getByText(/^1 linha de/)).toBeVisible();
  await cell(page, 2, 1).click();
  await write("elis", "Tab");
  await expect(page.getByRole("status").last()).toHaveText("Criada: a linha está fora do que se vê agora");
  await search.click();
  await cell(page, 2, 1).click();
  await write("fred", "Enter"); // another row: that one was left
  await expect.poll(stored).toEqual(["Ana 8", "Ari 9", "bia 25", "caio null", "dora null", "elis null", "fred null"]);
});

test("an edit of a row that one has deleted oneself blames nobody", async ({ page, company, visit }) => {
  const table = await company.table("minha_culpa", ["nome:text"], [{ nome: "a" }, { nome: "b" }]);
  await visit(`/tabelas/${table}`);
  const answer = await holdNext(page, /\/data\/[0-9a-f-]{36}\?/);
  await cell(page, 1, 1).click();
  await page.keyboard.type("c");
  await page.keyboard.press("Enter");
  await page.getByRole("rowheader", { name: "1", exact: true }).click();
  await page.getByRole("button", { name: "Apagar 1 linha" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apagar 1 linha" }).click();
  await expect(cell(page, 1, 1)).toHaveText("b");
  answer();
  await expect(page.getByRole("alert")).toHaveText("1 linha foi apagada enquanto você editava");
});

alone("a row at the foot of which nobody knows whether it came comes once", async ({ page, company, visit }) => {
  const table = await company.table("pe_incerto", ["nome:text", "idade:integer"], [{ nome: "Ana", idade: "1" }]);
  const stored = async () =>
    ((await company.call("GET", `/${table}/data?sort_by=nome`))["records"] as { nome: string; idade: number }[]).map(
      ({ nome, idade }) => `${nome} ${idade}`,
    );
  const unknown = { status: 503, json: { error: "Não sabemos", code: "OUTCOME_UNKNOWN" } };
  const loseNext = () =>
    page.route(
      "**/data?*",
      async (route) => {
        await route.fetch();
        await route.fulfill(unknown);
      },
      { times: 1 },
    );
  await visit(`/tabelas/${table}`);
  await loseNext();
  await cell(page, 2, 1).click();
  await page.keyboard.type("bia");
  await page.keyboard.press("Enter");
  const check = page.getByRole("button", { name: "Conferir" });
  await expect(check).toBeVisible();
  await cell(page, 2, 1).click();
  await page.keyboard.press("Escape");
  await page.keyboard.type("bea");
  await page.keyboard.press("Tab");
  await page.keyboard.type("7");
  await page.keyboard.press("Enter");
  await expect.poll(stored).toEqual(["Ana 1", "bea 7"]);
  await expect(check).toBeHidden();

  await cell(page, 1, 2).click();
  await page.keyboard.type("x");
  await page.keyboard.press("Enter");
  await loseNext();
  await cell(page, 3, 1).click();
  await page.keyboard.type("caio");
  await page.keyboard.press("Enter");
  await check.click();
  await expect(cell(page, 1, 2)).toHaveText("x"); // of what was refused for another reason nothing is in doubt
  await expect(cell(page, 3, 1)).toHaveText("caio");
  await cell(page, 4, 1).click();
  await page.keyboard.type("caio"); // another one, as the person sees
  await page.keyboard.press("Enter");
  await expect.poll(stored).toEqual(["Ana 1", "bea 7", "caio null", "caio null"]);
});

test("a marked range stays upon its rows where one above is gone", async ({ page, company, visit }) => {
  const table = await company.table(
    "marcada",
    ["nome:text"],
    ["a", "b", "c", "d"].map((nome) => ({ nome })),
  );
  await visit(`/tabelas/${table}`);
  await cell(page, 2, 1).click();
  await page.keyboard.press("Shift+ArrowDown");
  const [first] = (await company.call("GET", `/${table}/data`))["records"] as { id: string }[];
  await company.call("POST", `/${table}/data/delete`, { ids: [first?.id] });
  await expect(cell(page, 1, 1)).toHaveText("b");
  await expect(page.locator('[role="gridcell"][aria-selected="true"]')).toHaveText(["b", "c"]);
});

test("a server that asks for patience again and again is asked again after each pause", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("paciencia", ["nome:text"], [{ nome: "a" }]);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 1, 1)).toHaveText("a");
  const patience = { status: 429, headers: { "Retry-After": "2" }, json: { error: "Muitas requisições" } };
  let refused = 0;
  await page.route("**/data/query*", (route) => {
    if (route.request().postDataJSON().fields) return route.continue(); // a look for what colleagues write
    refused += 1;
    return refused > 2 ? route.continue() : route.fulfill(patience);
  });
  await company.call("POST", `/${table}/data`, { rows: [{ nome: "b" }] });
  for (const count of [1, 2]) {
    await expect.poll(() => refused, { intervals: [100] }).toBe(count);
    await expect(page.getByRole("alert")).toContainText(/Muitas requisições.*Tentar de novo \(em \d s\)/);
  }
  await expect(page.getByText("2 linhas").first()).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);

  const tries: number[] = []; // of a save
  await page.route(/\/data\/[0-9a-f-]{36}\?/, (route) => {
    tries.push(Date.now());
    return tries.length > 1 ? route.continue() : route.fulfill(patience);
  });
  await cell(page, 1, 1).click();
  await page.keyboard.type("c");
  await page.keyboard.press("Enter");
  await expect.poll(() => tries.length).toBe(1);
  await page.evaluate(() => window.dispatchEvent(new Event("online"))); // the pause goes on
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const [first = 0, second = 0] = tries;
  expect([tries.length, second - first >= 1_900]).toEqual([2, true]);
});

test("a column that is dragged wider changes the address by steps", async ({ page, company, visit }) => {
  await visit(`/tabelas/${await company.table("puxada", ["a:text"], [{ a: "1" }])}`);
  const handle = await page.locator(".mt-grid-resize").boundingBox();
  await page.mouse.move((handle?.x ?? 0) + 4, (handle?.y ?? 0) + 4);
  await page.mouse.down();
  await page.evaluate(() => {
    const [counted, replace] = [window as unknown as { changes: number }, history.replaceState.bind(history)];
    counted.changes = 0;
    history.replaceState = (...to) => {
      counted.changes += 1;
      replace(...to);
    };
  });
  await page.mouse.move((handle?.x ?? 0) + 164, (handle?.y ?? 0) + 4, { steps: 160 });
  await page.mouse.up();
  expect((await page.getByRole("columnheader", { name: /^a/ }).boundingBox())?.width).toBe(328);
  const changes = await page.evaluate(() => (window as unknown as { changes: number }).changes);
  expect(changes, "a browser takes 200 in ten seconds, and then none").toBeLessThanOrEqual(20);
});

alone("on a phone no more columns stay at the left than leave room for others", async ({ page, company, visit }) => {
  const table = await company.table("fixas", ["a:text", "b:text", "c:text"], [{ a: "1", b: "2", c: "3" }]);
  await page.setViewportSize({ width: 360, height: 640 });
  await visit(`/tabelas/${table}?columns=[{"name":"a","frozen":true},{"name":"b","frozen":true}]`);
  await cell(page, 1, 1).click();
  await page.keyboard.press("End");
  await expect(cell(page, 1, 3)).toBeFocused();
  await cell(page, 1, 3).click({ trial: true }); // nothing lies over it
  await expect(cell(page, 1, 1)).toBeInViewport();
});

test("every view of a table is offered, however many there are", async ({ page, company, visit }) => {
  const table = await company.table("muitas_visoes", ["nome:text"], [{ nome: "a" }]);
  for (let at = 0; at < 41; at += 1) await company.call("POST", `/${table}/views`, { name: `visão ${at}` }); // a page has 40
  await page.route("**/views?*", (route) => route.fulfill({ status: 500, json: {} }), { times: 1 });
  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByLabel("Visão", { exact: true }).locator("option")).toHaveCount(42);
});

test("what was deleted at once comes back at once, and the keyboard stays in the list of the trash", async ({
  page,
  company,
  visit,
}) => {
  const rows = Array.from({ length: 203 }, (_, index) => ({ nome: String(index).padStart(3, "0") }));
  const table = await company.table("juntas", ["nome:text"], rows);
  const pages = await Promise.all([1, 2, 3].map((at) => company.call("GET", `/${table}/data?per_page=100&page=${at}`)));
  const ids = pages.flatMap(({ records }) => (records as { id: string }[]).map(({ id }) => id));
  await company.call("POST", `/${table}/data/delete`, { ids });
  await visit(`/tabelas/${table}`);
  await more(page, "Lixeira");
  const trash = page.getByRole("dialog", { name: "Lixeira" });
  await expect(trash.getByRole("heading", { name: /^Você apagou/ })).toHaveCount(1);
  const next = (await trash.getByRole("listitem").nth(8).getByRole("button").textContent()) ?? "";
  await trash.getByRole("listitem").nth(7).getByRole("button").press("Enter");
  await expect(trash.locator("li button:focus")).toHaveText(next);
  await trash.getByRole("button", { name: "Próxima" }).click();
  await trash.getByRole("button", { name: "Trazer de volta 2 linhas" }).click();
  await expect(trash.getByRole("button", { name: "Trazer de volta 200 linhas" })).toBeVisible();
});

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

alone(
  "cells are copied and pasted as in a spreadsheet, and undone in one step",
  async ({ page, company, visit, context }) => {
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
    await page.evaluate(() => navigator.clipboard.writeText("quatro\t1.234,56\tfora\ncinco\t7"));
    await page.keyboard.press("Control+v");
    await expect(cell(page, 1, 2)).toHaveText("1.234,56");
    await expect(cell(page, 2, 1)).toHaveText("cinco");
    await expect(page.getByRole("alert")).toContainText("1 coluna colada não coube na tabela");
    await expect(page.getByRole("status").last()).toHaveText("Gravado");
    await page.keyboard.press("Control+z");
    await expect(cell(page, 1, 2)).toHaveText("1");
    await expect(cell(page, 2, 1)).toHaveText("dois");
    await expect(cell(page, 2, 1)).not.toHaveClass(/saving/); // what it says then would come after what is to be heard

    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await expect(page.locator('[role="gridcell"][aria-selected="true"]')).toHaveCount(4);
    await page.keyboard.press("Control+c");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("um\t1\ndois\t2");
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("of a frame's own"));
    });
    await page.keyboard.press("Control+x");
    await expect(page.getByRole("status").last()).toHaveText("O navegador não deixa copiar daqui");
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
  },
);

test("a step back that is refused can be tried again, and a new row ends what was to be redone", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("recusado", ["nome:text"], [{ nome: "antes" }]);
  await visit(`/tabelas/${table}`);
  const refuse = (url: RegExp | string) =>
    page.route(url, (route) => route.fulfill({ status: 409, json: { error: "Agora não", code: "TABLE_BUSY" } }), {
      times: 1,
    });
  const told = page.getByRole("status").last();
  await cell(page, 1, 1).click();
  await page.keyboard.type("depois");
  await page.keyboard.press("Enter");
  await expect(told).toHaveText("Gravado");
  await refuse(/\/data\/[0-9a-f-]{36}\?/);
  await page.keyboard.press("Control+z");
  await expect(told).toHaveText("Não gravado");
  await page.keyboard.press("Control+z"); // gives up what was not taken
  await expect(cell(page, 1, 1)).toHaveText("depois");
  await page.keyboard.press("Control+z");
  await expect(cell(page, 1, 1)).toHaveText("antes");
  await expect(told).toHaveText("Gravado");

  for (const text of ["outro", "mais outro"]) {
    await cell(page, 1, 1).click();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await expect(cell(page, 1, 1)).toHaveText(text);
    await expect(cell(page, 1, 1)).not.toHaveClass(/mt-cell-saving/);
  }
  const never = { status: 422, json: { error: "A coluna não existe mais", code: "VALIDATION_ERROR" } };
  await page.route(/\/data\/[0-9a-f-]{36}\?/, (route) => route.fulfill(never), { times: 1 });
  await page.keyboard.press("Control+z"); // what can never be taken back
  await expect(page.getByRole("alert")).toContainText("não existe mais");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z"); // is in the way of no other step
  await expect(cell(page, 1, 1)).toHaveText("antes");

  await cell(page, 2, 1).click();
  await page.keyboard.type("nova");
  await page.keyboard.press("Enter");
  await expect(page.getByText("2 linhas").first()).toBeVisible();
  await page.keyboard.press("Control+y");
  await expect(told).toHaveText("Nada a refazer");
  await refuse("**/data/delete*");
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("alert")).toContainText("Agora não");
  await page.keyboard.press("Control+z");
  await expect(page.getByText("1 linha").first()).toBeVisible();

  await page.keyboard.press("Control+y");
  await expect(page.getByText("2 linhas").first()).toBeVisible();
  await page.getByRole("rowheader", { name: "1", exact: true }).click();
  await page.getByRole("button", { name: "Apagar 1 linha" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apagar 1 linha" }).click();
  await expect(page.getByText("1 linha").first()).toBeVisible();
  const taken = { status: 409, json: { error: "Já existe", code: "DUPLICATE_KEY" } };
  await page.route("**/trash/restore", (route) => route.fulfill(taken), { times: 1 });
  await cell(page, 1, 1).click();
  await page.keyboard.press("Control+z"); // a colleague has given another row its key
  await expect(page.getByRole("alert")).toContainText("Já existe");
  await page.keyboard.press("Control+z"); // the new row goes, which came before
  await expect(page.getByText("0 linhas").first()).toBeVisible();
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
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" });
  await expect(dialog).toContainText("dela");
  await dialog.getByRole("button", { name: "Usar a dela" }).click();
  await expect(cell(page, 1, 1)).toHaveText("dela");
});

test("undoing an insertion deletes no row that a colleague has filled since", async ({
  page,
  company,
  visit,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const table = await company.table("inseridas", ["nome:text", "nota:text"], [{ nome: "a" }]);
  const stored = async () => (await company.call("GET", `/${table}/data`))["records"] as Record<string, string>[];
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.evaluate(() => navigator.clipboard.writeText("a\nb\nc"));
  await page.keyboard.press("Control+v");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Criar/ })
    .click();
  await expect(cell(page, 3, 1)).toHaveText("c");
  await cell(page, 3, 2).click();
  await page.keyboard.type("minha");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const filled = (await stored()).find(({ nome }) => nome === "b");
  await company.call("PUT", `/${table}/data/${filled?.["id"] ?? ""}`, { nota: "dela" });
  await page.keyboard.press("Control+z"); // what this page has written of its row is no colleague's
  await page.route("**/data/delete*", lose, { times: 1 });
  await page.keyboard.press("Control+z");
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByText("2 linhas").first()).toBeVisible();
  await page.keyboard.press("Control+y");
  await expect(page.getByText("3 linhas").first()).toBeVisible();
  await page.keyboard.press("Control+y");
  await expect(cell(page, 3, 2)).toHaveText("minha");
  await expect(page.getByRole("status").last()).toHaveText("Gravado"); // with nobody else's: the row came back as it was
  await page.keyboard.press("Control+z");
  await expect(cell(page, 3, 2)).toHaveText("");
  await expect
    .poll(async () => (await stored()).map(({ nome, nota }) => [nome, nota]))
    .toEqual([
      ["a", null],
      ["b", "dela"],
      ["c", null],
    ]);
  await company.call("PUT", `/${table}/data/${(await stored())[2]?.["id"] ?? ""}`, { nota: "dela" });
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("alert")).toContainText("1 linha fica: foi mudada depois");
  await page.keyboard.press("Control+y"); // the step before: this one has taken nothing out
  await expect(page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" })).toContainText("minha");
  await page.getByRole("button", { name: "Usar a dela" }).click();
});

test("a range of which rows do not come is not copied, and the reason is told", async ({
  page,
  company,
  visit,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const rows = Array.from({ length: 450 }, (_, index) => ({ nome: `n${index}` }));
  const table = await company.table("blocos", ["nome:text"], rows);
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.evaluate(() => navigator.clipboard.writeText("antes"));
  const refused = { status: 409, json: { error: "Agora não", code: "TABLE_BUSY" } };
  await page.route("**/data/query*", (route) => route.fulfill(refused));
  await page.keyboard.press("Control+Shift+End");
  await page.keyboard.press("Control+c");
  await expect(page.getByRole("status").last()).toHaveText("Agora não");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("antes");
});

test("a row that stops matching stays until the focus leaves it", async ({ page, company, visit }) => {
  const rows = ["a1", "a2", "a3"].map((nome) => ({ nome, valor: "1" }));
  const table = await company.table("fica", ["nome:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}?where={"column":"nome","op":"starts_with","value":"a"}&totals={"valor":"sum"}`);
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
  await expect(page.locator(".mt-foot-value").last()).toHaveText("2");
});

test("a text of several lines keeps them, and nothing is saved that was not changed", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("linhas", ["nome:text"], [{ nome: "um\ndois" }, { nome: "três\r\nquatro" }]);
  await visit(`/tabelas/${table}`);
  const saves: string[] = [];
  page.on("request", (request) => request.method() === "PUT" && saves.push(request.postData() ?? ""));
  await cell(page, 1, 1).dblclick();
  await page.keyboard.press("Enter");
  for (const key of ["Enter", "Tab", "Escape"]) {
    await cell(page, 2, 1).click();
    await page.keyboard.press("F2");
    await page.keyboard.press(key);
  }
  expect(saves).toEqual([]);
  await cell(page, 2, 1).click();
  await page.keyboard.press("F2");
  await page.keyboard.press("Alt+Enter");
  await page.keyboard.type("cinco");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const rows = await company.call("GET", `/${table}/data?numbers=string`);
  expect((rows["records"] as { nome: string }[]).map(({ nome }) => nome)).toEqual([
    "um\ndois",
    "três\r\nquatro\r\ncinco",
  ]);
});

alone("after a conflict, an edit and its undoing every digit is what it was", async ({ page, company, visit }) => {
  await fallBehind(page);
  const table = await company.table(
    "volta",
    ["inteiro:integer", "longo:decimal", "nota:text"],
    [{ ...DIGITS, nota: "a" }],
  );
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 1, 3)).toHaveText("a");
  const [row] = (await company.call("GET", `/${table}/data`))["records"] as { id: string }[];
  await company.call("PUT", `/${table}/data/${row?.id ?? ""}`, { nota: "dela" });
  await cell(page, 1, 3).click();
  await page.keyboard.type("minha");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Usar a dela" }).click();
  for (const column of [1, 2]) {
    await cell(page, 1, column).click();
    await page.keyboard.type("7");
    await page.keyboard.press("Enter");
    await expect(cell(page, 1, column)).toHaveText("7");
    await expect(cell(page, 1, column)).not.toHaveClass(/saving/);
    await cell(page, 1, column).click();
    await page.keyboard.press("Control+z");
    await expect(cell(page, 1, column)).not.toHaveText("7");
    await expect(cell(page, 1, column)).not.toHaveClass(/saving/);
  }
  const after = await company.call("GET", `/${table}/data?numbers=string`);
  expect((after["records"] as object[])[0]).toMatchObject({ ...DIGITS, nota: "dela" });
});

test("two filters of one column and operator, and a value with a comma, hold in grid, foot and export", async ({
  page,
  company,
  visit,
}) => {
  const rows = ["Silva, João", "Silva", "Souza, Ana", "Lima"].map((nome, index) => ({ nome, valor: `${index + 1}` }));
  const table = await company.table("virgulas", ["nome:text", "valor:decimal"], rows);
  await visit(`/tabelas/${table}`);
  const filter = async (column: string, op: string, value: string): Promise<void> => {
    await page.getByRole("button", { name: "Filtrar" }).click();
    const dialog = page.getByRole("dialog", { name: "Filtrar" });
    await dialog.getByLabel("Coluna").selectOption(column);
    await dialog.getByLabel("Condição").selectOption(op);
    await dialog.getByLabel("Valor").fill(value);
    await dialog.getByRole("button", { name: "Aplicar" }).click();
  };
  await filter("nome", "contains", "Silva");
  await filter("nome", "contains", "João");
  await expect(page.getByText("1 linha de 4")).toBeVisible();
  await page.getByRole("button", { name: "Tirar o filtro nome contém Silva" }).click();
  await page.getByRole("button", { name: "Tirar o filtro nome contém João" }).click();
  await filter("nome", "in", "Silva, João; Lima");
  await expect(page.getByText("2 linhas de 4")).toBeVisible();
  await page.getByLabel("Rodapé de valor").selectOption("sum");
  await expect(page.locator(".mt-foot-value").last()).toHaveText("5");
  await page.getByLabel("Rodapé de valor").selectOption("avg");
  await expect(page.locator(".mt-foot-value").last()).toHaveText("2,5"); // and no zeros behind it
  await page.getByRole("button", { name: "Exportar" }).click();
  await page.getByLabel("CSV padrão").check();
  await page.getByRole("button", { name: "Preparar arquivo" }).click();
  await expect(page.getByRole("dialog").getByRole("listitem")).toHaveCount(1);
  await visit("/exportados"); // it goes on, and is found again
  const link = page
    .getByRole("listitem")
    .filter({ hasText: "virgulas" })
    .getByRole("link", { name: /\(2 linhas/ });
  const address = await link.getAttribute("href");
  expect((await (await fetch(address ?? "")).text()).trim().split(/\r?\n/)).toEqual([
    "nome,valor",
    '"Silva, João",1',
    "Lima,4",
  ]);
});

test("one of two conditions is enough under “ou”, and numbers and days are found", async ({ page, company, visit }) => {
  const rows = [
    { nome: "a", valor: "1234.5", dia: "2025-12-31" },
    { nome: "b", valor: "2", dia: "2025-01-01" },
    { nome: "c", valor: "3", dia: null },
  ];
  const table = await company.table("ou", ["nome:text", "valor:decimal", "dia:date"], rows);
  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Filtrar" }).click();
  const dialog = page.getByRole("dialog", { name: "Filtrar" });
  await dialog.getByLabel("Valor").fill("a");
  await dialog.getByRole("button", { name: "ou…" }).click();
  const other = dialog.getByRole("group", { name: "ou" });
  await other.getByLabel("Coluna").selectOption("dia");
  await other.getByLabel("Condição").selectOption("is_null");
  await dialog.getByRole("button", { name: "Aplicar" }).click();
  await expect(page.getByText("2 linhas de 3")).toBeVisible();
  await page.getByRole("button", { name: /Tirar o filtro nome contém a ou dia está vazia/ }).click();
  await page.getByRole("button", { name: "Filtrar" }).click();
  await dialog.getByLabel("Coluna").selectOption("dia");
  await dialog.getByLabel("Calendário").fill("2025-12-31");
  await expect(dialog.getByLabel("Valor")).toHaveValue("31/12/2025");
  await dialog.getByRole("button", { name: "Aplicar" }).click();
  await expect(page.getByText("1 linha de 3")).toBeVisible();
  await page.getByRole("button", { name: /Tirar o filtro dia/ }).click();
  const search = page.getByRole("searchbox", { name: "Procurar nas linhas" });
  for (const [text, found] of [
    ["1.234,5", "a"],
    ["234,5", "a"],
    ["31/12", "a"],
    ["01/2025", "b"],
  ] as const) {
    await search.fill(text);
    await expect(page.getByText("1 linha de 3")).toBeVisible();
    await expect(cell(page, 1, 1)).toHaveText(found);
  }
});

test("a time is shown by the deployment's clocks, and typed by them, wherever the browser is", async ({
  browser,
  company,
}) => {
  const table = await company.table("horas", ["quando:datetime"], [{ quando: "2025-01-04T19:41:00Z" }]);
  for (const timezoneId of ["America/Sao_Paulo", "Europe/Lisbon", "Asia/Tokyo"]) {
    const page = await browser.newPage({ timezoneId });
    await page.goto(`/tabelas/${table}#token=${company.token}`);
    await expect(cell(page, 1, 1)).toHaveText("04/01/2025 16:41");
    await page.close();
  }
});

test("a refused cell opens with what was typed, and is given up by Esc and by undoing", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("armadilha", ["valor:decimal"], [{ valor: "1.5" }, { valor: "2.5" }]);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 2, 1)).toHaveText("2,5");
  await cell(page, 2, 1).click();
  await page.keyboard.type("3");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  const refuse = async (): Promise<void> => {
    await cell(page, 1, 1).click();
    await page.keyboard.type("abc");
    await page.keyboard.press("Enter");
    await expect(cell(page, 1, 1)).toHaveText("abc");
    await cell(page, 1, 1).click();
  };
  await refuse();
  await page.keyboard.press("F2");
  await expect(page.locator(".mt-cell-editor")).toHaveValue("abc");
  await page.keyboard.press("Escape");
  await expect(cell(page, 1, 1)).toHaveText("1,5");
  await refuse();
  await page.keyboard.press("Control+z");
  await expect(cell(page, 1, 1)).toHaveText("1,5");
  await expect(cell(page, 2, 1)).toHaveText("3");
  await page.keyboard.press("Control+z");
  await expect(cell(page, 2, 1)).toHaveText("2,5");
  await page.keyboard.press("Control+y");
  await expect(cell(page, 2, 1)).toHaveText("3");

  const broken = { status: 500, json: { error: "Erro interno", code: "INTERNAL_ERROR" } };
  await page.route(/\/data\/[0-9a-f-]{36}\?/, (route) => route.fulfill(broken), { times: 1 });
  await cell(page, 1, 1).click();
  await page.keyboard.type("4");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveAttribute("aria-invalid", "true");
  await cell(page, 1, 1).click();
  for (const key of ["F2", "Enter"]) await page.keyboard.press(key); // tries again
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await expect(cell(page, 1, 1)).toHaveAttribute("aria-invalid", "false");
});

alone(
  "changes of other columns are merged, of the same cells in a pasted block asked for",
  async ({ page, company, visit, context }) => {
    await fallBehind(page);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const rows = ["a", "b", "c"].map((nome) => ({ nome, nota: "" }));
    const table = await company.table("mistura", ["nome:text", "nota:text"], rows);
    await visit(`/tabelas/${table}`);
    await expect(cell(page, 3, 1)).toHaveText("c");
    const stored = async () =>
      (await company.call("GET", `/${table}/data`))["records"] as { id: string; nome: string; nota: string }[];
    const [first, second] = await stored();
    await company.call("PUT", `/${table}/data/${first?.id ?? ""}`, { nota: "dela" });
    await cell(page, 1, 1).click();
    await page.keyboard.type("minha");
    await page.keyboard.press("Enter");
    await expect(cell(page, 1, 2)).toHaveText("dela");
    await expect.poll(async () => (await stored())[0]).toMatchObject({ nome: "minha", nota: "dela" });

    await company.call("PUT", `/${table}/data/${second?.id ?? ""}`, { nome: "B dela" });
    await cell(page, 1, 1).click();
    await page.evaluate(() => navigator.clipboard.writeText("A\nB\nC"));
    await page.keyboard.press("Control+v");
    const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" });
    await expect(dialog.getByRole("row", { name: /2 nome B dela B/ })).toBeVisible();
    await dialog.getByRole("button", { name: "Usar a dela" }).click();
    await expect.poll(async () => (await stored()).map(({ nome }) => nome)).toEqual(["A", "B dela", "C"]);
    await expect(cell(page, 2, 1)).toHaveText("B dela");
  },
);

test("what is pasted beyond the last row makes rows after one question, and the empty row takes a new one", async ({
  page,
  company,
  visit,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const table = await company.table("cresce", ["nome:text", "valor:decimal"], [{ nome: "a", valor: "1" }]);
  await visit(`/tabelas/${table}`);
  await cell(page, 1, 1).click();
  await page.evaluate(() => navigator.clipboard.writeText("b\t1\nc\tabc"));
  await page.keyboard.press("Control+v");
  await expect(page.getByRole("alert")).toContainText('linha 2 do que foi colado, valor: "abc"');
  await page.evaluate(() => navigator.clipboard.writeText("b\t(99,90)\nc\t50%\nd\tR$ -"));
  await page.keyboard.press("Control+v");
  await page
    .getByRole("dialog", { name: "Criar 2 linhas novas?" })
    .getByRole("button", { name: /^Criar/ })
    .click();
  await expect(page.getByText("3 linhas").first()).toBeVisible();
  await expect(cell(page, 2, 1)).toBeFocused();
  await cell(page, 4, 1).click();
  await page.keyboard.type("e");
  await page.keyboard.press("Enter");
  await expect(page.getByText("4 linhas").first()).toBeVisible();
  const search = page.getByRole("searchbox", { name: "Procurar nas linhas" });
  await search.fill("e");
  await page.getByRole("columnheader", { name: "nome" }).click(); // at once: neither takes the other back
  await expect(page.getByText("1 linha de 4")).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "nome" })).toHaveAttribute("aria-sort", "ascending");
  await search.fill("");
  await expect(page.getByText("4 linhas").first()).toBeVisible();
  await expect(cell(page, 4, 1)).toHaveText("e");
  await expect(search).toBeFocused(); // though the new row has moved
  await cell(page, 5, 2).click();
  await page.keyboard.type("abc");
  await page.keyboard.press("Enter"); // no value, and so a form has it
  const form = page.getByRole("dialog", { name: "Nova linha" });
  await expect(form.getByLabel("valor")).toHaveValue("abc");
  await expect(form.getByText("não é um número")).toBeVisible();
  await form.getByLabel("valor").fill("5");
  await form.getByRole("button", { name: "Gravar" }).click();
  await expect(page.getByText("5 linhas").first()).toBeVisible();
  const rows = await company.call("GET", `/${table}/data?numbers=string`);
  expect((rows["records"] as object[]).map(({ ...row }) => [row["nome" as never], row["valor" as never]])).toEqual([
    ["b", "-99.90"],
    ["c", "0.50"],
    ["d", "0"],
    ["e", null],
    [null, "5"],
  ]);
});

alone("whoever may only read sees nothing to write with", async ({ page, company }) => {
  const table = await company.table("leitora", ["nome:text"], [{ nome: "a" }]);
  const reader = new Company(["managed-tables:list", "managed-tables:data-read"], company.id);
  await page.goto(`/tabelas/${table}#token=${reader.token}`);
  await expect(cell(page, 1, 1)).toHaveText("a");
  await expect(page.getByRole("button", { name: "Nova linha" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: /Enviar arquivo|Estrutura|Acesso para BI/ })).toHaveCount(0);
  await expect(page.getByText(`Empresa ${company.id}`)).toBeVisible();
  await cell(page, 1, 1).dblclick();
  await expect(page.locator(".mt-cell-editor")).toHaveCount(0);
  await page.getByRole("link", { name: "Tabelas" }).click();
  await expect(page.getByRole("link", { name: "leitora" })).toBeVisible();
  await expect(page.getByRole("link", { name: /Enviar arquivo|Criar tabela/ })).toHaveCount(0);
});

alone("rows grow with the reader's own size of text", async ({ page, company, visit }) => {
  const table = await company.table("grande", ["nome:text"], [{ nome: "Ação" }, { nome: "b" }]);
  await visit(`/tabelas/${table}`);
  await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
  await page.setViewportSize({ width: 1000, height: 700 }); // it is measured again
  await expect(cell(page, 2, 1)).toHaveText("b");
  await expect
    .poll(async () => {
      const [one, other] = await Promise.all([cell(page, 1, 1).boundingBox(), cell(page, 2, 1).boundingBox()]);
      return (other?.y ?? 0) - (one?.y ?? 0);
    })
    .toBe(64);
  expect(await cell(page, 1, 1).evaluate((one) => one.scrollHeight <= one.clientHeight)).toBe(true);
});

alone("a million rows: the last is one key away, and few are in the document", async ({ page, million }) => {
  await page.goto(`/tabelas/${million.table}#token=${million.company.token}`);
  await expect(cell(page, 1, 2)).toHaveText("linha 1"); // before, keys walk among rows that are still to come
  await expect(page.getByText("1.000.000 linhas").first()).toBeVisible();
  await cell(page, 1, 1).click();
  const asked: Json[] = [];
  await page.route("**/data/query?*", (route) => {
    const body = route.request().postDataJSON() as Json;
    if (!body["fields"]) asked.push(body); // else it looks for what colleagues have changed
    return route.continue();
  });
  const before = Date.now();
  await page.keyboard.press("Control+End");
  await expect(cell(page, 1_000_000, 2)).toHaveText("linha 1000000");
  const took = Date.now() - before;
  await expect(cell(page, 1_000_000, 2)).toBeFocused();
  expect(asked.length, "the rows in sight come in one answer, or in two").toBeLessThanOrEqual(2);
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
  for (const [bar, row] of [
    [Number.MAX_SAFE_INTEGER, 1_000_000],
    [0, 1],
  ] as const) {
    await grid.evaluate((element, to) => {
      element.scrollTop = to;
    }, bar);
    await expect(cell(page, row, 2)).toBeInViewport(); // the bar's ends are those of the rows
  }
  expect(asked.filter(({ count }) => count !== false)).toEqual([]); // they are counted once
  asked.length = 0;
  await cell(page, 1, 1).click();
  for (let pages = 0; pages < 15; pages += 1) await page.keyboard.press("PageDown");
  await expect.poll(() => asked).toMatchObject([{ cursor: expect.any(String), count: false }]); // found from the last row
});

/** What the page's JavaScript holds after a collection. */
async function heapMB(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1_000_000;
}

test("what a colleague writes shows within seconds and flashes, and what I am writing stays mine", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("colegas", ["nome:text", "nota:text"], [{ nome: "a" }, { nome: "b" }]);
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 1, 1)).toHaveText("a");
  const [row] = (await company.call("GET", `/${table}/data`))["records"] as { id: string }[];
  const colleague = (change: object) => company.call("PUT", `/${table}/data/${row?.id ?? ""}`, change);
  await colleague({ nota: "dela" });
  await expect(cell(page, 1, 2)).toHaveText("dela");
  await expect(cell(page, 1, 2)).toHaveClass(/mt-cell-changed/);
  await expect(cell(page, 1, 1)).not.toHaveClass(/mt-cell-changed/);
  await expect(cell(page, 1, 2)).not.toHaveClass(/mt-cell-changed/);
  await company.call("POST", `/${table}/data`, { rows: [{ nome: "c" }] });
  await expect(page.getByText("3 linhas").first()).toBeVisible();

  await cell(page, 1, 1).click();
  await page.keyboard.type("minha");
  await colleague({ nome: "outra" });
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Outra pessoa mudou esta célula" });
  await expect(dialog).toContainText("outra");
  await dialog.getByRole("button", { name: "Gravar a minha" }).click();
  await expect(cell(page, 1, 1)).toHaveText("minha");
});

alone(
  "a grid that nobody touches for three minutes asks nothing until a key is pressed",
  async ({ page, company, visit }) => {
    const table = await company.table("repouso", ["nome:text"], [{ nome: "a" }]);
    await page.clock.install();
    await visit(`/tabelas/${table}`);
    await expect(cell(page, 1, 1)).toHaveText("a");
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes(`/${table}/data`)) asked += 1;
    });
    const looked = page.waitForResponse((answer) => answer.url().includes(`/${table}/data`));
    await page.clock.fastForward(10_000);
    await (await looked).finished(); // one that is on its way would seem to take three minutes, and make the next wait
    expect(asked).toBeGreaterThan(0);
    await page.clock.runFor(100);
    await page.clock.fastForward(181_000);
    await company.call("POST", `/${table}/data`, { rows: [{ nome: "b" }] });
    asked = 0;
    for (let look = 0; look < 5; look += 1) await page.clock.runFor(6_000);
    expect(asked).toBe(0);
    await page.keyboard.press("ArrowDown");
    const look = async (): Promise<void> => {
      await page.clock.runFor(6_000); // an answer that comes after it is shown by the next one
      await expect(page.getByText("2 linhas").first()).toBeVisible({ timeout: 1_000 });
    };
    await expect(look).toPass({ timeout: 20_000 });
  },
);

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

test("rows are grouped by two columns with subtotals that fold, and a group opens in the grid", async ({
  page,
  company,
  visit,
}) => {
  const rows = [
    { loja: "Centro", row_count: "2025-01-01", valor: "1.5" },
    { loja: "Centro", row_count: "2025-02-01", valor: "2" },
    { loja: "Centro", row_count: "2025-02-01", valor: "3.5" },
    { loja: null, row_count: "2025-02-01", valor: "10" },
  ];
  const table = await company.table("grupos", ["loja:text", "row_count:date", "valor:decimal"], rows);
  await visit(`/tabelas/${table}`);
  await page.getByLabel("Rodapé de valor").selectOption("sum");
  await page.getByRole("button", { name: "Opções da coluna loja" }).click();
  await page.getByRole("button", { name: "Agrupar por esta coluna" }).click();
  await expect(page.getByRole("button", { name: "Por loja" })).toBeVisible();
  await visit(`/tabelas/${table}?group_by=["saiu","loja","row_count"]&sort=["-saiu"]&totals={"valor":"sum"}`); // a column that is gone
  await expect(page.getByRole("button", { name: "Por row_count" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Por saiu" })).toHaveCount(0);
  const group = (text: string) => page.locator("summary").filter({ hasText: text });
  await expect(group("Centro")).toContainText(/3 linhas\s*Soma de valor: 7/);
  await expect(group("(vazia)")).toContainText(/1 linha\s*Soma de valor: 10/);
  await expect(group("01/02/2025")).toHaveCount(0);
  await group("Centro").click();
  await expect(group("01/02/2025")).toContainText(/2 linhas\s*Soma de valor: 5,5/);
  await group("01/02/2025").click();
  await expect(page.getByText("Centro · 01/02/2025 · 3,5")).toBeVisible();
  await expectAccessible(page);
  await group("Centro").click();
  await expect(page.getByText("Centro · 01/02/2025 · 3,5")).toBeHidden();
  await group("Centro").click();
  await page.getByRole("button", { name: "Abrir estas linhas na grade" }).click();
  await expect(page.getByText("2 linhas de 4")).toBeVisible();
  await expect(cell(page, 2, 3)).toHaveText("3,5");
});

// CONSOLE_HABITS_ROWS=1000000 walks through them in a table of a million rows as well, which takes some minutes.
const MANY_ROWS = Number(process.env["CONSOLE_HABITS_ROWS"] ?? 0);

async function tableOfHabits(company: Company, rowCount: number, columnCount: number): Promise<string> {
  const fillers = Array.from({ length: columnCount - 4 }, (_, at) => `x${at + 5}:text`);
  const rows = Array.from({ length: Math.min(rowCount, 6) }, (_, at) => ({
    a: `a${at + 1}`,
    b: String(at + 1),
    c: "x",
    d: at % 2 === 0,
  }));
  if (rowCount === rows.length) {
    return company.table(`habitos_${columnCount}`, ["a:text", "b:integer", "c:text", "d:boolean", ...fillers], rows);
  }
  const lines = Array.from({ length: rowCount }, (_, at) => `a${at + 1};${at + 1};x;${at % 2 ? "não" : "sim"}`);
  return company.load("habitos.csv", ["a;b;c;d", ...lines.toSpliced(1_000, 1, "z;;;")].join("\n")); // cells may be empty
}

for (const [last, lastColumn] of [[6, 4], [6, 200], ...(MANY_ROWS > 0 ? [[MANY_ROWS, 4]] : [])] as [number, number][])
  test(`the habits of a spreadsheet in ${last} rows of ${lastColumn} columns: forty keys, clicks and drags`, async ({
    page,
    company,
    visit,
    context,
  }) => {
    test.slow(last > 6);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const table = await tableOfHabits(company, last, lastColumn);
    await visit(`/tabelas/${table}`);
    const { keyboard } = page;
    const at = (row: number, column: number) => expect(cell(page, row, column)).toBeFocused();
    const stored = async (name: string) =>
      ((await company.call("GET", `/${table}/data`))["records"] as Record<string, unknown>[])
        .slice(0, 6)
        .map((row) => row[name]);
    const marked = page.locator('[role="gridcell"][aria-selected="true"]');

    await cell(page, 1, 1).click();
    for (const [key, row, column] of [
      ["ArrowRight", 1, 2],
      ["ArrowDown", 2, 2],
      ["ArrowLeft", 2, 1],
      ["ArrowUp", 1, 1],
      ["End", 1, lastColumn],
      ["Home", 1, 1],
      ["Control+End", last, lastColumn],
      ["Control+Home", 1, 1],
      ["Control+ArrowDown", last, 1],
      ["Control+ArrowRight", last, lastColumn],
      ["Control+ArrowUp", 1, lastColumn],
      ["Control+ArrowLeft", 1, 1],
    ] as const) {
      await keyboard.press(key);
      await at(row, column);
    }
    await keyboard.press("PageDown");
    if (last === 6) await at(7, 1); // the empty row takes a new one
    await keyboard.press("PageUp");
    await at(1, 1);
    await keyboard.press("Shift+ArrowDown");
    await keyboard.press("Shift+ArrowRight");
    await expect(marked).toHaveCount(4);
    await cell(page, 3, 3).click({ modifiers: ["Shift"] });
    await expect(marked).toHaveCount(9);
    await keyboard.press("Escape");
    await expect(marked).toHaveCount(0);
    await keyboard.press("Control+a");
    await expect.poll(() => marked.count()).toBeGreaterThanOrEqual(24); // those in sight
    await keyboard.press("Control+Home");

    await keyboard.press("Control+c");
    await cell(page, 2, 3).click();
    await keyboard.press("Control+v");
    await expect.poll(() => stored("c")).toEqual(["x", "a1", "x", "x", "x", "x"]);
    await keyboard.press("Control+x");
    await expect.poll(() => stored("c")).toEqual(["x", null, "x", "x", "x", "x"]);
    await keyboard.press("Control+z");
    await expect.poll(() => stored("c")).toEqual(["x", "a1", "x", "x", "x", "x"]);
    await keyboard.press("Control+y");
    await expect.poll(() => stored("c")).toEqual(["x", null, "x", "x", "x", "x"]);
    await cell(page, 1, 1).click();
    await keyboard.press("Shift+ArrowDown");
    await keyboard.press("Control+d");
    await expect.poll(() => stored("a")).toEqual(["a1", "a1", "a3", "a4", "a5", "a6"]);
    await cell(page, 3, 1).click();
    const handle = await page.locator(".mt-fill").boundingBox();
    const below = await cell(page, 5, 1).boundingBox();
    await page.mouse.move((handle?.x ?? 0) + 4, (handle?.y ?? 0) + 4);
    await page.mouse.down();
    await page.mouse.move((handle?.x ?? 0) + 4, (below?.y ?? 0) + 10, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => stored("a")).toEqual(["a1", "a1", "a3", "a3", "a3", "a6"]);
    await cell(page, 6, 1).click();
    await page.locator(".mt-fill").hover();
    await page.mouse.down();
    await cell(page, 5, 1).hover();
    await page.mouse.up(); // up from a cell: its value goes up, too
    await expect.poll(() => stored("a")).toEqual(["a1", "a1", "a3", "a3", "a6", "a6"]);

    await cell(page, 1, 2).click();
    await keyboard.press("Delete");
    await expect.poll(() => stored("b")).toEqual([null, 2, 3, 4, 5, 6]);
    await keyboard.type("10");
    await keyboard.press("Enter");
    await at(2, 2);
    await keyboard.type("20");
    await keyboard.press("Shift+Enter");
    await at(1, 2);
    await keyboard.type("11");
    await keyboard.press("Tab");
    await at(1, 3);
    await keyboard.type("y");
    await keyboard.press("Shift+Tab");
    await at(1, 2);
    await expect.poll(() => stored("b")).toEqual([11, 20, 3, 4, 5, 6]);
    await keyboard.press("F2");
    await keyboard.type("9");
    await keyboard.press("Escape");
    await expect(cell(page, 1, 2)).toHaveText("11");
    await cell(page, 1, 3).dblclick();
    await keyboard.press("Alt+Enter");
    await keyboard.type("z");
    await keyboard.press("Enter");
    await expect.poll(async () => (await stored("c"))[0]).toBe("y\nz");
    await cell(page, 2, 4).dblclick();
    await page.getByRole("combobox", { name: "d", exact: true }).selectOption("Sim");
    await keyboard.press("Enter");
    await expect.poll(async () => (await stored("d"))[1]).toBe(true);
    await keyboard.type("x"); // which is neither: what stands there stays
    await expect(page.getByRole("combobox", { name: "d", exact: true })).toHaveValue("Sim");
    await keyboard.press("Enter");
    await cell(page, 3, 4).getByRole("checkbox").click();
    await expect.poll(async () => (await stored("d"))[2]).toBe(false);

    await cell(page, 2, 1).click();
    await keyboard.press("Space");
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await keyboard.press("Shift+Space");
    await expect(page.getByRole("button", { name: "Apagar 3 linhas" })).toBeVisible();
    await keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Teclas" })).toBeVisible();
    await keyboard.press("Escape");
    await at(4, 1);
    await keyboard.press("/");
    await expect(page.getByRole("searchbox", { name: "Procurar nas linhas" })).toBeFocused();

    await cell(page, 1, 1).click();
    await keyboard.press("ArrowUp");
    const head = (name: string) => page.getByRole("columnheader", { name: `${name} Opções da coluna ${name}` });
    await keyboard.press("Enter");
    await expect(head("a")).toHaveAttribute("aria-sort", "ascending");
    await keyboard.press("ArrowRight");
    await keyboard.press("Shift+Enter");
    await expect(head("b")).toHaveAttribute("aria-sort", "ascending");
    await expect(head("a")).toHaveAttribute("aria-sort", "ascending");
    const width = async () => (await head("b").boundingBox())?.width ?? 0;
    await head("b").locator(".mt-grid-resize").dblclick();
    await expect.poll(width).toBeLessThan(168);
    await keyboard.press("Alt+ArrowDown");
    await expect(page.getByRole("dialog", { name: "b" })).toBeVisible();
    await keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(cell(page, 1, 1)).toHaveText("a1");
    await cell(page, 1, 1).click({ button: "right" });
    await expect(page.getByRole("dialog", { name: "De onde veio" })).toBeVisible();
  });
