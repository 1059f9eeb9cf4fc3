// Twelve screens as they look, wide and narrow, light and dark: compared with the pictures in pictures/, which
// `make pictures` takes. One font for all machines, no moments and no identifiers.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { Company, expect, test } from "./support.ts";

const FONT = readFileSync(`${import.meta.dirname}/node_modules/@fontsource/inter/files/inter-latin-400-normal.woff2`);
const STYLE = `
  @font-face { font-family: Inter; src: url(data:font/woff2;base64,${FONT.toString("base64")}); }
  .mt, .mt * { font-family: Inter !important; animation: none !important; caret-color: transparent !important; }
  .mt-live { display: none !important; }
`;
const VARYING: [string, string][] = [
  ["[0-9a-f]{24,32}", "0123456789abcdef01234567"],
  ["\\d{2}/\\d{2}/20\\d{2}, \\d{2}:\\d{2}", "01/01/2026, 12:00"],
  ["em \\d+,\\d s", "em 1,0 s"],
  ["(127\\.0\\.0\\.1|localhost)", "servidor"],
  ["em \\d{2}/\\d{2}/\\d{4}", "em 01/01/2026"],
];
const FILE = [
  "Relatório de vendas;;;;",
  "Pedido;Data;CEP;Cidade;Valor Total",
  ...Array.from(
    { length: 24 },
    (_, at) => `${10_001 + at};${(at % 28) + 1}/03/2025;0182142${at % 10};Recife;${at + 1}.100,50`,
  ),
  "Total;;;;302.412,00",
].join("\n");

test.use({ bypassCSP: true, deviceScaleFactor: 0.5 });

/** Compare what is on the screen, at both widths and in both colours. */
async function expectAsBefore(page: Page, name: string): Promise<void> {
  await page.addStyleTag({ content: STYLE });
  await page.evaluate(() => document.fonts.load("16px Inter"));
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.evaluate((patterns) => {
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
          if (node.parentElement?.matches(".mt-facts dd")) node.nodeValue = "…";
          for (const [pattern, same] of patterns) {
            const text: string = (node.nodeValue ?? "").replace(new RegExp(pattern, "g"), same);
            if (text !== node.nodeValue) node.nodeValue = text;
          }
        }
      }, VARYING);
      await expect.soft(page).toHaveScreenshot(`${name}-${width}-${colorScheme}.png`, {
        scale: "device",
        maxDiffPixelRatio: 0.025,
        threshold: 0.3,
      });
    }
  }
}

test("twelve screens look as they did", async ({ page, visit }) => {
  test.slow();
  const company = new Company();
  await company.call("POST", "/provision");
  const open = async (path: string): Promise<void> => {
    await page.goto("about:blank");
    await visit(path, page, company);
    await expect(page.locator("main .mt-skeleton")).toHaveCount(0);
  };
  await open("/");
  await expectAsBefore(page, "no-tables");
  const table = await company.load("vendas.csv", FILE);
  const done = (await company.call("GET", "/upload-jobs"))["records"] as { _id: string }[];
  const waiting = await company.upload("vendas_abril.csv", FILE);
  await company.reach(waiting, "waiting_confirm");
  for (const [name, path] of [
    ["tables", "/"],
    ["new-table", "/nova"],
    ["upload", "/enviar"],
    ["review", `/envios/${waiting}`],
    ["done", `/envios/${done[0]?._id}`],
    ["uploads", "/envios"],
    ["structure", `/tabelas/${table}/estrutura`],
    ["access", "/acesso"],
    ["grid", `/tabelas/${table}`],
  ] as const) {
    await open(path);
    await expectAsBefore(page, name);
  }
  await page.getByRole("button", { name: "Filtrar" }).click();
  await expectAsBefore(page, "filter");
  await page.getByRole("button", { name: "Voltar" }).click();
  await page.getByRole("button", { name: "Opções da coluna Data" }).click();
  await expectAsBefore(page, "column");
});
