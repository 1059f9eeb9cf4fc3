import type { Page } from "@playwright/test";
import { test as alone, cell, column, expect, expectAccessible, isAsked, lose, SLOW_3G } from "./support.ts";

const test = alone.extend({ isLent: true });

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
  await expect(page.getByRole("dialog")).toContainText("2 linhas e 2 colunas vão para o arquivo.");
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

test("a bookmark with a filter in a way of before says that it was not understood", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("endereco_de_antes", ["nome:text"], [{ nome: "a" }, { nome: "b" }]);
  await visit(`/tabelas/${table}?filter[nome][eq]=a`);
  const told = page.getByText("Este endereço tem um filtro que não foi entendido, e que não vale: filter[nome][eq]=a.");
  await expect(told).toBeVisible();
  await expect(page.getByRole("gridcell", { name: "b", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Tirar do endereço" }).click();
  await expect(told).toBeHidden();
  expect(page.url()).not.toContain("filter");
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
