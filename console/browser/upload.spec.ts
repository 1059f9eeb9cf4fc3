import type { Route } from "@playwright/test";
import { Company, drop, expect, expectAccessible, test } from "./support.ts";

const FILE = file("vendas.csv");

function file(name: string) {
  return { name, mimeType: "text/csv", buffer: Buffer.from("produto;valor\nA;1,5\nB;2,5\n") };
}

test("a file goes straight to the bucket: fields first, the file last, no token", async ({ page, visit }) => {
  await visit("/enviar");
  await expectAccessible(page);
  const posted = page.waitForRequest((request) => request.method() === "POST" && !request.url().includes("/v1/"));
  await page.getByLabel("Arquivos").setInputFiles(FILE);
  const request = await posted;
  expect(await request.headerValue("authorization")).toBeNull();
  const body = request.postDataBuffer()?.toString("latin1") ?? "";
  const names = [...body.matchAll(/ name="([^"]+)"/g)].map((match) => match[1]);
  expect(names.at(-1)).toBe("file");
  await expect(page.getByRole("heading", { name: "Como o arquivo foi lido" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
});

test("an upload is stopped, its connection breaks, and the file is sent again", async ({ page, visit }) => {
  await visit("/enviar");
  const answers: ((route: Route) => Promise<void>)[] = [
    async () => {}, // held until the person stops it
    (route) => route.abort("connectionreset"),
  ];
  await page.route(
    isBucket,
    (route) => (route.request().method() === "POST" && answers.shift()?.(route)) || route.continue(),
  );
  await page.route("**/managed-tables/upload", (route) => route.fulfill({ status: 503, json: {} }), { times: 1 });
  await page.getByLabel("Arquivos").setInputFiles(file("insistir.csv"));
  const send = page.getByRole("button", { name: "Enviar insistir.csv" }); // it need not be chosen again
  await expect(send).toBeVisible();
  const patience = { status: 429, headers: { "Retry-After": "2" }, json: { error: "Muitas requisições" } };
  await page.route("**/managed-tables/upload", (route) => route.fulfill(patience), { times: 1 });
  await send.click();
  await expect(page.getByRole("alert")).toContainText(/Muitas requisições.*Tentar de novo \(em \d s\)/); // by itself
  await expect(page.getByRole("progressbar")).toHaveAttribute("aria-label", /insistir\.csv/);
  await page.getByRole("button", { name: /Interromper/ }).click();
  await expect(page.getByText("Envio interrompido").first()).toBeVisible();
  await page.getByRole("button", { name: /Tentar de novo/ }).click();
  await expect(page.getByText(/A conexão caiu/).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: /Tentar de novo/ }).click();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
});

test("leaving the screen by a link loses no file, and leaving the page asks", async ({ page, visit }) => {
  await visit("/enviar");
  const held: Route[] = [];
  let isOpen = false;
  await page.route(isBucket, async (route) => {
    if (isOpen || route.request().method() !== "POST") await route.continue();
    else held.push(route);
  });
  await page.getByLabel("Arquivos").setInputFiles(["um.csv", "dois.csv", "tres.csv"].map(file));
  await expect.poll(() => held.length).toBe(2); // two at once
  await page.getByRole("link", { name: "Envios" }).click();
  await expect(page.getByText("Enviando arquivos…")).toBeVisible();
  const asked = await page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
  expect(asked).toBe(true);
  isOpen = true;
  for (const route of held) await route.continue();
  await page.getByRole("link", { name: "Revisar" }).click();
  await expect(page.getByRole("heading", { name: "um.csv, dois.csv, tres.csv" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Importar \d+ linhas/ })).toBeVisible();
  await expect(page.getByText("Arquivos enviados.")).toHaveCount(0);
});

test("a file that is dropped anywhere is taken: on a table, for it", async ({ page, company, visit }) => {
  await visit("/envios");
  await drop(page, "solto.csv");
  await expect(page.getByRole("heading", { name: "solto.csv" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Importar 1 linha em solto/ })).toBeVisible();
  const table = await company.table("recebe", ["produto:text", "valor:decimal"], [{ produto: "Z", valor: "9" }]);
  await visit(`/tabelas/${table}`);
  await expect(page.getByRole("gridcell", { name: "Z" })).toBeVisible();
  await drop(page, "mais.csv");
  await expect(page.getByRole("group", { name: /Para a tabela recebe/ })).toBeVisible();
  await page.getByRole("button", { name: "Enviar mais.csv" }).click();
  await expect(page.getByRole("button", { name: "Acrescentar 1 linha a recebe" })).toBeVisible();
});

test("a page that is closed while it sends says so in the history", async ({ page, visit }) => {
  await visit("/enviar");
  await page.route(isBucket, () => {}); // it never arrives
  await page.getByLabel("Arquivos").setInputFiles(file("fechada.csv"));
  await expect(page.getByRole("button", { name: /Interromper/ })).toBeVisible();
  await visit("/envios");
  await page.getByRole("link", { name: "fechada.csv" }).click();
  await expect(page.getByText("Os arquivos ainda não chegaram todos")).toBeVisible();
  await page.getByRole("button", { name: "Cancelar importação" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancelar importação" }).click();
  await expect(page.getByRole("heading", { name: "Importação cancelada" })).toBeVisible();
});

/** Whether an address is the bucket's: neither the page's nor the API's. */
function isBucket(url: URL): boolean {
  return !url.pathname.startsWith("/v1/") && url.port !== new URL(process.env["CONSOLE_URL"] ?? "").port;
}

test("a review is found again after the page is opened anew", async ({ page, visit }) => {
  await visit("/enviar");
  await page.getByLabel("Arquivos").setInputFiles(file("voltar.csv"));
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
  await visit("/envios");
  await expect(page.getByRole("listitem").filter({ hasText: "voltar.csv" })).toContainText("Aguardando sua revisão");
  await page.getByRole("link", { name: "voltar.csv" }).click();
  await expect(page.getByRole("button", { name: /^Importar 2 linhas/ })).toBeVisible();
});

test("what cannot be sent is said before anything is", async ({ page, visit }) => {
  await visit("/enviar");
  await page
    .getByLabel("Arquivos")
    .setInputFiles({ name: "foto.png", mimeType: "image/png", buffer: Buffer.from("x") });
  await expect(page.getByRole("alert")).toContainText("foto.png");
});

test("whoever has no table yet tries a sample file, is never told that it has not come, and sees what came in", async ({
  page,
  visit,
}) => {
  const company = new Company();
  await company.call("POST", "/provision");
  await page.addInitScript(() => {
    const look = (): void => {
      if (document.body?.textContent.includes("ainda não chegaram")) document.title = "flashed";
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await visit("/", page, company);
  await expect(page.getByText("Nenhuma tabela ainda")).toBeVisible();
  await expect(page.getByRole("link", { name: "Criar tabela" })).toHaveCount(1); // the ways in stand in one place
  await expectAccessible(page);
  await page.getByRole("button", { name: "Experimentar com um arquivo de exemplo" }).click();
  await page.getByRole("button", { name: "Importar 24 linhas em vendas_exemplo" }).click();
  await expect(page.getByRole("heading", { name: /24 linhas gravadas/ })).toBeVisible();
  const rows = page.getByRole("region", { name: "As primeiras linhas" }).getByRole("row");
  await expect(rows).toHaveCount(6);
  await expect(rows.nth(1)).toHaveText(/1001.*01\/03\/2025.*01310100.*São Paulo.*Caderno.*19,90/);
  await expectAccessible(page);
  await expect(page).not.toHaveTitle("flashed");

  const [, table = ""] =
    /tabelas\/(\w+)/.exec((await page.getByRole("link", { name: "Ver tabela" }).getAttribute("href")) ?? "") ?? [];
  const more = "Pedido;Data;CEP;Cidade;Produto;Quantidade;Valor total\n2001;02/04/2025;50010000;Olinda;Lápis;1;2,50\n";
  const job = await company.upload("vendas_mais.csv", more, table);
  await visit(`/envios/${job}`, page, company);
  await page.getByRole("button", { name: /^Acrescentar 1 linha/ }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Acrescentar 1 linha/ })
    .click();
  const last = page.getByRole("region", { name: "As últimas linhas que entraram" }).getByRole("row");
  await expect(last).toHaveText([/Pedido/, /2001.*Olinda/]);
  await company.call("POST", `/${table}/data`, { rows: [{ pedido: 9 }] });
  await page.goto("about:blank");
  await visit(`/envios/${job}`, page, company); // another row is the last now, and no file's
  await expect(page.getByRole("heading", { name: /1 linha gravada/ })).toBeVisible();
  await page.waitForLoadState("networkidle");
  await expect(last).toHaveCount(0);
});
