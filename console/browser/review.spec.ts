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

test("a report with a title and a total is shown as it was read, and corrected", async ({ page, company, visit }) => {
  const job = await company.upload("relatorio.csv", windows1252(REPORT));
  await visit(`/envios/${job}`);
  await expect(page.getByRole("heading", { name: "Como o arquivo foi lido" })).toBeVisible();
  await expect(page.getByText(/Windows-1252/).first()).toBeVisible();
  const line = (number: number) =>
    page
      .locator(".mt-preview tbody tr")
      .filter({ has: page.getByRole("rowheader", { name: String(number), exact: true }) });
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
  await expect(page.getByText("definido por você").first()).toBeVisible();

  await visit(`/envios/${job}`); // opened again: what was stated and typed is there, and stays under the next choice
  await expect(line(4)).toContainText("Cabeçalho");
  await page.getByRole("button", { name: /^Linha 6: Dados/ }).click();
  await page.getByRole("button", { name: "Ignorar esta linha" }).click();
  await expect(line(6)).toContainText("Ignorada");
  await expect(line(4)).toContainText("Cabeçalho");

  await page.getByRole("button", { name: "Voltar ao detectado" }).click();
  await expect(line(3)).toContainText("Cabeçalho");
  await expect(name).toHaveValue("codigo_postal");

  await page.getByRole("button", { name: /^Importar 20 linhas/ }).click();
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await expect(page.getByRole("columnheader", { name: "CEP" })).toBeVisible();
  await expect(page.locator('[role="row"][aria-rowindex="2"]')).toContainText("01821426");
  await expect(page.getByText("20 linhas").first()).toBeVisible();
});

test("values that do not fit lead to their column, and the import goes on without a new upload", async ({
  page,
  company,
  visit,
}) => {
  const job = await company.upload("misto.csv", "nome;quantidade\na;1\nb;n/d\nc;x2\nd;três\ne;5\n");
  await visit(`/envios/${job}`);
  const type = page.getByLabel(/^Tipo de quantidade/);
  await type.selectOption("integer");
  await page.getByRole("button", { name: /^Importar 5 linhas/ }).click();
  const misfits = page.getByRole("alert").filter({ has: page.getByRole("heading") });
  await expect(misfits.locator(".mt-check-stop")).toHaveCount(3);
  await expect(misfits).toContainText("misto.csv");
  await expect(misfits.getByRole("listitem").first()).toContainText(
    'misto.csv, linha 3, coluna B (quantidade): "n/d" não é um número inteiro',
  );
  await misfits.getByRole("listitem").first().getByRole("button").click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("n/d");
  await misfits.getByRole("listitem").nth(2).getByRole("button").click();
  await expect(page.locator(".mt-preview td:focus")).toContainText("três");
  await expectAccessible(page);
  await type.selectOption("text");
  await page.getByRole("button", { name: /^Importar 5 linhas/ }).click();
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
});

test("rows that do not fit are set apart, and come back as a file", async ({ page, company, visit }) => {
  const job = await company.upload("separar.csv", "nome;quantidade\na;1\nb;x\nc;3\n");
  await visit(`/envios/${job}`);
  await page.getByLabel(/^Tipo de quantidade/).selectOption("integer");
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  await page.getByRole("button", { name: /Separar estas linhas/ }).click();
  await page.getByRole("button", { name: /^Importar 3 linhas/ }).click();
  await expect(page.getByText(/2 linhas gravadas · 1 não entraram/)).toBeVisible();
  const rejects = await company.call("GET", `/upload-jobs/${job}/rejects`);
  expect(await (await fetch(String(rejects["url"]))).text()).toContain("b;x;separar.csv;;3;");
});

test("a sheet is left out, and taken in again", async ({ page, company, visit }) => {
  const csv = (name: string): string => `produto;valor\n${name};1,5\n`;
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
  await page.getByRole("button", { name: /dois\.csv/ }).click();
  await page.getByRole("button", { name: "Deixar de fora" }).click();
  await expect(page.getByRole("button", { name: /^Importar 1 linha/ })).toBeVisible();
  await page.getByRole("button", { name: "Incluir na importação" }).click();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
});

test("an import is undone, and a job cancelled", async ({ page, company, visit }) => {
  await company.load("desfazer.csv", "a;b\n1;2\n");
  await visit("/envios");
  await page.getByRole("link", { name: "desfazer.csv" }).click();
  await page.getByRole("button", { name: "Desfazer importação" }).click();
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Desfazer importação" }).click();
  await expect(page.getByRole("heading", { name: "Importação desfeita" })).toBeVisible();

  const job = await company.upload("cancelar.csv", "a;b\n1;2\n");
  await visit(`/envios/${job}`);
  await page.getByRole("button", { name: "Cancelar importação" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancelar importação" }).click();
  await expect(page.getByRole("heading", { name: "Importação cancelada" })).toBeVisible();
});
