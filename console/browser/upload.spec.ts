import { expect, expectAccessible, test } from "./support.ts";

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
  const names = [...body.matchAll(/name="([^"]+)"/g)].map((match) => match[1]);
  if (names.length > 0) expect(names.at(-1)).toBe("file");
  await expect(page.getByRole("heading", { name: "Colunas" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Importar 2 linhas" })).toBeVisible();
});

test("a connection that breaks is told, and the file sent again", async ({ page, visit }) => {
  await visit("/enviar");
  let broken = 0;
  await page.route(
    (url) => !url.pathname.startsWith("/v1/") && url.port !== new URL(process.env["CONSOLE_URL"] ?? "").port,
    (route) => {
      if (route.request().method() === "POST" && broken === 0) {
        broken += 1;
        return route.abort("connectionreset");
      }
      return route.continue();
    },
  );
  await page.getByLabel("Arquivos").setInputFiles(FILE);
  await expect(page.getByText(/A conexão caiu/).first()).toBeVisible();
  await page.getByRole("button", { name: /Tentar de novo/ }).click();
  await expect(page.getByRole("button", { name: "Importar 2 linhas" })).toBeVisible();
});

test("a review is found again after the page is opened anew", async ({ page, visit }) => {
  await visit("/enviar");
  await page.getByLabel("Arquivos").setInputFiles(file("voltar.csv"));
  await expect(page.getByRole("button", { name: "Importar 2 linhas" })).toBeVisible();
  await visit("/envios");
  await expect(page.getByRole("listitem").filter({ hasText: "voltar.csv" })).toContainText("Aguardando sua revisão");
  await page.getByRole("link", { name: "voltar.csv" }).click();
  await expect(page.getByRole("button", { name: "Importar 2 linhas" })).toBeVisible();
});

test("what cannot be sent is said before anything is", async ({ page, visit }) => {
  await visit("/enviar");
  await page.getByLabel("Arquivos").setInputFiles({ name: "foto.png", mimeType: "image/png", buffer: Buffer.from("x") });
  await expect(page.getByRole("alert")).toContainText("foto.png");
});
