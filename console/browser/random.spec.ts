// Many things at random, and then what the grid shows beside what the database holds: the same, digit for digit, and
// nothing that nobody has written. CONSOLE_SEED repeats a run.

import type { Page } from "@playwright/test";
import { generator } from "./generator.ts";
import { type Company, expect, type Json, test } from "./support.ts";

const SEED = Number(process.env["CONSOLE_SEED"] ?? Date.now() % 100_000);
const ROUNDS = 12;
const STEPS = 5;
const NAMES = ["nome", "inteiro", "valor", "dia"] as const;
const ROWS = 8;

type Name = (typeof NAMES)[number];

/** What has been written, by anybody: as it is typed, as the API has it, as it is shown. */
class Written {
  private readonly texts = new Map<string, Set<string | null>>(NAMES.map((name) => [name, new Set([null])]));

  constructor(private readonly random: () => number) {}

  pick<One>(choices: readonly One[]): One {
    return choices[Math.floor(this.random() * choices.length)] as One;
  }

  upTo(count: number): number {
    return Math.floor(this.random() * count);
  }

  /** Make a value of a column: `typed` by a person, `stored` by the API. */
  value(name: Name): { typed: string; stored: string } {
    const made = this.made(name);
    this.texts.get(name)?.add(made.stored);
    return made;
  }

  holds(name: Name, stored: unknown): boolean {
    return this.texts.get(name)?.has(stored as string | null) === true;
  }

  private made(name: Name): { typed: string; stored: string } {
    const digits = (count: number): string =>
      `${1 + this.upTo(9)}${Array.from({ length: count - 1 }, () => this.upTo(10)).join("")}`;
    switch (name) {
      case "inteiro": {
        const stored = this.pick([digits(18), digits(4), `-${digits(17)}`]);
        return { typed: stored, stored };
      }
      case "valor": {
        const [whole, fraction] = [digits(1 + this.upTo(29)), digits(1 + this.upTo(9))];
        return { typed: `${whole},${fraction}`, stored: `${whole}.${fraction}` };
      }
      case "dia": {
        const [day, month] = [String(1 + this.upTo(28)).padStart(2, "0"), String(1 + this.upTo(12)).padStart(2, "0")];
        return { typed: `${day}/${month}/2025`, stored: `2025-${month}-${day}` };
      }
      default: {
        const stored = `${this.pick(["Silva, João", 'aspas "x"', "0123", "1.234,5", "ação"])} ${digits(4)}`;
        return { typed: stored, stored };
      }
    }
  }
}

function shown(name: Name, stored: unknown): string {
  if (stored === null) return "";
  const text = String(stored);
  if (name === "dia") return text.split("-").reverse().join("/");
  if (name !== "valor") return text;
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ".");
  return fraction === undefined ? grouped : `${grouped},${fraction}`;
}

/** The page under test, a person at its keys, and a colleague at the API. */
class Trial {
  readonly log: string[] = [];

  constructor(
    private readonly page: Page,
    private readonly company: Company,
    private readonly table: string,
    private readonly written: Written,
  ) {}

  private cell(row: number, column: number) {
    return this.page.locator(
      `[role="row"][aria-rowindex="${row + 2}"] [role="gridcell"][aria-colindex="${column + 2}"]`,
    );
  }

  private async select(): Promise<[number, number]> {
    const place: [number, number] = [this.written.upTo(ROWS), this.written.upTo(NAMES.length)];
    await this.cell(...place).click();
    return place;
  }

  async records(): Promise<Json[]> {
    return (await this.company.call("GET", `/${this.table}/data?numbers=string`))["records"] as Json[];
  }

  readonly steps: Record<string, () => Promise<void>> = {
    edit: async () => {
      const [, column] = await this.select();
      await this.page.keyboard.press("F2");
      await this.page.keyboard.press("Control+a");
      await this.page.keyboard.insertText(this.written.value(NAMES[column] ?? "nome").typed);
      await this.page.keyboard.press("Enter");
    },
    open: async () => {
      await this.select();
      await this.page.keyboard.press("F2");
      await this.page.keyboard.press("Tab");
    },
    paste: async () => {
      const [row, column] = await this.select();
      const [high, wide] = [Math.min(ROWS - row, 3), Math.min(NAMES.length - column, 3)];
      const block = Array.from({ length: high }, () =>
        Array.from({ length: wide }, (_, right) => {
          const { typed } = this.written.value(NAMES[column + right] ?? "nome");
          return /["\t]/.test(typed) ? `"${typed.replaceAll('"', '""')}"` : typed;
        }).join("\t"),
      );
      await this.page.evaluate((text) => navigator.clipboard.writeText(text), block.join("\n"));
      await this.page.keyboard.press("Control+v");
    },
    copy: async () => {
      await this.select();
      await this.page.keyboard.press("Shift+ArrowDown");
      await this.page.keyboard.press("Control+c");
      const [row, column] = [this.written.upTo(ROWS - 1), NAMES.indexOf("nome")];
      if (this.log.at(-1) === "copy") await this.cell(row, column).click(); // texts take any text
    },
    empty: async () => {
      await this.select();
      await this.page.keyboard.press("Shift+ArrowDown");
      await this.page.keyboard.press("Delete");
    },
    fill: async () => {
      const [row, column] = await this.select();
      await this.cell(Math.min(row + 2, ROWS - 1), column).click({ modifiers: ["Shift"] });
      await this.page.keyboard.press("Control+d");
    },
    undo: async () => {
      await this.select();
      await this.page.keyboard.press("Control+z");
    },
    redo: async () => {
      await this.select();
      await this.page.keyboard.press("Control+y");
    },
    colleague: async () => {
      const records = await this.records();
      const name = this.written.pick(NAMES);
      const id = String(records[this.written.upTo(ROWS)]?.["id"]);
      await this.company.call("PUT", `/${this.table}/data/${id}`, { [name]: this.written.value(name).stored });
    },
    sort: async () => {
      await this.page.getByRole("columnheader", { name: this.written.pick(["inteiro", "dia"]) }).click();
    },
    search: async () => {
      const search = this.page.getByRole("searchbox", { name: "Procurar nas linhas" });
      await search.fill(this.written.pick(["Silva", "2025", "x", ""]));
    },
  };

  /** Wait until nothing is being saved; a conflict is decided one way or the other. */
  async settle(): Promise<void> {
    const dialog = this.page.getByRole("dialog", { name: /Outra pessoa mudou/ });
    const saving = this.page.locator(".mt-cell-saving, .mt-cell-unsaved");
    await expect
      .poll(async () => {
        if (await dialog.isVisible()) {
          await dialog.getByRole("button", { name: this.written.pick([/Usar a/, /Gravar a/]) }).click();
        }
        return (await saving.count()) + (await dialog.count());
      })
      .toBe(0);
  }

  /** Every row of the database is shown as it is stored, and holds only what somebody wrote. */
  async compare(): Promise<void> {
    await this.settle();
    await this.page.getByRole("searchbox", { name: "Procurar nas linhas" }).fill(`nada ${this.log.length}`);
    await expect(this.page.getByText("Nenhuma linha com estes filtros")).toBeVisible();
    await this.page.getByRole("button", { name: "Limpar filtros" }).click();
    const stored = await this.records();
    expect(stored).toHaveLength(ROWS);
    for (const record of stored) {
      for (const name of NAMES) expect(this.written.holds(name, record[name]), `${name} ${record[name]}`).toBe(true);
    }
    const expected = stored.map((record) => NAMES.map((name) => shown(name, record[name])).join("|")).sort();
    const seen = async (): Promise<string[]> => {
      const rows: string[] = [];
      for (let row = 0; row < ROWS; row += 1) {
        const texts = NAMES.map((_, column) => this.cell(row, column).textContent({ timeout: 5_000 }));
        rows.push((await Promise.all(texts)).join("|"));
      }
      return rows.sort();
    };
    await expect.poll(seen).toEqual(expected);
  }
}

test("whatever is done at random, the grid shows what the database holds", async ({
  page,
  company,
  visit,
  context,
}) => {
  test.slow();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const random = generator(SEED);
  const written = new Written(random);
  const rows = Array.from({ length: ROWS }, () =>
    Object.fromEntries(NAMES.map((name) => [name, written.value(name).stored])),
  );
  const types = ["nome:text", "inteiro:integer", "valor:decimal", "dia:date"];
  const table = await company.table(`acaso_${SEED}`, types, rows);
  const trial = new Trial(page, company, table, written);
  await visit(`/tabelas/${table}`);
  await expect(page.getByText(`${ROWS} linhas`).first()).toBeVisible();
  // Rows that come again in their order take the cell in hand along: what is pasted there may go past the last one.
  await page.addLocatorHandler(page.getByRole("button", { name: "Não criar" }), (keep) => keep.click());
  try {
    await trial.compare();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let count = 0; count < STEPS; count += 1) {
        const [name = "", step] = written.pick(Object.entries(trial.steps));
        trial.log.push(name);
        if (name !== "search" && name !== "sort") await step?.();
        else if (count === STEPS - 1) await step?.();
        await trial.settle();
      }
      await trial.compare();
    }
  } catch (error) {
    throw new Error(`CONSOLE_SEED=${SEED} after ${trial.log.join(" ")}`, { cause: error });
  }
});
