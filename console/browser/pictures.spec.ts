// The pictures of README and docs: `make pictures` takes them from the running page into docs/images.

import { expect, test } from "./support.ts";

const FOLDER = process.env["CONSOLE_PICTURES"] ?? "";
const CITIES = ["São Paulo", "Goiânia", "Belém", "Recife"];
const PRODUCTS = ["Cadeira giratória", 'Notebook 14"', 'Monitor 27"', "Caderno capa dura"];

const LINES = Array.from({ length: 60 }, (_, index) =>
  [
    10_001 + index,
    `${String((index % 28) + 1).padStart(2, "0")}/03/2025`,
    `0${1_821_426 + index * 731}`,
    CITIES[index % 4],
    PRODUCTS[(index * 7) % 4],
    (index % 9) + 1,
    `${1 + (index % 3)}.${String(100 + index * 11).slice(0, 3)},${String(index % 100).padStart(2, "0")}`,
    index % 3 ? "sim" : "não",
  ].join(";"),
);
const FILE = [
  "Relatório de vendas 2025;;;;;;;",
  "",
  "Pedido;Data;CEP;Cidade;Produto;Quantidade;Valor Total;Pago",
  ...LINES,
  "Total;;;;;300;91.212,10;",
];

test("the review, the grid and the phone", async ({ page, company, visit }) => {
  test.skip(FOLDER === "", "only `make pictures` takes them");
  const job = await company.upload("vendas.csv", Buffer.from(FILE.join("\r\n"), "latin1"));
  await visit(`/envios/${job}`);
  await expect(page.getByRole("button", { name: /^Importar 60 linhas/ })).toBeVisible();
  await expect(page.locator(".mt-preview")).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/review.png` });
  await page.locator('[data-column="cidade"]').getByLabel("Tipo").selectOption("integer");
  await page.getByRole("button", { name: "Importar em vendas" }).click();
  await page.getByRole("button", { name: /linha 5, coluna D/ }).click();
  await expect(page.locator(".mt-preview td:focus")).toBeVisible();
  await page.waitForTimeout(6_000); // the live region goes by itself
  await page.screenshot({ path: `${FOLDER}/errors.png` });
  await page.locator('[data-column="cidade"]').getByLabel("Tipo").selectOption("text");
  await page.getByRole("button", { name: /^Importar 60 linhas/ }).click();
  await page.getByRole("link", { name: "Ver tabela" }).click();
  await page.getByLabel("Rodapé de Valor Total").selectOption("Soma");
  await expect(page.locator(".mt-grid-totals")).toContainText("145.487,70");
  await page.getByRole("columnheader", { name: "Valor Total" }).click();
  await page.locator('.mt-grid-data [role="gridcell"]:not(.mt-loading)').first().click();
  await page.waitForTimeout(6_000); // the live region goes by itself
  await page.screenshot({ path: `${FOLDER}/grid.png` });
  await page.setViewportSize({ width: 360, height: 640 });
  await visit(`/envios/${await company.upload("vendas.csv", Buffer.from(FILE.join("\r\n"), "latin1"))}`);
  await expect(page.getByRole("button", { name: /^Importar 60 linhas/ })).toBeVisible();
  await expect(page.locator(".mt-preview")).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/review-phone.png` });
});
