import { test as alone, cell, expect, more } from "./support.ts";

const test = alone.extend({ isLent: true });

test("rows are selected as in a spreadsheet, few are deleted without a question, and Space toggles a box", async ({
  page,
  company,
  visit,
}) => {
  const rows = Array.from({ length: 30 }, (_, at) => ({ nome: `p${at + 1}`, pago: false }));
  const table = await company.table("como_no_excel", ["nome:text", "pago:boolean"], rows);
  await visit(`/tabelas/${table}`);
  const number = (row: number) => page.getByRole("rowheader", { name: String(row), exact: true });
  const remove = (rows: string) => page.getByRole("button", { name: `Apagar ${rows}`, exact: true });
  await number(3).click();
  await number(5).click();
  await expect(remove("1 linha")).toBeVisible();
  await number(7).click({ modifiers: ["ControlOrMeta"] });
  await expect(remove("2 linhas")).toBeVisible();
  await number(10).click({ modifiers: ["Shift"] });
  await expect(remove("4 linhas")).toBeVisible();
  await number(8).click({ modifiers: ["Shift"] });
  await remove("2 linhas").click();
  await expect(page.getByText("28 linhas").first()).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await number(1).click();
  await number(5).hover();
  await page.mouse.down();
  await number(8).hover();
  await page.mouse.up();
  await expect(remove("4 linhas")).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(page.getByText("30 linhas").first()).toBeVisible();

  await cell(page, 2, 2).click({ position: { x: 120, y: 10 } });
  await page.keyboard.press("Space");
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await expect(cell(page, 2, 2).getByRole("checkbox")).toBeChecked();
  await number(1).click();
  await number(21).scrollIntoViewIfNeeded();
  await number(21).click({ modifiers: ["Shift"] });
  await remove("21 linhas").click();
  await page.getByRole("dialog", { name: "Apagar 21 linhas?" }).getByRole("button", { name: "Manter" }).click();
});

alone("a history shows what was stored, and puts a value back by one click", async ({ page, company, visit }) => {
  const columns = ["valor", "nota"].map((name) => ({
    name,
    display_name: name === "valor" ? "Preço" : "Nota",
    type: name === "valor" ? "decimal" : "text",
    nullable: true,
    ...(name === "valor" ? { format: { currency: "BRL", decimals: 2 } } : {}),
  }));
  const { _id: table } = await company.call("POST", "", { display_name: "historia", columns });
  await company.call("POST", `/${table}/data`, { rows: [{ valor: "12.3456789", nota: "um\ndois" }] });
  const stored = async () =>
    (await company.call("GET", `/${table}/data?numbers=string`))["records"] as { id: string }[];
  const [row] = await stored();
  await company.call("PUT", `/${table}/data/${row?.id}`, { valor: "9.5", nota: "três" });
  await visit(`/tabelas/${String(table)}`);
  await more(page, "Histórico");
  const history = page.getByRole("dialog", { name: "Histórico da tabela" });
  await expect(history.locator(".mt-stored").first()).toContainText("Preço: 12,3456789 → 9,5");
  await expect(history.locator(".mt-stored").nth(1)).toContainText("um\ndois", { useInnerText: true });
  await history.getByRole("button", { name: "Voltar a este valor Preço: 12,3456789" }).click();
  await expect.poll(stored).toMatchObject([{ valor: "12.3456789", nota: "três" }]);
  await expect(history.locator(".mt-stored").first()).toContainText("Preço: 9,5 → 12,3456789");
});

alone("a total is never cut", async ({ page, company, visit }) => {
  const table = await company.table("grandes", ["nome:text", "valor:decimal"], [{ nome: "a", valor: "685000685000" }]);
  await visit(`/tabelas/${table}?totals={"valor":"sum"}&columns=[{"name":"valor","width":96}]`);
  const total = page.locator(".mt-foot-value").last();
  await expect(total).toHaveText("685.000.685.000");
  const isWhole = () => total.evaluate((one) => one.scrollWidth <= one.clientWidth && one.clientHeight > 0);
  expect(await isWhole()).toBe(true);
  const [foot, grid] = [
    await page.locator(".mt-grid-totals").boundingBox(),
    await page.locator(".mt-grid").boundingBox(),
  ];
  expect((foot?.y ?? 0) + (foot?.height ?? 0)).toBeLessThanOrEqual((grid?.y ?? 0) + (grid?.height ?? 0) + 1);
});

alone(
  "after an outage edits go by themselves, once, and the page says how many wait",
  async ({ page, company, visit }) => {
    const table = await company.table("queda", ["nome:text"], [{ nome: "a" }, { nome: "b" }]);
    await visit(`/tabelas/${table}`);
    let isDown = true;
    let sent = 0;
    await page.route(/\/data\/[0-9a-f-]{36}\?/, (route) => {
      if (isDown) return route.fulfill({ status: 503, json: { error: "Volte já", code: "DATABASE_UNAVAILABLE" } });
      sent += 1;
      return route.continue();
    });
    for (const row of [1, 2]) {
      await cell(page, row, 1).click();
      await page.keyboard.type(`x${row}`);
      await page.keyboard.press("Enter");
    }
    await expect(page.getByRole("alert")).toContainText("2 alterações esperam: vão sozinhas");
    await page.getByRole("searchbox", { name: "Procurar nas linhas" }).fill("b");
    await expect(page.getByText(/^1 linha de/)).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("2 alterações esperam");
    isDown = false;
    const stored = async () => (await company.call("GET", `/${table}/data?sort_by=nome`))["records"];
    await expect.poll(stored).toMatchObject([{ nome: "x1" }, { nome: "x2" }]);
    await expect(page.getByRole("alert")).toHaveCount(0);
    expect(sent).toBe(2);
  },
);

alone("a type that is refused says which values stand in its way, and how often", async ({ page, company, visit }) => {
  const rows = ["1", "n/d", "n/d", "n/d", "x"].map((codigo) => ({ codigo }));
  const table = await company.table("tipos", ["codigo:text"], rows);
  await visit(`/tabelas/${table}`);
  await page.getByRole("button", { name: "Opções da coluna codigo" }).click();
  await page.getByText("Mudar nome, tipo ou descrição").click();
  await page.getByLabel("Tipo", { exact: true }).selectOption("integer");
  await page.getByRole("button", { name: "Gravar a coluna" }).click();
  const refused = page.getByRole("table", { name: "4 valores não convertem para número inteiro" });
  await expect(refused.getByRole("row")).toHaveText(["ValorQuantas vezes", "n/d3", "x1"]);
});
