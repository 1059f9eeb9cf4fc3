import { describe, expect, it } from "vitest";
import { columnLetter, formatCell, parseCell, parseClipboard, showCell } from "./cells";
import { formatDate, formatDatetime, parseDate, parseDatetime } from "./dates";
import { formatBytes, formatCount, formatNumber, parseNumber, plural } from "./numbers";

describe("numbers", () => {
  it.each([
    ["0", "0"],
    ["-1234.5", "-1.234,5"],
    ["9007199254740993", "9.007.199.254.740.993"],
    ["123456789012345678901234567890.12", "123.456.789.012.345.678.901.234.567.890,12"],
    ["0.10", "0,10"],
    ["NaN", "NaN"],
  ])("%s is shown as %s", (text, shown) => expect(formatNumber(text)).toBe(shown));

  it.each([
    ["1.234,56", "1234.56"],
    ["1.234", "1234"],
    ["12.5", "12.5"],
    ["R$ 1.234,50", "1234.50"],
    ["-3", "-3"],
    ["007", "7"],
    ["1,2,3", null],
    ["1.23,4", null],
    ["abc", null],
    ["1,", null],
    ["(99,90)", "-99.90"],
    ["(R$ 1.234,50)", "-1234.50"],
    ["-R$ 3", "-3"],
    ["50%", "0.5"],
    ["0,5 %", "0.005"],
    ["100%", "1"],
    ["(-3)", null],
  ])("%s is read as %s", (text, digits) => expect(parseNumber(text)).toBe(digits));

  it("comes back digit for digit", () => {
    for (const digits of ["9223372036854775807", "-0.000000000000000001", `1${"0".repeat(300)}.5`]) {
      expect(parseNumber(formatNumber(digits))).toBe(digits);
    }
  });

  it("counts one thing and many", () => {
    expect([plural(1, "linha"), plural(0, "linha"), plural(1_234, "linha gravada", "linhas gravadas")]).toEqual([
      "1 linha",
      "0 linhas",
      "1.234 linhas gravadas",
    ]);
  });

  it("writes lists of counts", () => expect([1, 27, 1_000].map(formatCount)).toEqual(["1", "27", "1.000"]));
  it("tells sizes as people read them", () => expect(formatBytes(1_572_864)).toBe("1,5 MB"));
});

describe("dates", () => {
  it("never moves a day", () => {
    expect(formatDate("2025-12-31")).toBe("31/12/2025");
    expect(parseDate("31/12/2025")).toBe("2025-12-31");
    expect(parseDate("1/2/2025")).toBe("2025-02-01");
  });

  it.each(["30/02/2025", "29/02/2023", "31/04/2025", "00/01/2025", "01/13/2025", "ontem"])("%s is no day", (text) =>
    expect(parseDate(text)).toBeNull(),
  );

  it("takes the leap days there are", () => expect(parseDate("29/02/2024")).toBe("2024-02-29"));

  it("has years of two digits in the century of the importer", () => {
    expect([parseDate("31/12/68"), parseDate("31/12/69")]).toEqual(["2068-12-31", "1969-12-31"]);
  });

  it("shows an instant by the deployment's clocks, wherever the reader is, and reads it back", () => {
    for (const [instant, shown] of [
      ["2025-07-01T12:30:45.123456Z", "01/07/2025 09:30:45.123456"],
      ["2018-12-31T01:30:00Z", "30/12/2018 23:30"], // summer time
      ["0050-01-01T12:00:00Z", "01/01/0050 08:53:32"], // before zones there was the sun
    ] as const) {
      expect(formatDatetime(instant)).toBe(shown);
      expect(parseDatetime(shown)).toBe(instant);
    }
    expect(parseDatetime("04/01/2025 16:41")).toBe("2025-01-04T19:41:00Z");
    expect(parseDatetime("17/02/2018 23:30")).toBe("2018-02-18T01:30:00Z"); // this hour occurred twice: the first
    expect(parseDatetime("25:00 01/01/2025")).toBeNull();
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
    [null, "decimal", { decimals: 2 }, ""],
  ] as const)("%s as %s under %o is shown as %s", (value, type, format, shown) => {
    expect(showCell(value, { type, format })).toBe(shown);
  });
});

describe("cells", () => {
  it("are written by their type", () => {
    expect(formatCell("1234.5", "decimal")).toBe("1.234,5");
    expect(formatCell("2025", "integer")).toBe("2025");
    expect(formatCell("01821426", "text")).toBe("01821426");
    expect(formatCell(true, "boolean")).toBe("Sim");
    expect(formatCell(null, "date")).toBe("");
  });

  it.each([
    ["sim", "boolean", true],
    ["NÃO", "boolean", false],
    ["10,5", "decimal", "10.5"],
    ["31/12/2025", "date", "2025-12-31"],
    [" a ", "text", " a "],
  ] as const)("%s as %s is kept as %s", (text, type, value) =>
    expect(parseCell(text, type, true)).toEqual({ ok: true, value }),
  );

  it("say why they are refused", () => {
    expect(parseCell("1,5", "integer", true)).toEqual({ ok: false, reason: "não é um número inteiro" });
    expect(parseCell("", "text", false)).toEqual({ ok: false, reason: "esta coluna não pode ficar vazia" });
    expect(parseCell("  ", "integer", true)).toEqual({ ok: true, value: null });
    expect(parseCell("R$ -", "decimal", true)).toEqual({ ok: true, value: null });
  });

  it("are read from a spreadsheet's clipboard, quoted line feeds too", () => {
    expect(parseClipboard('a\t"b\nc"\r\n"d""e"\t\r\n')).toEqual([
      ["a", "b\nc"],
      ['d"e', ""],
    ]);
  });

  it("have a spreadsheet's letters", () =>
    expect([0, 25, 26, 701, 702].map(columnLetter)).toEqual(["A", "Z", "AA", "ZZ", "AAA"]));
});
