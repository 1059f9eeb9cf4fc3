import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./support.ts";

const REPORT = [
  "Relatório de vendas 2025",
  "",
  "Pedido;CEP;Vlr. Total;Data",
  ...Array.from(
    { length: 20 },
    (_, index) => `${10001 + index};01821426;${index},50;${String(index + 1).padStart(2, "0")}/03/2025`,
  ),
  "Total;;200,00;",
].join("\r\n");

/** The bytes of a text in Windows-1252: each of its letters is one byte. */
function windows1252(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

test("a report is shown as it was read, corrected, and opened by a colleague with all that was said", async ({
  page,
  company,
  visit,
  browser,
}) => {
  const job = await company.upload("relatorio.csv", windows1252(REPORT));
  await visit(`/envios/${job}`);
  await expect(page.getByRole("heading", { name: "Como o arquivo foi lido" })).toBeVisible();
  await expect(page.locator(".mt-review-summary")).toContainText("Windows ocidental");
  const lineOf = (other: Page, number: number) =>
    other
      .locator(".mt-preview tbody tr")
      .filter({ has: other.getByRole("rowheader", { name: String(number), exact: true }) });
  const line = (number: number) => lineOf(page, number);
  await expect(line(1)).toContainText("Título");
  await expect(line(3)).toContainText("Cabeçalho");
  await expect(line(24)).toContainText(/Rodapé|Ignorada/);
  await expectAccessible(page);

  const name = page.getByLabel("Nome de CEP");
  await name.fill("codigo_postal");
  let sent = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/reanalyze")) sent += 1;
  });
  await expect(line(4)).toContainText("01/03/2025 → será 1 de março de 2025");
  await page.getByRole("button", { name: "Linhas fora (3)" }).click();
  await expect(page.locator(".mt-preview tbody tr")).toHaveCount(3);
  await expect(line(24)).toContainText("Total");
  await page.getByRole("button", { name: "Linhas fora (3)" }).click();
  await line(5).getByRole("cell").nth(2).click(); // chooses a column, and changes nothing
  await page.getByRole("button", { name: /^Linha 4: Dados/ }).click();
  await page.getByRole("button", { name: "Usar como cabeçalho" }).click();
  await expect(line(4)).toContainText("Cabeçalho");
  expect(sent, "one choice is one call").toBe(1);
  await expect(page.getByText(/^Mantivemos 0 ajustes; 1 não vale mais: CEP$/).first()).toBeVisible(); // the labels are others now
  await expect(page.getByText("definido por você").first()).toBeVisible();

  const colleague = await (await browser.newContext()).newPage(); // all that was stated and typed is there
  await visit(`/envios/${job}`, colleague);
  await expect(lineOf(colleague, 4)).toContainText("Cabeçalho");
  await colleague.getByRole("button", { name: /^Linha 6: Dados/ }).click();
  await colleague.getByRole("button", { name: "Ignorar esta linha" }).click();
  await expect(lineOf(colleague, 6)).toContainText("Ignorada");
  await expect(lineOf(colleague, 4)).toContainText("Cabeçalho");
  await colleague.getByLabel("Nova tabela").fill("Vendas de 2025");
  const kept = colleague.waitForResponse((answer) => answer.url().endsWith("/draft"));
  expect((await kept).status()).toBe(204);
  await colleague.context().close();

  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: "Voltar ao detectado" }).click();
  await expect(line(3)).toContainText("Cabeçalho");
  await expect(name).toHaveValue("codigo_postal");
  await expect(page.getByText("Nos programas de BI: vendas_de_2025")).toBeVisible();
  await expect(page.getByLabel("Nova tabela")).toHaveValue("Vendas de 2025");

  await page.route("**/draft", (route) => route.abort(), { times: 1 });
  await page.getByLabel("Nova tabela").fill("Vendas do ano");
  await expect(page.getByRole("alert")).toContainText("Sem conexão");
  await page.getByRole("link", { name: "Envios" }).click(); // which might lose it
  await page.getByRole("dialog").getByRole("button", { name: "Ficar nesta página" }).click();
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);

  await page.getByRole("button", { name: /^Importar 20 linhas/ }).click();
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("heading", { name: "Vendas do ano" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "CEP" })).toBeVisible();
  await expect(page.locator('[role="row"][aria-rowindex="2"]')).toContainText("01821426");
  await expect(page.getByText("20 linhas").first()).toBeVisible();
});

test("values that do not fit are told before they are sent, lead to their column, and need no new upload", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("misto.csv", "nome;quantidade\na;1\nb;n/d\nc;x2\nd;três\ne;5\n");
  await visit(`/envios/${job}`);
  const type = page.getByLabel(/^Tipo de quantidade/);
  await page.getByRole("button", { name: /^B quantidade/ }).click();
  const panel = page.locator(".mt-column-panel");
  await type.selectOption("integer");
  await expect(panel.getByText("detectado", { exact: true })).toHaveCount(1); // beside the way back to it
  await panel.getByRole("button", { name: "Texto" }).click();
  await expect(type).toHaveValue("text");
  await type.selectOption("integer");
  const known = page.getByRole("region", { name: "O que conferir" });
  await expect(known.getByRole("listitem").first()).toHaveText(
    /quantidade: 3 valores não servem como Número inteiro: “n\/d” não é um número inteiro/,
  );
  await page.getByLabel("Importar as linhas que servem").check();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await page.getByLabel("Não importar nada até corrigir").check();
  await page.getByRole("button", { name: "Importar em misto" }).click();
  const misfits = page.getByRole("alert").filter({ has: page.getByRole("heading") });
  await expect(misfits.getByTitle("impede a importação")).toHaveCount(3);
  await expect(misfits).toContainText("misto.csv");
  await expect(misfits.getByRole("listitem").first()).toContainText(
    'misto.csv, linha 3, coluna B (quantidade): "n/d" não é um número inteiro',
  );
  await misfits.getByRole("listitem").first().getByRole("button").click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("n/d");
  await misfits.getByRole("listitem").nth(2).getByRole("button").click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("três");
  await page.setViewportSize({ width: 390, height: 800 });
  await expect(misfits.getByRole("listitem").nth(1)).toBeHidden(); // one of them is shown
  await misfits.getByRole("button", { name: "Ver tudo" }).click();
  await misfits.getByRole("listitem").nth(1).getByRole("button").click();
  await expect(page.locator(".mt-preview td.mt-preview-wrong")).toContainText("x2");
  await expect(page.locator(".mt-column-panel")).toBeHidden(); // it would lie over the cell
  await page.setViewportSize({ width: 1280, height: 800 });
  await expectAccessible(page);
  await type.selectOption("text");
  await page.getByLabel("Nome de quantidade").fill("nome");
  await page.getByRole("button", { name: /^Importar 5 linhas/ }).press("Enter");
  await expect(page.getByRole("button", { name: /^B quantidade/ })).toBeFocused(); // it has the name of another
  await page.getByLabel("Nome de quantidade").fill("quantidade");
  await page.getByRole("button", { name: /^Importar 5 linhas/ }).click();
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
});

test("rows that do not fit are set apart, and come back as a file", async ({ page, company, visit }) => {
  const job = await company.upload("separar.csv", "nome;quantidade\na;1\nb;x\nc;3\n");
  await visit(`/envios/${job}`);
  await page.getByLabel(/^Tipo de quantidade/).selectOption("integer");
  let sent = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/confirm")) sent += 1;
  });
  await page.getByRole("button", { name: "Importar em separar" }).dblclick();
  await page.getByRole("button", { name: /Separar estas linhas/ }).click();
  await expect(page.getByText(/2 linhas gravadas · 1 não entrou/)).toBeVisible();
  expect(sent, "one for each decision").toBe(2);
  const rejects = await company.call("GET", `/upload-jobs/${job}/rejects`);
  expect(await (await fetch(String(rejects["url"]))).text()).toContain("b;x;separar.csv;;3;");
});

test("a file is left out, and taken in again; what is wrong in it leads to its own line", async ({
  page,
  company,
  visit,
}) => {
  const csv = (name: string): string => `Vendas de hoje;\n;\nproduto;valor\n${name};1,5\n${name};2,5\n`;
  const answer = await company.call("POST", "/upload", {
    files: ["um.csv", "dois.csv"].map((name) => ({ name, size_bytes: csv(name).length })),
  });
  for (const [index, post] of (answer["uploads"] as { url: string; fields: Record<string, string> }[]).entries()) {
    const name = ["um.csv", "dois.csv"][index] ?? "";
    const form = new FormData();
    for (const [field, value] of Object.entries(post.fields)) form.append(field, value);
    form.append("file", new Blob([csv(name)]), name);
    await fetch(post.url, { method: "POST", body: form });
  }
  await visit(`/envios/${String(answer["job_id"])}`);
  await expect(page.getByRole("button", { name: /^dois\.csv: .*acima da tabela/ })).toBeVisible(); // and um.csv's, apart
  const tabs = page.getByRole("group", { name: "Arquivos e abas" });
  await tabs.getByRole("button", { name: /dois\.csv/ }).click();
  await page.getByRole("button", { name: "Deixar de fora" }).click();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await page.getByRole("button", { name: "Incluir na importação" }).click();
  await expect(page.getByRole("button", { name: /^Importar 4 linhas/ })).toBeVisible();
  await page.getByRole("button", { name: "Alterar a leitura" }).click();
  await page.getByRole("button", { name: "Acrescentar a cada linha o nome do arquivo e da aba" }).click();
  await expect(page.getByText("4 linhas · 3 colunas")).toBeVisible();
  await tabs.getByRole("button", { name: /um\.csv/ }).click();
  await page.getByLabel(/^Tipo de valor/).selectOption("integer");
  await page.getByRole("button", { name: /^Importar em / }).click();
  await page.getByRole("button", { name: /dois\.csv, linha 4/ }).click();
  await expect(tabs.getByRole("button", { name: /dois\.csv/ })).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator(".mt-preview td:focus")).toContainText("1,5");
});

test("a line below the data is imported once a person says so, whatever was left out before", async ({
  page,
  company,
  visit,
}) => {
  await visit(`/envios/${await company.upload("rodape.csv", windows1252(REPORT))}`);
  const say = async (line: string, said: string): Promise<void> => {
    await page.getByRole("button", { name: new RegExp(`^Linha ${line}`) }).click();
    await page.getByRole("button", { name: said }).click();
  };
  const way = (rows: number) => page.getByRole("button", { name: new RegExp(`^Importar ${rows} linhas`) });
  await say("24: Rodapé", "Incluir esta linha nos dados");
  await expect(way(21)).toBeVisible();
  await say("24: Dados", "Ignorar esta linha");
  await expect(way(20)).toBeVisible();
  await page.getByRole("button", { name: "Voltar ao detectado" }).click();
  await say("4: Dados", "Ignorar esta linha"); // the first of the data, and not the only one
  await expect(way(19)).toBeVisible();
  await say("6: Dados", "Ignorar esta linha");
  await expect(way(18)).toBeVisible();
  await expect(page.getByRole("region", { name: "O que conferir" })).toContainText("O rodapé abaixo da tabela");
  await say("24: Rodapé", "Terminar os dados aqui");
  await expect(way(19)).toBeVisible();
});

test("what is said of a row whose cells have several lines is said of all of it", async ({ page, company, visit }) => {
  const job = await company.upload("paragrafos.csv", 'nome;obs;n\n"um\ndois";x;1\nb;"y\n\nz";2\nc;w;3\nd;v;4\n');
  await visit(`/envios/${job}`);
  const lines = page.locator(".mt-preview tbody tr");
  const say = async (kind: string, said: string): Promise<void> => {
    await lines
      .nth(2)
      .getByRole("button", { name: `Linha 4: ${kind}` })
      .click();
    await lines.nth(2).getByRole("button", { name: said }).click();
  };
  await say("Dados", "Ignorar esta linha");
  await expect(page.getByRole("button", { name: /^Importar 3 linhas/ })).toBeVisible();
  await expect(lines).toContainText(["nome", "um", "Ignorada", "c", "d"]);
  await say("Ignorada", "Incluir esta linha nos dados");
  await expect(page.getByRole("button", { name: /^Importar 4 linhas/ })).toBeVisible();
  await say("Dados", "Terminar os dados aqui");
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await expect(lines).toContainText(["nome", "um", "Dados", "c", "d"]);
});

test("a file changes the rows that have its keys, and the list of uploads says how many", async ({
  page,
  company,
  visit,
}) => {
  const body = { display_name: "por_chave", key: ["cod"], columns: ["cod:integer", "nome:text"].map(keyed) };
  const { _id: table } = await company.call("POST", "", body);
  await company.call("POST", `/${table}/data`, {
    rows: [
      { cod: 1, nome: "a" },
      { cod: 2, nome: "b" },
    ],
  });
  await visit(`/enviar?tabela=${table}`);
  await page.getByLabel("Atualizar pela chave e acrescentar as novas").check();
  const buffer = Buffer.from("cod;nome\n1;a\n2;B\n");
  await page.getByLabel("Arquivos").setInputFiles({ name: "chaves.csv", mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: "Atualizar por_chave com 2 linhas" }).click();
  await expect(page.getByRole("heading", { name: /1 linha atualizada · 1 já estava igual/ })).toBeVisible();
  await page.getByRole("link", { name: "Envios" }).click();
  const listed = page.getByRole("listitem").filter({ hasText: "chaves.csv" });
  await expect(listed).toContainText("0 linhas gravadas · 1 linha atualizada");
  await expect(listed).toContainText("Você enviou");
  await listed.getByRole("link", { name: "Tabela: por_chave" }).click();

  const again = await company.upload("de_novo.csv", "cod;nome\n2;C\n3;d\n", String(table)); // to be appended
  await visit(`/envios/${again}`);
  await page.getByLabel("O que estas linhas fazem com a tabela").selectOption("upsert");
  await page.getByRole("button", { name: "Atualizar por_chave com 2 linhas" }).click();
  await expect(page.getByRole("heading", { name: /1 linha gravada · 1 linha atualizada/ })).toBeVisible();
});

function keyed(column: string) {
  const [name, type] = column.split(":");
  return { name, display_name: name, type, nullable: name !== "cod" };
}

test("an import is undone, and a job cancelled", async ({ page, company, visit }) => {
  const table = await company.load("desfazer.csv", "a;b\n1;2\n");
  await visit(`/envios/${await company.upload("desfazer_2.csv", "a;b\n1;2\n")}`);
  await page.getByRole("button", { name: /^Importar 1 linha/ }).click();
  await expect(page.getByRole("dialog", { name: "Importar assim?" })).toContainText("já foi importado");
  await visit("/envios");
  await page.getByRole("link", { name: "desfazer.csv" }).click();
  const [row] = (await company.call("GET", `/${table}/data`))["records"] as { id: string }[];
  await company.call("PUT", `/${table}/data/${row?.id}`, { b: "3" });
  await page.getByRole("button", { name: "Desfazer importação" }).click();
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Desfazer importação" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "1 linha mudou" })).toHaveText(/^1 linha mudou/);
  await page.getByRole("dialog").getByRole("button", { name: "Desfazer só as outras" }).click();
  await expect(page.getByRole("heading", { name: "Importação desfeita" })).toBeVisible();

  const job = await company.upload("cancelar.csv", "a;b\n1;2\n");
  await company.reach(job, "waiting_confirm"); // the screen of a job that is read gives way to the review
  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: "Cancelar importação" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancelar importação" }).click();
  await expect(page.getByRole("heading", { name: "Importação cancelada" })).toBeVisible();

  const other = await company.upload("de_outra.csv", "a;b\n1;2\n");
  await visit(`/envios/${other}`);
  await expect(page.locator(".mt-preview")).toBeVisible();
  await company.call("DELETE", `/upload-jobs/${other}`); // by a colleague
  await page.getByLabel("Nome de a").fill("c");
  await expect(page.getByRole("heading", { name: "Importação cancelada" })).toBeVisible();
});

test("next month's file has a blank and another label, and is mapped in two actions", async ({
  page,
  company,
  visit,
}) => {
  const first = await company.upload("mes1.csv", "produto;valor;nota\na;1,5;x\nb;2,5;y\n");
  await visit(`/envios/${first}`);
  await page.getByRole("button", { name: /^Importar 2 linhas/ }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("grid")).toBeVisible();
  const table = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const next = await company.upload("mes2.csv", "produto;Vlr;nota\nc;3,5;\n;4,5;z\n", table);
  await visit(`/envios/${next}`);
  await expect(page.locator(".mt-preview")).toBeVisible();
  const actions = await countActions(page);
  await page.getByLabel("Coluna da tabela para Vlr").focus();
  await page.keyboard.press("v"); // as a native list takes letters; by mouse one click opens it, one chooses
  await expect(page.getByLabel("Coluna da tabela para Vlr")).toHaveValue("valor");
  await page.getByRole("button", { name: "Acrescentar 2 linhas a mes1" }).click();
  await expect(page.getByText("2 linhas gravadas")).toBeVisible();
  expect(await actions()).toBeLessThanOrEqual(2);
  const rows = await company.call("GET", `/${table}/data?numbers=string`);
  expect((rows["records"] as object[]).slice(2)).toMatchObject([
    { produto: "c", valor: "3.5", nota: null },
    { produto: null, valor: "4.5", nota: "z" },
  ]);

  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Mais desta tabela" }).click();
  await page.getByRole("button", { name: "Modelo de importação" }).click();
  const recipe = page.getByRole("dialog", { name: "Modelo de importação", exact: true });
  await expect(recipe).toContainText("O cabeçalho é a linha que diz “produto”, “Vlr”, “nota”.");
  await expect(recipe).toContainText("“Vlr” vai para valor; número decimal");
  const unattended = recipe.getByLabel("Importar sozinho os arquivos em que nada mudou");
  await unattended.click(); // shown as checked once it is sent
  await expect(unattended).toBeChecked();
  await expect(unattended).toBeEnabled();
  expect(await company.call("GET", `/${table}/recipe`)).toMatchObject({ auto_confirm: "unchanged" });
  await expectAccessible(page);
  await recipe.getByRole("button", { name: "Esquecer o modelo" }).click();
  const sure = page.getByRole("dialog", { name: "Esquecer o modelo de importação?" });
  await sure.getByRole("button", { name: "Esquecer o modelo" }).click();
  await expect(recipe).toContainText("Nada foi guardado ainda");
});

test("a review opens with what is not as in the files before, side by side, and one click takes it on", async ({
  page,
  company,
  visit,
}) => {
  const lines = (from: number): string[] => Array.from({ length: 12 }, (_, at) => `p${from + at};${at},50`);
  const table = await company.load("maio.csv", ["produto;valor", ...lines(1)].join("\n"));
  const report = (from: number) =>
    ["Relatório", "", "produto;valor unitário;nota", ...lines(from).map((line) => `${line};x`)].join("\n");
  const next = await company.upload("junho.csv", report(20), table);
  await visit(`/envios/${next}`);
  const list = page.getByRole("region", { name: "O que conferir" });
  const entry = (text: RegExp) => list.getByRole("listitem").filter({ hasText: text });
  const open = (text: RegExp) => entry(text).getByRole("button").first().click();
  await open(/"valor unitário"/);
  await expect(page.locator(".mt-preview td:focus")).toContainText("A tabela exige valor"); // the gravest of the proof
  await expect(entry(/"valor unitário" parece ser ela com outro nome/)).toContainText(
    /Antes\s*produto\s*valor\s*Agora · linha 3\s*produto\s*valor unitário\s*nota/,
  );
  await expect(entry(/"nota" é nova/)).toHaveCount(1); // the proof's line stands for its differences
  await expect(
    entry(/"nota" é nova/)
      .locator("mark")
      .getByText("nota"),
  ).toBeVisible();
  await open(/O cabeçalho estava na linha 1/);
  await expect(entry(/O cabeçalho estava na linha 1/)).toContainText(/Antes\s*produto.*Agora\s*produto/); // its lines are said
  await expect(entry(/"valor unitário"/)).not.toContainText("Agora"); // one is open at a time
  await expectAccessible(page);
  await page.getByRole("button", { name: /^Acrescentar 12 linhas/ }).click();
  const dialog = page.getByRole("dialog", { name: "Importar assim?" });
  await dialog.getByRole("button", { name: "Voltar à revisão" }).click();
  await list.getByRole("button", { name: "Aceitar as 2 mudanças no modelo" }).click();
  await page.getByRole("button", { name: /^Acrescentar 12 linhas/ }).click(); // nothing is asked any more
  await expect(page.getByText("12 linhas gravadas")).toBeVisible();
  const taken = [
    { source: "produto", name: "produto" },
    { source: "valor unitário", name: "valor" },
    { source: "nota", name: "nota" },
  ];
  expect(await company.call("GET", `/${table}/recipe`)).toMatchObject({ columns: taken });

  await company.call("PUT", `/${table}/recipe`, { auto_confirm: "unchanged" });
  const last = await company.upload("julho.csv", report(40), table);
  await visit(`/envios/${last}`);
  await expect(page.getByText("12 linhas gravadas")).toBeVisible();

  const thousands = report(60).replaceAll(/;([0-9]+),50/g, (_, number) => `;${Number(number) + 1}000,50`);
  const far = await company.upload("agosto.csv", thousands, table);
  await visit(`/envios/${far}`);
  await open(/vezes maiores/);
  await expect(entry(/vezes maiores \(como 6\.500,5, antes 6\)/)).toContainText(/Antes: [\d.,]+ Agora: [\d.,]+ *$/); // on no line in particular

  await company.call("PUT", `/${table}/recipe`, { mode: "replace" });
  await visit(`/enviar?tabela=${table}`); // where nobody is asked later, it is said now
  await expect(page.getByRole("radio", { name: "Substituir todas as linhas" })).toBeChecked();
});

test("a column that must not be empty in the table may be opened to the file's empty cells", async ({
  page,
  company,
  visit,
}) => {
  const table = String(
    (
      await company.call("POST", "", {
        display_name: "fechada",
        columns: [
          { name: "nome", display_name: "nome", type: "text", nullable: false },
          { name: "nota", display_name: "nota", type: "text", nullable: true },
        ],
      })
    )["_id"],
  );
  const job = await company.upload("vazias.csv", "nome;nota\na;1a\n;2b\n", table);
  await page.route(`**/managed-tables/${table}`, (route) => route.fulfill({ status: 500, json: {} }), { times: 1 });
  await visit(`/envios/${job}`);
  await expect(page.getByRole("button", { name: "Acrescentar 2 linhas" })).toBeDisabled(); // into what is not known yet
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await page.getByRole("button", { name: /1 valor não serve/ }).click();
  await page.getByLabel("Deixar a coluna da tabela aceitar células vazias").check();
  await page.getByRole("button", { name: "Acrescentar 2 linhas a fechada" }).click();
  await expect(page.getByText("2 linhas gravadas")).toBeVisible();
});

test("a mark is corrected in its panel, and importing asks where a value may change", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("marca.csv", "item;medida\na;1.500\nb;2.750\nc;3.125\n");
  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  const dialog = page.getByRole("dialog", { name: "Importar assim?" });
  await expect(dialog).toContainText("medida");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: /medida/ }).click();
  const panel = page.locator('[data-panel="medida"]');
  await panel.getByLabel("ponto: 1,234.56").check();
  await expect(page.getByLabel(/^Tipo de medida/)).toHaveValue("decimal");
  await expect(page.locator(".mt-preview")).toContainText("1.500 → será 1,500");
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("gridcell", { name: "2,750" })).toBeVisible();

  await visit(`/envios/${await company.upload("respostas.csv", "item;certo\na;ok\nb;nok\nc;?\n")}`);
  const kind = page.getByLabel(/^Tipo de certo/);
  await kind.selectOption("boolean");
  await page.getByRole("button", { name: /^B certo/ }).click();
  for (const [label, word] of Object.entries({ Sim: "ok", Não: "nok", vazio: "?" })) {
    await page.getByLabel(`Textos que são ${label}`).fill(word);
  }
  for (const text of ["ok → será Sim", "nok → será Não", "? → será (vazia)"]) {
    await expect(page.locator(".mt-preview")).toContainText(text);
  }
  await kind.selectOption("text"); // of which no word is a yes or no
  await page.getByLabel("Nome de item").fill("Nome do Item"); // as people write
  await page.getByLabel("Nova tabela").fill("");
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.locator('[role="gridcell"][aria-colindex="3"]')).toHaveText(["ok", "nok", "", ""]);
  const [name] = (await company.call("GET", new URL(page.url()).pathname.replace("/tabelas", "")))[
    "columns"
  ] as object[];
  expect(name).toMatchObject({ name: "nome_do_item", display_name: "Nome do Item" });
  await expect(page.getByRole("heading", { name: "respostas" })).toBeVisible();

  const decimals = await company.table("medidas", ["item:text", "medida:decimal"]); // for what is inferred as integers
  await visit(`/envios/${await company.upload("marca_2.csv", "item;medida\na;1.500\nb;2.750\n", decimals)}`);
  await page.getByRole("button", { name: /^Acrescentar 2 linhas/ }).click();
  await expect(dialog).toContainText('"1.500" pode ser 1500 ou 1,5');
});

test("few Tabs lead to the button, F8 from doubt to doubt, and a time stays as the file has it", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("tres.csv", "nome;quando;valor\na;04/01/2025 16:41;1,5\nb;05/01/2025 22:30;2,5\n");
  await visit(`/envios/${job}`);
  await page.getByLabel("Coluna", { exact: true }).selectOption("quando");
  await page.getByLabel("Horário de").selectOption("America/Sao_Paulo");
  await expect(page.locator(".mt-preview")).toContainText("05/01/2025 22:30");
  await expect(page.locator(".mt-preview")).not.toContainText("→");
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.locator(".mt-skip").first().focus();
  let tabs = 0;
  for (; tabs < 60; tabs += 1) {
    const text = await page.evaluate(() => document.activeElement?.textContent ?? "");
    if (/^Importar 2 linhas/.test(text)) break;
    await page.keyboard.press("Tab");
  }
  expect(tabs).toBeLessThanOrEqual(25);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("gridcell", { name: "05/01/2025 22:30" })).toBeVisible();
});

test("a new table gets its key, the order of its columns and a default in the review, on a phone by a sheet", async ({
  page,
  company,
  visit,
}) => {
  await page.setViewportSize({ width: 390, height: 800 });
  const job = await company.upload("chave.csv", "cod;nome\nA1;a\nB2;b\n");
  await visit(`/envios/${job}`);
  const panel = page.locator(".mt-column-panel");
  await expect(page.getByRole("button", { name: /B nome/ })).toBeVisible();
  await expect(panel).toBeHidden();
  await page.getByRole("button", { name: /A cod/ }).click();
  await panel.getByLabel(/Chave:/).check();
  await expect(panel.getByLabel(/Obrigatória:/)).toBeChecked();
  await expectAccessible(page);
  await panel.getByRole("button", { name: "Fechar" }).click();
  await expect(panel).toBeHidden();
  await page.getByRole("button", { name: /B nome/ }).click();
  await panel.getByRole("button", { name: "Uma coluna antes" }).click();
  await panel.getByLabel("Valor padrão").fill("sem nome");
  await panel.getByRole("button", { name: "Fechar" }).click();
  await page.getByRole("button", { name: "Importar 2 linhas em chave" }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("columnheader", { name: "nome" })).toBeVisible();
  const table = await company.call("GET", `/${new URL(page.url()).pathname.split("/").at(-1) ?? ""}`);
  expect(table["key"]).toEqual(["cod"]);
  expect(table["columns"]).toMatchObject([
    { name: "nome", default: "sem nome" },
    { name: "cod", nullable: false },
  ]);
});

/** Count what a person does: where the pointer is pressed, and keys. */
async function countActions(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const counted = window as unknown as { actions: number };
    counted.actions = 0;
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (counted.actions += 1), true);
  });
  return () => page.evaluate(() => (window as unknown as { actions: number }).actions);
}

test("few actions lead from a file to its rows: another header, a mark, bad values set apart", async ({
  page,
  company,
  visit,
}) => {
  const imported = page.getByRole("heading", { name: "Concluído" });
  const header = await company.upload("cabecalho.csv", "cidade;uf\nnome;sigla\nSão Paulo;SP\nNiterói;RJ\n");
  await visit(`/envios/${header}`);
  let actions = await countActions(page);
  await page.getByRole("button", { name: /^Linha 2: Dados/ }).click();
  await page.getByRole("button", { name: "Usar como cabeçalho" }).click();
  await page.getByRole("button", { name: /^Importar 2 linhas/ }).click();
  await expect(imported).toBeVisible();
  expect(await actions()).toBeLessThanOrEqual(3);

  const mark = await company.upload("ponto.csv", "item;medida\na;1.500\nb;2.750\nc;4.125\n");
  await visit(`/envios/${mark}`);
  actions = await countActions(page);
  await page.getByLabel("ponto: 1,234.56").click();
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  await expect(imported).toBeVisible();
  expect(await actions()).toBeLessThanOrEqual(3);

  const table = await company.table("metas", ["nome:text", "meta:integer"], [{ nome: "z", meta: "1" }]);
  const bad = await company.upload("metas.csv", "nome;meta\na;n/d\nb;x2\nc;três\nd;4\n", table);
  await visit(`/envios/${bad}`);
  actions = await countActions(page);
  await page.getByLabel("Importar as linhas que servem e separar as outras num arquivo").click();
  await page.getByRole("button", { name: "Acrescentar 1 linha a metas" }).click();
  await expect(page.getByText(/1 linha gravada · 3 não entraram/)).toBeVisible();
  expect(await actions()).toBeLessThanOrEqual(2);
});

test("another mark and another order of dates stop, and one click takes them on", async ({ page, company, visit }) => {
  const month = (mark: string, day: (at: number) => string): string =>
    [
      "produto;valor;dia",
      ...Array.from({ length: 20 }, (_, at) => `p${at};${at}${mark}${at + 10};${day(at + 10)}`),
    ].join("\n");
  const table = await company.load(
    "abril.csv",
    month(",", (day) => `${day}/04/2025`),
  );
  const next = await company.upload(
    "maio.csv",
    month(".", (day) => `05/${day}/2025`),
    table,
  );
  await visit(`/envios/${next}`);
  const list = page.getByRole("region", { name: "O que conferir" });
  const entry = (text: string) => list.getByRole("listitem").filter({ hasText: text });
  await entry("Em valor").getByRole("button").first().click();
  await expect(entry("Em valor")).toContainText(/Antes: vírgula.*Agora · linha 2: ponto.*p0\s*0\.10/);
  await expect(entry("Em dia").locator("mark").getByText("0.10", { exact: true })).toBeVisible(); // of the same proof
  await expect(entry("Em dia").locator("mark").getByText("05/13/2025")).toBeVisible();
  await list.getByRole("button", { name: "Aceitar as 2 mudanças no modelo" }).click();
  await page.getByRole("button", { name: /^Acrescentar 20 linhas/ }).click();
  await expect(page.getByText("20 linhas gravadas")).toBeVisible();
  const kept = (await company.call("GET", `/${table}/recipe`))["columns"];
  expect(kept).toMatchObject([{}, { decimal_mark: "." }, { date_order: "mdy" }]);
  const rows = (await company.call("GET", `/${table}/data?numbers=string`))["records"] as object[];
  expect(rows[20]).toMatchObject({ produto: "p0", valor: "0.10", dia: "2025-05-10" });
});

test("a file that waits says first which proofs do not hold, each with its lines, and what will be remembered", async ({
  page,
  company,
  visit,
}) => {
  const lines = Array.from({ length: 8 }, (_, at) => `p${at};${at},50`);
  const table = await company.load("provas.csv", ["produto;valor", ...lines].join("\n"));
  await company.call("PUT", `/${table}/recipe`, { auto_confirm: "unchanged" });
  const job = await company.upload("provas_2.csv", ["produto;valor", ...lines].join("\n"), table);
  await company.reach(job, "waiting_confirm");
  const proof = (code: string, holds: boolean, at: number[]) => ({ code, holds, text: code, lines: at, columns: [] });
  const proofs = [
    proof("SAME_COLUMNS", true, []),
    proof("NEW_ROWS", false, [3, 5]),
    { ...proof("MODE_SET", false, []), columns: ["valor"] },
  ];
  await page.route(`**/upload-jobs/${job}?*`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), proofs } });
  });
  await visit(`/envios/${job}`);
  const shown = page.getByRole("region", { name: "O que conferir" });
  await expect(shown.getByRole("listitem").first()).toHaveText(/NEW_ROWS$/);
  await expect(shown.getByText("1 de 3 provas valem")).toBeVisible();
  await expect(page.getByText("nada mudou")).toBeHidden(); // although nothing differs from the recipe
  const panel = page.getByRole("heading", { level: 2, name: /· (produto|valor)$/ });
  await page.keyboard.press("F8");
  await expect(page.locator(".mt-preview td:focus")).toContainText("p1");
  await expect(shown.getByRole("listitem").first()).toHaveText(/NEW_ROWS ?linha 3 ?linha 5$/);
  await page.keyboard.press("F8");
  await expect(panel).toHaveText("B · valor");
  await page.keyboard.press("Shift+F8");
  await shown.getByRole("button", { name: "linha 5" }).click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("p3");
  await expect(page.getByText("Será lembrado: cada coluna vai para a que tem o nome dela.")).toBeVisible();
  await page.getByLabel(/Continuar importando sozinho/).check();
  await page.getByLabel(/Lembrar:/).uncheck();
  await expect(page.getByText("Nada deste envio será lembrado: o modelo fica como está.")).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel(/Lembrar:/).check();
  const sent = page.waitForRequest((request) => request.url().endsWith("/confirm"));
  await page.getByRole("button", { name: /^Acrescentar 8 linhas/ }).click();
  const asked = page.getByRole("dialog");
  await expect(asked).toContainText("NEW_ROWS");
  await expect(asked).toContainText("MODE_SET");
  await asked.getByRole("button", { name: /^Acrescentar 8 linhas/ }).click();
  expect((await sent).postDataJSON()).toMatchObject({ remember: true, keep_auto_confirm: true });
  await company.reach(job, "done");

  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Mais desta tabela" }).click();
  await page.getByRole("button", { name: "Modelo de importação" }).click();
  await page.getByLabel("O que um arquivo faz com a tabela").selectOption("replace");
  await expect.poll(() => company.call("GET", `/${table}/recipe`)).toMatchObject({ mode: "replace" });
  await page.getByLabel("Linhas que não servem").selectOption("skip");
  await expect.poll(() => company.call("GET", `/${table}/recipe`)).toMatchObject({ on_misfit: "skip" });
});

test("a review of 200 columns, of which each is in doubt, is 25 Tabs long at most", async ({
  page,
  company,
  visit,
}) => {
  const across = (cell: (at: number) => string): string => Array.from({ length: 200 }, (_, at) => cell(at)).join(";");
  const lines = [across((at) => `c${at}`), across((at) => `${at % 9}.250`), across((at) => `${at % 9}.500`)];
  await visit(`/envios/${await company.upload("muito_larga.csv", lines.join("\n"))}`);
  const way = page.getByRole("button", { name: /^Importar 2 linhas/ });
  await expect(way).toBeVisible();
  const isThere = (): Promise<boolean> => way.evaluate((one) => one === document.activeElement);
  await page.locator(".mt-skip").first().focus();
  for (let tabs = 0; tabs < 25 && !(await isThere()); tabs += 1) await page.keyboard.press("Tab");
  await expect(way).toBeFocused();
  await page.getByRole("button", { name: "Ir para o botão de importar" }).focus();
  await page.keyboard.press("Enter");
  await expect(way).toBeFocused();
});
