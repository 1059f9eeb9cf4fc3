// What the review shows before anybody scrolls: the file's own lines, with many doubts and under a recipe, too.

import type { Page } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, test } from "./support.ts";

/** Return how many lines of the file are whole within the window, under their heads and over the bar at the foot. */
async function linesInSight(page: Page): Promise<number> {
  await expect(page.locator(".mt-preview tbody tr").first()).toBeVisible();
  return page.evaluate(() => {
    const top = document.querySelector(".mt-preview thead")?.getBoundingClientRect().bottom ?? 0;
    const box = document.querySelector(".mt-preview")?.getBoundingClientRect();
    const bar = document.querySelector(".mt-sticky-bar")?.getBoundingClientRect();
    const foot = Math.min(box?.bottom ?? 0, bar?.top ?? innerHeight, innerHeight);
    const lines = [...document.querySelectorAll(".mt-preview tbody tr")].map((line) => line.getBoundingClientRect());
    return lines.filter((line) => line.top >= top - 1 && line.bottom <= foot + 1).length;
  });
}

/** No number of a line stands twice in an entry of the list. */
async function expectLinesSaidOnce(page: Page): Promise<void> {
  for (const text of await page.locator(".mt-checks li").allInnerTexts()) {
    const said = [...text.matchAll(/linhas? ([\d.]+(?:(?:, | e )[\d.]+)*)/g)].flatMap((one) => one[1]?.split(/, | e /));
    expect(new Set(said).size, text).toBe(said.length);
  }
}

async function expectRoom(page: Page, name: string): Promise<void> {
  for (const [width, height, least] of [
    [1280, 800, 14],
    [390, 844, 8],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => scrollTo(0, 0));
    expect(await linesInSight(page), `${name} at ${width} × ${height}`).toBeGreaterThanOrEqual(least);
    await expectNoSidewaysScroll(page);
  }
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 800 });
}

const doubtful = Array.from({ length: 12 }, (_, at) => `medida ${at + 1}`);

test("the first screen of a review is the file, however much there is to be checked", async ({
  page,
  company,
  visit,
}) => {
  const lines = Array.from({ length: 30 }, (_, at) => doubtful.map((_, place) => `${(at % 9) + place}.250`).join(";"));
  const file = ["Relatório de medidas", "", doubtful.join(";"), ...lines, "Fim do relatório"].join("\n");
  await visit(`/envios/${await company.upload("primeira_tela.csv", file)}`);
  await expect(page.locator(".mt-checks li").nth(9)).toBeVisible();
  await expectRoom(page, "doubts");
  for (const at of [0, 3]) await page.locator(".mt-checks li").nth(at).getByRole("button").first().click();
  await expectLinesSaidOnce(page);
});

test("the first screen of a file that differs from those before it is the file, too", async ({
  page,
  company,
  visit,
}) => {
  const rows = (mark: string, day: (at: number) => string, more = "") =>
    Array.from({ length: 20 }, (_, at) => `p${at};${at}${mark}${at + 10};${day(at + 10)}${more}`);
  const before = ["produto;valor;dia", ...rows(",", (day) => `${day}/04/2025`)].join("\n");
  const table = await company.load("primeira_tela_abril.csv", before);
  const after = ["Relatório", "", "produto;valor total;dia;nota", ...rows(".", (day) => `05/${day}/2025`, ";x")];
  await company.call("PUT", `/${table}/recipe`, { auto_confirm: "unchanged" });
  await visit(`/envios/${await company.upload("primeira_tela_maio.csv", after.join("\n"), table)}`);
  await expect(page.locator(".mt-checks li").nth(2)).toBeVisible();
  await expectRoom(page, "recipe");
  const entries = page.locator(".mt-checks > ul > li");
  for (let at = 0; at < (await entries.count()); at += 1) {
    await entries.nth(at).getByRole("button").first().click();
    await expectLinesSaidOnce(page);
  }
  await page.emulateMedia({ colorScheme: "dark" });
});
