import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";
import english from "../english.json";

const SHOWN = new Set(["label", "title", "legend", "hint", "keep", "yes", "empty", "placeholder", "aria-label"]);
const LETTERS = /\p{L}{2}/u;
const sentences = new Set<string>();
const bare: string[] = [];

for (const name of readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })) {
  if (!/\.tsx?$/.test(name) || /\.(test|d)\.ts$/.test(name)) continue;
  const text = readFileSync(`${import.meta.dirname}/${name}`, "utf8");
  collect(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
}

/** Note the sentences that are said, and what is shown without being said. */
function collect(node: ts.Node): void {
  if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === "t") sentences.add(templateOf(node.template));
  else if (ts.isCallExpression(node) && node.expression.getText() === "plural") {
    const [one, many = `${one}s`] = node.arguments.slice(1).map((word) => (word as ts.StringLiteral).text);
    for (const word of [one, many]) if (word) sentences.add(word);
  } else if (ts.isJsxText(node) && LETTERS.test(node.text)) bare.push(node.text.trim());
  else if (ts.isJsxAttribute(node) && node.initializer && ts.isStringLiteral(node.initializer)) {
    if (SHOWN.has(node.name.getText()) && LETTERS.test(node.initializer.text)) bare.push(node.initializer.text);
  }
  node.forEachChild(collect);
}

function templateOf(template: ts.TemplateLiteral): string {
  if (ts.isNoSubstitutionTemplateLiteral(template)) return template.text;
  return template.templateSpans.reduce(
    (text, span, index) => `${text}{${index}}${span.literal.text}`,
    template.head.text,
  );
}

it("has each sentence in English, and no other", () => {
  expect(Object.keys(english).sort()).toEqual([...sentences].sort());
});

it("keeps the values of a sentence", () => {
  const values = (sentence: string): string => (sentence.match(/\{\d\}/g) ?? []).sort().join();
  const pairs: [string, string][] = Object.entries(english);
  expect(pairs.filter(([one, other]) => values(one) !== values(other))).toEqual([]);
});

it("shows nothing that is not said", () => {
  expect(bare).toEqual([]);
});
