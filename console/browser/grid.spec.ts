import type { Page, Route } from "@playwright/test";
import {
  test as alone,
  Company,
  cell,
  column,
  expect,
  expectAccessible,
  fallBehind,
  holdNext,
  isAsked,
  type Json,
} from "./support.ts";

const test = alone.extend({ isLent: true });

const EXACT = {
  cep: "01821426",
  inteiro: "9007199254740993",
  longo: "123456789012345678901234567890.5",
  dia: "2025-12-31",
};
const RAW = ["01821426", "9007199254740993", "123456789012345678901234567890,5", "31/12/2025"];
const SHOWN = ["01821426", "9007199254740993", "123.456.789.012.345.678.901.234.567.890,5", "31/12/2025"];

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
  const refused = page.getByRole("dialog", { name: "Há linhas novas que não servem" });
  await expect(refused).toContainText('linha 2 do que foi colado, valor: "abc"');
  await expect(cell(page, 1, 1)).toHaveText("a"); // nothing of it is written before it is said how much
  await refused.getByRole("button", { name: "Não colar nada" }).click();
  await expect(cell(page, 1, 1)).toHaveText("a");
  await page.keyboard.press("Control+v");
  await refused.getByRole("button", { name: "Colar só nas linhas que existem" }).click();
  await expect(cell(page, 1, 1)).toHaveText("b");
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
