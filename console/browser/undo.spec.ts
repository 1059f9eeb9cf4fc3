import { test as alone, cell, DIGITS, expect, expectAccessible, fallBehind, holdNext, lose, more } from "./support.ts";

const test = alone.extend({ isLent: true });

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
  await expect(history.getByRole("listitem").first()).toHaveText(/^Você alterou.*valor: 1\.000,50 → 7,5/);
  await history.getByRole("listitem").first().getByRole("button", { name: "Ver a linha" }).click();
  await expect(story).toContainText("origem.csv");
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
  await expect(cell(page, 1, 1)).toHaveText("b");
  answer();
  await expect(page.getByRole("alert")).toHaveText("1 linha foi apagada enquanto você editava");
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
  const taken = { status: 409, json: { error: "Já existe", code: "DUPLICATE_KEY" } };
  await page.route("**/trash/restore", (route) => route.fulfill(taken), { times: 1 });
  const answer = await holdNext(page, /\/data\/delete/);
  await page.getByRole("button", { name: "Apagar 1 linha" }).click();
  await cell(page, 1, 1).click();
  await page.keyboard.press("Control+z"); // before the deletion is answered; a colleague has given another row its key
  answer();
  await expect(page.getByRole("alert")).toContainText("Já existe");
  await page.keyboard.press("Control+z"); // the new row goes, which came before
  await expect(page.getByText("0 linhas").first()).toBeVisible();
});

test("what a colleague wrote meanwhile is not undone", async ({ page, company, visit }) => {
  const table = await company.table("colega_no_meio", ["nome:text"], [{ nome: "antes" }]);
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
