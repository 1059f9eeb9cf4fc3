import { Company, expect, expectAccessible, expectLargeTargets, expectNoSidewaysScroll, loadedKiB, test } from "./support.ts";

const WIDE = Array.from({ length: 30 }, (_, index) => `coluna_bem_comprida_${index}:text`);

async function screens(company: Company): Promise<string[]> {
  const table = await company.table("larga", WIDE, [{ coluna_bem_comprida_0: "x".repeat(400) }]);
  const job = await company.upload("relatorio.csv", "Título\n\nnome;valor\na;1,5\nb;2,5\nTotal;4,0\n");
  await company.reach(job, "waiting_confirm");
  return ["/", "/nova", "/enviar", "/envios", `/envios/${job}`, `/tabelas/${table}`, `/tabelas/${table}/estrutura`, "/acesso"];
}

test("every screen: accessible, small to load, one origin, and fit for a phone and for large text", async ({ page, company, visit, watched }) => {
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
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    await expectNoSidewaysScroll(page);
  }
  const first = sizes.get("/") ?? Number.NaN;
  console.log([...sizes].map(([path, size]) => `${path} ${size.toFixed(1)} KiB`).join(", "));
  expect(first).toBeLessThanOrEqual(115);
  expect(Math.max(...sizes.values()) - first).toBeLessThanOrEqual(70);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(stored).not.toContain(company.token);
  expect(watched.logged.join("\n")).not.toContain(company.token);
  expect([...watched.origins]).toEqual([new URL(page.url()).origin]);
});

test("the answer has the headers of the template, and no other page may frame it", async ({ page, visit }) => {
  await visit("/");
  const answer = await page.request.get("/");
  const policy = answer.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe-inline");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(answer.headers()["x-content-type-options"]).toBe("nosniff");
  const refused = page.waitForEvent("console", (message) => /frame-ancestors/.test(message.text()));
  const outside = await page.context().newPage();
  await outside.setContent(`<iframe src="${page.url()}"></iframe>`);
  const framed = outside.frames().at(-1);
  expect(await framed?.evaluate(() => document.body?.innerText ?? "").catch(() => "")).not.toContain("Tabelas");
  void refused.catch(() => {});
  await outside.close();
});

test("without a permission the page says which one is missing", async ({ page }) => {
  const reader = new Company(["managed-tables:list"]);
  await page.goto(`/acesso#token=${reader.token}`);
  await expect(page.getByRole("alert")).toContainText("managed-tables:connect");
});

test("from upload to edit by keyboard alone, the focus never lost", async ({ page, visit }) => {
  test.slow();
  const focusIsSomewhere = async (): Promise<void> => {
    expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY");
  };
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let steps = 0; steps < 120; steps += 1) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element?.matches("a, button, input, select, summary")) return "";
        return element.getAttribute("aria-label") ?? element.textContent ?? "";
      });
      if (name.test(text)) return;
    }
    throw new Error(`Tab never reached ${name}`);
  };
  await visit("/");
  await tabTo(/^Enviar arquivo$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "escolha no computador" })).toBeVisible();
  const choosing = page.waitForEvent("filechooser");
  await tabTo(/escolha no computador/);
  await page.keyboard.press("Enter");
  await (await choosing).setFiles({ name: "teclado.csv", mimeType: "text/csv", buffer: Buffer.from("nome;valor\na;1,5\nb;2,5\n") });
  await expect(page.getByRole("button", { name: "Importar 2 linhas" })).toBeVisible();
  await tabTo(/Importar 2 linhas/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
  await tabTo(/Ver tabela/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("grid")).toBeVisible();
  await page.locator('[role="gridcell"]').first().waitFor();
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.closest('[role="grid"]') !== null)) break;
  }
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type("z");
  await page.keyboard.press("Enter");
  await expect(page.locator('[role="row"][aria-rowindex="2"] [role="gridcell"]').first()).toHaveText("az");
  await focusIsSomewhere();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest('[role="grid"]') === null)).toBe(true);
});
