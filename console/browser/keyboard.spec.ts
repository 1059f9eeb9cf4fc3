import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./support.ts";

/** Something has the focus, and nothing lies over it. */
async function expectFocusInSight(page: Page): Promise<void> {
  const seen = await page.evaluate(() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return "the body has the focus";
    const box = focused.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 20)];
    const over = document.elementFromPoint(x, y);
    return over !== null && (focused.contains(over) || over.contains(focused))
      ? ""
      : `${focused.outerHTML.slice(0, 80)} under ${over?.outerHTML.slice(0, 80)}`;
  });
  expect(seen).toBe("");
}

async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let steps = 0; steps < 120; steps += 1) {
    await page.keyboard.press("Tab");
    await expectFocusInSight(page);
    const text = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element?.matches("a, button, input, select, summary")) return "";
      return element.getAttribute("aria-label") ?? element.textContent ?? "";
    });
    if (name.test(text)) return;
  }
  throw new Error(`Tab never reached ${name}`);
}

test("from the tables to an edit undone by keyboard alone, the focus never lost nor covered", async ({
  page,
  visit,
}) => {
  test.slow();
  await visit("/");
  await tabTo(page, /^Enviar arquivo$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "escolha no computador" })).toBeVisible();
  const choosing = page.waitForEvent("filechooser");
  await tabTo(page, /escolha no computador/);
  await page.keyboard.press("Enter");
  await (await choosing).setFiles({
    name: "teclado.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("nome;valor\na;1,5\nb;2,5\n"),
  });
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await expectFocusInSight(page);

  await page.locator(".mt-line-kind").first().waitFor();
  await tabTo(page, /^Linha 1: Cabeçalho/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter"); // the second line for a header, and back
  await expect(page.getByRole("button", { name: "Usar como cabeçalho" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /^Importar 1 linha/ })).toBeVisible();
  await expectFocusInSight(page);
  await page.locator(".mt-line-kind").first().focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Usar como cabeçalho" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await expectFocusInSight(page);

  await tabTo(page, /Importar 2 linhas/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Concluído" })).toBeVisible();
  await expectFocusInSight(page);
  await expectAccessible(page);
  await tabTo(page, /Ver tabela/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("grid")).toBeVisible();
  await expect(page.locator('[role="gridcell"]').first()).toHaveText("a"); // a row that is to come takes no keys
  await expectFocusInSight(page);
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.closest('[role="grid"]') !== null)) break;
  }
  const first = page.locator('[role="row"][aria-rowindex="2"] [role="gridcell"]').first();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type("z");
  await page.keyboard.press("Enter");
  await expect(first).toHaveText("az");
  await expectFocusInSight(page);
  await expect(page.getByRole("status").last()).toHaveText("Gravado");
  await page.keyboard.press("Control+z");
  await expect(first).toHaveText("a");
  await expectFocusInSight(page);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Alt+ArrowDown");
  await expect(page.getByRole("dialog", { name: "nome" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("columnheader", { name: "nome" })).toBeFocused();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest('[role="grid"]') === null)).toBe(true);
});
