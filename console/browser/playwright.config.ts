import { defineConfig } from "@playwright/test";
import chromium from "@sparticuz/chromium";

// CONSOLE_BROWSER names another Chromium, such as Debian's /usr/bin/chromium.
const executablePath = process.env["CONSOLE_BROWSER"] ?? (await chromium.executablePath());

export default defineConfig({
  testDir: ".",
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 3, // each waits for jobs most of the time
  fullyParallel: true,
  reporter: [["list"]],
  snapshotPathTemplate: "pictures/{arg}{ext}",
  updateSnapshots: process.env["CONSOLE_PICTURES"] ? "all" : "none",
  outputDir: process.env["CONSOLE_RESULTS"] ?? "results",
  use: {
    baseURL: process.env["CONSOLE_URL"] ?? "http://127.0.0.1:8080",
    locale: "pt-BR",
    timezoneId: "America/Sao_Paulo",
    viewport: { width: 1280, height: 800 },
    trace: "off",
    launchOptions: {
      executablePath,
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-features=LocalNetworkAccessChecks", // the pages made up for frame.spec.ts are of no network at all
      ],
    },
  },
});
