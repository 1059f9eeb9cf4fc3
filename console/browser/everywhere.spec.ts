import {
  Company,
  expect,
  expectAccessible,
  expectLargeTargets,
  expectNoSidewaysScroll,
  isAsked,
  loadedKiB,
  test,
} from "./support.ts";

const WIDE = Array.from({ length: 30 }, (_, index) => `coluna_bem_comprida_${index}:text`);

async function screens(company: Company): Promise<string[]> {
  const table = await company.table("larga", WIDE, [{ coluna_bem_comprida_0: "x".repeat(400) }]);
  const job = await company.upload(
    `relatorio_${"de_vendas_".repeat(5)}2026.csv`,
    "Título\n\nnome;valor\na;1,5\nb;2,5\nTotal;4,0\n",
  );
  await company.reach(job, "waiting_confirm");
  return [
    "/",
    "/nova",
    "/enviar",
    "/envios",
    "/exportados",
    `/envios/${job}`,
    `/tabelas/${table}`,
    `/tabelas/${table}/estrutura`,
    "/acesso",
  ];
}

test("every screen: accessible, small to load, one origin, and fit for a phone and for large text", async ({
  page,
  company,
  visit,
  watched,
}) => {
  test.slow();
  const sizes = new Map<string, number>();
  for (const path of await screens(company)) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await visit(path);
    await expect(page.locator("h1").first(), path).toBeVisible();
    sizes.set(path.replace(/[0-9a-f]{24}/, ":id"), await loadedKiB(page));
    expect(page.url()).not.toContain(company.token);
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 640 });
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await expectLargeTargets(page);
    const bars = page.locator(".mt-sticky-bar");
    for (const bar of await bars.all()) expect((await bar.boundingBox())?.height).toBeLessThanOrEqual(64);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    await expect(page.getByText(`Empresa ${company.id}`), path).toBeVisible();
    await expectNoSidewaysScroll(page);
  }
  const first = sizes.get("/") ?? Number.NaN;
  console.log([...sizes].map(([path, size]) => `${path} ${size.toFixed(1)} KiB`).join(", "));
  expect(first).toBeLessThanOrEqual(115);
  expect(Math.max(...sizes.values()) - first).toBeLessThanOrEqual(70);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
  expect(stored).not.toContain(company.token);
  expect(watched.logged.join("\n")).not.toContain(company.token);
  expect([...watched.origins]).toEqual([new URL(page.url()).origin]);
});

test("every dialog is accessible, closes by Escape, and gives the focus back", async ({ page, company, visit }) => {
  const table = await company.table("dialogos", ["nome:text", "valor:decimal"], [{ nome: "a", valor: "1" }]);
  const dialogs: [string, string[]][] = [
    [`/tabelas/${table}`, ["Nova linha", "Filtrar", "Exportar", "Opções da coluna nome"]],
    [`/tabelas/${table}/estrutura`, ["Apagar tabela"]],
    ["/acesso", ["Gerar nova senha"]],
  ];
  for (const [path, names] of dialogs) {
    await visit(path);
    for (const name of names) {
      await page.getByRole("button", { name, exact: true }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toBeHidden();
      expect(await page.evaluate(() => document.activeElement?.tagName), name).not.toBe("BODY");
    }
  }
});

test("the lists keep their search and filter in the address", async ({ page, company, visit }) => {
  await company.table("achada", ["a:text"]);
  await company.table("perdida", ["a:text"]);
  await visit("/");
  await page.getByLabel("Procurar tabela").fill("achad");
  await expect(page.getByRole("link", { name: "perdida" })).toBeHidden();
  const { pathname, search } = new URL(page.url());
  await page.goto("about:blank");
  await visit(pathname + search);
  await expect(page.getByRole("link", { name: "achada" })).toBeVisible();
  await expect(page.getByRole("link", { name: "perdida" })).toBeHidden();
  await visit("/envios?situacao=failed");
  await expect(page.getByLabel("Situação")).toHaveValue("failed");
});

test("what a screen fails by stands in its place: no page is white", async ({ page, company, visit, watched }) => {
  const table = await company.table("quebrada", ["nome:text"], [{ nome: "a" }]);
  await page.route("**/assets/History-*.js", (route) => route.abort());
  await visit("/");
  await page.getByRole("link", { name: "Envios" }).click();
  await expect(page.getByRole("alert")).toContainText("Sem conexão");
  await page.route(`**/managed-tables/${table}`, (route) => route.fulfill({ json: { columns: 5 } }), { times: 1 });
  await page.goto("about:blank");
  await page.goto(`/tabelas/${table}#token=${company.token}`);
  await expect(page.getByRole("alert")).toContainText("Algo deu errado nesta página");
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  await expect(page.getByRole("columnheader", { name: "nome" })).toBeVisible();
  await page.route(/\/data\/[0-9a-f-]{36}\?/, (route) => route.fulfill({ status: 503, json: {} }));
  await page.getByRole("gridcell", { name: "a", exact: true }).click();
  await page.keyboard.type("b");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("Tentar de novo");
  await page.route(/managed-tables\?/, (route) => route.fulfill({ json: { records: [null], total: 1 } }), { times: 1 });
  await page.getByRole("link", { name: "Tabelas" }).click();
  await expect(page.getByRole("alert")).toContainText("Algo deu errado nesta página");
  await page.getByRole("button", { name: "Tentar de novo" }).click();
  expect(await isAsked(page)).toBe(true); // what waited is still there
  await page.unroute(/\/data\/[0-9a-f-]{36}\?/);
  await page.getByRole("link", { name: "Enviar arquivo" }).first().click();
  await expect.poll(() => isAsked(page)).toBe(false); // tried again where another screen is shown
  expect(watched.faults).toEqual([]);
  await page.route("**/config.json", (route) => route.abort());
  await page.goto("about:blank");
  await page.goto("/");
  await expect(page.getByText("Sem conexão com o servidor")).toBeVisible();
});

test("without a permission the page says which one is missing", async ({ page }) => {
  const reader = new Company(["managed-tables:list"]);
  await page.goto(`/acesso#token=${reader.token}`);
  await expect(page.getByRole("alert")).toContainText("Você não tem permissão para");
});

test("the API's reference opens an operation, sends it with a token, and shows the answer", async ({
  page,
  company,
}) => {
  await page.goto("/v1/managed-tables/docs");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.locator(".auth-container input").fill(company.token);
  await page.locator(".auth-container").getByRole("button", { name: "Apply credentials" }).click();
  await page.getByRole("button", { name: "Close" }).click();
  const operation = page.locator(".opblock", { has: page.locator('[data-path="/v1/managed-tables"]') }).first();
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  await expect(operation.locator(".live-responses-table .response-col_status").last()).toHaveText("200");
});
