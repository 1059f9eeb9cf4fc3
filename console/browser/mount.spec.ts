// The module in a page of another console: that page is made up in the browser, its files are those of the build.

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "./support.ts";

const MODULE = fileURLToPath(new URL("../dist/module/", import.meta.url));
const PAGE = `<!doctype html><html lang="pt-BR"><link rel="stylesheet" href="/module/managed-tables-console.css">
  <h1 id="of-host">Console da empresa</h1><div id="place"></div>
  <script type="module">
    import { mount } from "/module/managed-tables-console.js";
    window.asked = [];
    window.paths = [];
    window.unmount = mount(document.getElementById("place"), {
      apiUrl: "", base: "/host",
      getToken: async (renew) => { asked.push(renew); return renew ? window.token : "expired"; },
      onNavigate: (path) => paths.push(path),
    });
  </script>`;

interface OfHost {
  token: string;
  asked: boolean[];
  paths: string[];
  unmount: () => void;
}
declare const window: OfHost;

test("another console mounts the module: its token is renewed, its paths are told, and it leaves nothing", async ({
  page,
  company,
}) => {
  await page.route("**/host", (route) => route.fulfill({ contentType: "text/html", body: PAGE }));
  await page.route("**/module/**", (route) =>
    route.fulfill({ path: MODULE + new URL(route.request().url()).pathname.replace("/module/", "") }),
  );
  await page.addInitScript((token) => {
    window.token = token;
  }, company.token);
  await page.goto("/host");
  await expect(page.getByRole("heading", { name: "Tabelas" })).toBeVisible();
  expect(await page.evaluate(() => window.asked)).toContain(true); // the first token was refused
  await page.getByRole("link", { name: "Envios" }).click();
  await expect(page.getByRole("heading", { name: "Envios" })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/host/envios");
  expect(await page.evaluate(() => window.paths)).toEqual(["/", "/envios"]);
  expect(await page.locator("#of-host").evaluate((element) => getComputedStyle(element).fontSize)).toBe("32px"); // the host's own style
  expect(statSync(`${MODULE}managed-tables-console.js`).size).toBeLessThan(400_000); // React's development build has 800 KB
  await page.evaluate(() => window.unmount());
  await expect(page.locator("#place")).toBeEmpty();
});
