/** Return a name as the database takes it: `Preço Médio (R$)` gives `preco_medio_r`. */
export function toName(label: string): string {
  const plain = label.normalize("NFD").replace(/[̀-ͯ]/g, "").toLowerCase();
  const name = plain.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  if (name === "") return "coluna";
  if (name === "id") return "id_original";
  return /^\d/.test(name) ? `_${name}` : name;
}
