// Lists in an address, as the API writes them: commas between the values, `\,` for a comma within one.

export function joinList(values: readonly string[]): string {
  return values.map((value) => value.replaceAll("\\", "\\\\").replaceAll(",", "\\,")).join(",");
}

export function splitList(text: string): string[] {
  const values = [""];
  for (const [part] of text.matchAll(/\\[\\,]|[\s\S]/g)) {
    if (part === ",") values.push("");
    else values[values.length - 1] += part.length > 1 ? part.slice(1) : part;
  }
  return values;
}
