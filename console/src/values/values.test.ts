import { describe, expect, it } from "vitest";
import written from "../../../tests/written_values.json";
import type { ColumnType } from "../api/types";
import { columnLetter, parseCell, parseClipboard, showCell, toClipboard } from "./cells";
import { formatDatetime, parseDatetime, setZone } from "./dates";
import { formatNumber, type Mark, parseNumber } from "./numbers";

// What a person types has its day first, and may be of any year.
const TYPED = written.filter(({ formats }) => formats.date_order === "dmy" && !("latest" in formats));

describe("numbers", () => {
  it("are shown with points, and come back digit for digit", () => {
    expect(formatNumber("-123456789012345678901234567890.12")).toBe("-123.456.789.012.345.678.901.234.567.890,12");
    for (const digits of ["9223372036854775807", "-0.000000000000000001", `1${"0".repeat(300)}.5`]) {
      expect(parseNumber(formatNumber(digits))).toBe(digits);
    }
  });
});

describe("dates", () => {
  it("shows an instant by the deployment's clocks, wherever the reader is, and reads it back", () => {
    for (const [instant, shown] of [
      ["2025-07-01T12:30:45.123456Z", "01/07/2025 09:30:45.123456"],
      ["2018-12-31T01:30:00Z", "30/12/2018 23:30"], // summer time
      ["0050-01-01T12:00:00Z", "01/01/0050 08:53:32"], // before zones there was the sun
    ] as const) {
      expect(formatDatetime(instant)).toBe(shown);
      expect(parseDatetime(shown)).toBe(instant);
    }
  });
});

describe("formats", () => {
  it.each([
    ["2025", "integer", { thousands: false }, "2025"],
    ["1234567", "integer", { thousands: true }, "1.234.567"],
    ["2025.5", "decimal", { thousands: false }, "2025,5"],
    ["1234.5", "decimal", { currency: "BRL" }, "R$ 1.234,50"],
    ["-0.125", "decimal", { currency: "USD" }, "-US$ 0,125"],
    ["0.875", "decimal", { percent: true }, "87,5%"],
    ["-12", "integer", { percent: true, decimals: 1 }, "-1.200,0%"],
    ["9.995", "decimal", { decimals: 2 }, "≈ 10,00"],
    ["123456789012345678901234567890.10", "decimal", { decimals: 1 }, "123.456.789.012.345.678.901.234.567.890,1"],
    ["2025-03-04", "date", { date: "month" }, "03/2025"],
    ["2025-03-04", "date", { date: "year" }, "2025"],
    ["2025-01-05T01:30:00Z", "datetime", { date: "date" }, "04/01/2025"],
    ["2025-01-05T01:30:00Z", "datetime", { date: "time" }, "22:30"],
  ] as const)("%s as %s under %o is shown as %s", (value, type, format, shown) => {
    expect(showCell(value, { type, format })).toBe(shown);
  });
});

describe("cells", () => {
  it.each(TYPED)("of $type under $formats are read as a file's", ({ type, formats, cells }) => {
    setZone(formats.timezone);
    const read = Object.keys(cells).map((text) => {
      const parsed = parseCell(text, type as ColumnType, true, formats.decimal_mark as Mark);
      return [text, parsed.ok ? String(parsed.value ?? "empty") : null];
    });
    expect(Object.fromEntries(read)).toEqual(cells);
    setZone("America/Sao_Paulo");
  });

  it("say why they are refused", () => {
    expect(parseCell("1,234", "integer", true)).toEqual({ ok: false, reason: "não é um número inteiro" });
    expect(parseCell("", "text", false)).toEqual({ ok: false, reason: "esta coluna não pode ficar vazia" });
    expect(parseCell(" a ", "text", true)).toEqual({ ok: true, value: " a " });
  });

  it("are read from a spreadsheet's clipboard, quoted line feeds too", () => {
    expect(parseClipboard('a\t"b\nc"\r\n"d""e"\t\r\n')).toEqual([
      ["a", "b\nc"],
      ['d"e', ""],
    ]);
    expect(parseClipboard('a\r\n\r\nb\r\n"\r\n"c" d\r\n')).toEqual([["a"], [""], ["b"], ['"'], ['"c" d']]); // a blank moves nothing up
    for (const cells of [[""], ["a", ""], ["", "", "a"], ['"'], ['"a"', "b\r\n"], ["\n", ""]])
      expect(parseClipboard(toClipboard(cells.map((cell) => [cell])))).toEqual(cells.map((cell) => [cell]));
  });

  it("have a spreadsheet's letters", () =>
    expect([0, 25, 26, 701, 702].map(columnLetter)).toEqual(["A", "Z", "AA", "ZZ", "AAA"]));
});
