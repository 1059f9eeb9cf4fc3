import type { Page } from "@playwright/test";
import { test as alone, cell, expect, expectAccessible, type Json, more } from "./support.ts";

const test = alone.extend({ isLent: true });

async function openRules(page: Page, name: string) {
  await page.getByRole("button", { name: `Opções da coluna ${name}` }).click();
  await page.getByRole("button", { name: "Regras", exact: true }).click();
  return page.getByRole("dialog", { name: `Regras de ${name}` });
}

test("a rule is told in a sentence, and its rows are counted before it is kept", async ({ page, company, visit }) => {
  const rows = [1, 5, 11, 12].map((valor) => ({ valor: String(valor), nome: "a" }));
  const table = await company.table("regras", ["valor:decimal", "nome:text"], rows);
  const rulesOf = async () => (await company.call("GET", `/${table}`))["rules"] as Json[];
  await visit(`/tabelas/${table}`);
  const dialog = await openRules(page, "valor");
  await expect(dialog).toContainText("Ainda não há regras");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Acrescentar regra" }).click();
  const form = page.getByRole("dialog", { name: "Nova regra" });
  await form.getByRole("button", { name: "Gravar a regra" }).click();
  await expect(form.getByRole("alert")).toContainText("ao menos um dos dois limites");
  await form.getByLabel("No mínimo").fill("0");
  await form.getByLabel("No máximo").fill("10,5");
  await expect(form.getByRole("status")).toContainText("2 linhas a quebram, de 4 linhas: “11”, “12”");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Gravar a regra" }).click();
  await expect(form.getByRole("alert").last()).toContainText("2 linhas"); // it refuses, and they are there
  await form.getByLabel("Só marcar").check();
  await form.getByRole("button", { name: "Gravar a regra" }).click();
  await expect(form).toHaveCount(0);
  await expect(dialog).toContainText("valor fica entre 0 e 10,5 só marca");
  expect(await rulesOf()).toMatchObject([{ kind: "range", columns: ["valor"], severity: "warn" }]);

  await dialog.getByRole("button", { name: "Ver 2 linhas que a quebram" }).click();
  await expect(page.getByText("2 linhas de 4")).toBeVisible();
  await expect(
    page.getByRole("button", { name: "Tirar o filtro quebra a regra “valor fica entre 0 e 10,5”" }),
  ).toBeVisible();
  await expect(cell(page, 1, 1)).toHaveText("11");

  await openRules(page, "valor");
  await dialog.getByRole("button", { name: "Mudar valor fica entre 0 e 10,5" }).click();
  const again = page.getByRole("dialog", { name: "Mudar a regra" });
  await expect(again.getByLabel("No máximo")).toHaveValue("10,5");
  await again.getByLabel("No máximo").fill("20");
  await expect(again.getByRole("status")).toContainText("Nenhuma de 4 linhas de hoje a quebra");
  await again.getByLabel("Recusar").check();
  await again.getByLabel("O que dizer a quem a quebra").fill("de 0 a 20");
  await again.getByRole("button", { name: "Gravar a regra" }).click();
  await expect(dialog).toContainText("Diz: “de 0 a 20”");
  expect(await rulesOf()).toMatchObject([{ severity: "refuse", message: "de 0 a 20" }]);
  await dialog.getByRole("button", { name: "Fechar" }).click();
  await page.getByRole("button", { name: /^Tirar o filtro/ }).click();
  await cell(page, 1, 1).dblclick();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("99");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveAttribute("aria-invalid", "true");
  await expect(cell(page, 1, 1)).toHaveAttribute("title", "de 0 a 20");
  await cell(page, 1, 1).click();
  await page.keyboard.press("Escape");

  await openRules(page, "valor");
  await dialog.getByRole("button", { name: "Tirar valor fica entre 0 e 20" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Tirar a regra" }).click();
  await expect(dialog).toContainText("Ainda não há regras");
  expect(await rulesOf()).toEqual([]);
  await dialog.getByRole("button", { name: "Fechar" }).click();

  await more(page, "Histórico");
  const history = page.getByRole("dialog", { name: "Histórico da tabela" });
  await expect(history.getByText(/ a regra/)).toHaveText([/retirou a regra/, /mudou a regra/, /acrescentou a regra/]);
  await expect(history).toContainText("valor: Fica entre dois valores");
});

test("each kind is written in the table's structure, and refused rows are for new ones alone if so said", async ({
  page,
  company,
  visit,
}) => {
  const cities = await company.table("cidades", ["nome:text"], [{ nome: "Recife" }]);
  await company.call("PUT", `/${cities}`, { key: ["nome"] });
  const columns = ["texto:text", "cidade:text", "inicio:date", "fim:date"];
  const table = await company.table("especies", columns, [{ texto: "a", cidade: "Recife" }]);
  await visit(`/tabelas/${table}/estrutura`);
  const section = page.getByRole("region", { name: "Regras" });
  const add = async (
    kind: string,
    column: string,
    write: (form: ReturnType<Page["getByRole"]>) => Promise<unknown>,
  ) => {
    await section.getByRole("button", { name: "Acrescentar regra" }).click();
    const form = page.getByRole("dialog", { name: "Nova regra" });
    await form.getByLabel("Coluna", { exact: true }).selectOption(column);
    await form.getByLabel("O que vale").selectOption(kind);
    await write(form);
    await form.getByRole("button", { name: "Gravar a regra" }).click();
    await expect(form).toHaveCount(0);
  };
  await add("length", "texto", (form) => form.getByLabel("No máximo").fill("3"));
  await add("pattern", "texto", (form) => form.getByLabel("Padrão").fill("[a-z]+"));
  await add("list", "texto", (form) => form.getByLabel("Valores").fill("a\nb"));
  await add("unique", "texto", (form) => form.getByLabel("cidade").check());
  await add("compare", "inicio", (form) => form.getByLabel("Outra coluna").selectOption("fim"));
  await add("range", "fim", (form) => form.getByLabel("No máximo").fill("hoje"));
  await add("in_table", "cidade", (form) => form.getByLabel("Outra tabela", { exact: true }).selectOption(cities));
  await add("named", "texto", async (form) => {
    await form.getByLabel("Código").selectOption("uf");
    await expect(form.getByRole("status")).toContainText("1 linha a quebra, de 1 linha: “a”");
    await form.getByLabel("Valer só para o que for gravado de agora em diante").check();
  });
  for (const sentence of [
    "texto tem no máximo 3 caracteres recusa",
    "texto segue o padrão [a-z]+ recusa",
    "texto é um destes: a, b recusa",
    "texto + cidade: juntas não se repetem recusa",
    "inicio é menor ou igual a fim recusa",
    "fim é no máximo hoje recusa",
    "cidade existe na coluna nome de cidades recusa",
    "texto é: Sigla de estado (UF) recusa o que é novo",
  ])
    await expect(section.getByRole("listitem").filter({ hasText: sentence })).toBeVisible();
  await expectAccessible(page);
  const { rules } = await company.call("GET", `/${table}`);
  expect((rules as Json[]).map(({ kind }) => kind)).toEqual([
    "length",
    "pattern",
    "list",
    "unique",
    "compare",
    "range",
    "in_table",
    "named",
  ]);
  await section.getByRole("button", { name: "Ver 1 linha que a quebra" }).click();
  await expect(page.getByRole("button", { name: /^Tirar o filtro quebra a regra “texto é: Sigla/ })).toBeVisible();
});

test("rules that the rows keep are cards with their evidence, accepted or dismissed", async ({
  page,
  company,
  visit,
}) => {
  const rows = Array.from({ length: 210 }, (_, place) => ({
    situacao: ["novo", "pago", "enviado"][place % 3],
    saldo: String((place % 37) + 1),
  }));
  const table = await company.table("propostas", ["situacao:text", "saldo:decimal"], rows);
  await visit(`/tabelas/${table}`);
  const dialog = await openRules(page, "situacao");
  await dialog.getByText("Regras que os dados já seguem").click();
  const card = dialog.getByRole("listitem").filter({ hasText: "situacao é um destes: enviado, novo, pago" });
  await expect(card).toContainText("Vale em 210 linhas");
  await expectAccessible(page);
  await card.getByRole("button", { name: "Aceitar" }).click();
  await expect(dialog.getByText("recusa", { exact: true })).toBeVisible();
  await expect(card).toHaveCount(1); // the rule, and no card any more
  await dialog.getByRole("button", { name: "Fechar" }).click();
  await openRules(page, "saldo");
  const other = page.getByRole("dialog", { name: "Regras de saldo" });
  await other.getByText("Regras que os dados já seguem").click();
  await other.getByRole("button", { name: /^Dispensar saldo é no mínimo 0/ }).click();
  await expect(other).toContainText("Nada a propor por enquanto");
  await other.getByRole("button", { name: "Fechar" }).click();
  expect((await company.call("GET", `/${table}/rules/proposals`))["records"]).toEqual([]);
  expect((await company.call("GET", `/${table}`))["rules"]).toMatchObject([{ kind: "list", origin: "learned" }]);
});

test("doubtful cells are marked, a list is a choice in colours, another table's values are sought, addresses are links", async ({
  page,
  company,
  visit,
}) => {
  const cities = await company.table(
    "destinos",
    ["nome:text"],
    [{ nome: "Recife" }, { nome: "Natal" }, { nome: "Olinda" }],
  );
  await company.call("PUT", `/${cities}`, { key: ["nome"] });
  const rows = [
    { situacao: "novo", valor: "1", cidade: "Recife", contato: "a@b.com.br" },
    { situacao: "pago", valor: "-5", cidade: "Natal", contato: "https://exemplo.com.br/x" },
  ];
  const table = await company.table("duvidas", ["situacao:text", "valor:decimal", "cidade:text", "contato:text"], rows);
  await company.call("PUT", `/${table}`, {
    rules: [
      { kind: "list", columns: ["situacao"], values: ["novo", "pago", "enviado"] },
      { kind: "range", columns: ["valor"], min: 0, severity: "warn" },
      { kind: "in_table", columns: ["cidade"], table: cities, column: "nome" },
    ],
  });
  await visit(`/tabelas/${table}`);
  await expect(cell(page, 2, 2)).toHaveClass(/mt-cell-doubtful/);
  await expect(cell(page, 2, 2)).toHaveAttribute("aria-description", "valor é no mínimo 0");
  await expect(cell(page, 1, 2)).not.toHaveClass(/mt-cell-doubtful/);
  await expect(cell(page, 1, 4).getByRole("link")).toHaveAttribute("href", "mailto:a@b.com.br");
  await expect(cell(page, 2, 4).getByRole("link")).toHaveAttribute("href", "https://exemplo.com.br/x");
  const colours = await page
    .locator(".mt-choice")
    .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
  expect(new Set(colours).size).toBe(2);
  await expectAccessible(page);

  await cell(page, 2, 2).click();
  await page.keyboard.type("7");
  await page.keyboard.press("Enter");
  await expect(cell(page, 2, 2)).not.toHaveClass(/mt-cell-doubtful/);
  await cell(page, 1, 1).click();
  await page.keyboard.type("e");
  await expect(page.getByRole("combobox", { name: "situacao", exact: true })).toHaveValue("enviado");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 1)).toHaveText("enviado");
  await cell(page, 2, 1).click();
  await page.keyboard.type("x"); // none of them: what stands there stays
  await expect(page.getByRole("combobox", { name: "situacao", exact: true })).toHaveValue("pago");
  await page.keyboard.press("Escape");

  await cell(page, 1, 3).click();
  await page.keyboard.press("Enter");
  const field = page.getByRole("combobox", { name: "cidade", exact: true });
  await field.fill("lin");
  await expect(cell(page, 1, 3).locator("option")).toHaveCount(1);
  await expect(cell(page, 1, 3).locator("option")).toHaveAttribute("value", "Olinda");
  await field.fill("Olinda");
  await page.keyboard.press("Enter");
  await expect(cell(page, 1, 3)).toHaveText("Olinda");
  const stored = async () => (await company.call("GET", `/${table}/data`))["records"];
  await expect.poll(stored).toMatchObject([
    { situacao: "enviado", cidade: "Olinda" },
    { situacao: "pago", valor: 7 },
  ]);
});

test("the review names the rows that break a rule, and the rows that fit load without them", async ({
  page,
  company,
  visit,
}) => {
  const table = await company.table("regrado", ["produto:text", "valor:decimal", "desconto:decimal"]);
  await company.call("PUT", `/${table}`, {
    rules: [
      { kind: "range", columns: ["valor"], min: 0 },
      { kind: "range", columns: ["desconto"], max: 50, severity: "warn" },
    ],
  });
  const job = await company.upload("maio.csv", "produto;valor;desconto\nA;1,5;1\nB;-2,5;60\nC;3,5;70\n", table);
  await company.reach(job, "waiting_confirm");
  await visit(`/envios/${job}`);
  const checks = page.getByRole("region", { name: "O que conferir" });
  const refused = checks.getByRole("button", {
    name: "1 linha quebra a regra “valor é no mínimo 0”, como “-2,5”",
  });
  await expect(refused).toHaveAttribute("title", "impede a importação");
  await expect(
    checks.getByRole("button", { name: "2 linhas quebram a regra “desconto é no máximo 50”, como “60”" }),
  ).toHaveAttribute("title", "para saber");
  await refused.click();
  await expect(checks.getByRole("listitem").filter({ hasText: "valor é no mínimo 0" })).toContainText("linha 3");
  await expect(page.locator(".mt-preview td.mt-preview-wrong")).toContainText("-2,5: valor é no mínimo 0");
  await expectAccessible(page);
  await page.getByLabel(/Importar as linhas que servem/).check();
  await page.getByRole("button", { name: /^Acrescentar/ }).click();
  await company.reach(job, "done");
  const { records } = await company.call("GET", `/${table}/data`);
  expect(records).toMatchObject([{ produto: "A" }, { produto: "C" }]);
});
