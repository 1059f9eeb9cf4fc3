import { Store } from "./store";

// Sentences stand in Portuguese where they are shown; english.json has each of them in English, and is fetched when wanted.

export type Language = "pt-BR" | "en";

const KEPT = "managed-tables:language";
let english: Readonly<Record<string, string>> = {};

export const language = new Store<Language>("pt-BR");

/** Say a sentence in the language that is chosen. Its values are `{0}`, `{1}` … in english.json. */
export function t(parts: TemplateStringsArray, ...values: readonly unknown[]): string {
  const sentence = parts.reduce((before, part, index) => `${before}{${index - 1}}${part}`);
  return say(sentence).replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)]));
}

/** Say words that stand in a list of them. */
export function say(sentence: string): string {
  return language.get() === "en" ? (english[sentence] ?? sentence) : sentence;
}

export async function speak(wanted: Language): Promise<void> {
  if (wanted === "en") english = (await import("../../english.json")).default;
  language.set(wanted);
}

/** Return what was chosen on an earlier visit, else the first of the browser's languages that there is. */
export function preferredLanguage(): Language {
  const wanted = [kept()?.getItem(KEPT), ...navigator.languages].find((one) => one && /^(pt|en)\b/i.test(one));
  return wanted?.startsWith("en") ? "en" : "pt-BR";
}

export async function chooseLanguage(wanted: Language): Promise<void> {
  await speak(wanted);
  kept()?.setItem(KEPT, wanted);
}

function kept(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null; // a page in a frame may not remember anything
  }
}
