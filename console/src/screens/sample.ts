// A file to try: what people have, a title above the labels, days and marks as Brazilians write them, a total below.

const CITIES = ["São Paulo", "Goiânia", "Belém", "Recife"];
const PRODUCTS = ["Caderno", "Mochila", "Estojo"];
const ROWS = 24;

const cents = (at: number): number => 1_990 + at * 735;
const money = (sum: number): string => `${Math.floor(sum / 100)},${String(sum % 100).padStart(2, "0")}`;

function row(at: number): string {
  const day = `${String((at % 28) + 1).padStart(2, "0")}/03/2025`;
  return [1_001 + at, day, `0${1_310_100 + at}`, CITIES[at % 4], PRODUCTS[at % 3], (at % 5) + 1, money(cents(at))].join(
    ";",
  );
}

/** Return a report of sales. */
export function sampleFile(): File {
  const rows = Array.from({ length: ROWS }, (_, at) => at);
  const lines = [
    "Relatório de vendas de março",
    "",
    "Pedido;Data;CEP;Cidade;Produto;Quantidade;Valor total",
    ...rows.map(row),
    `Total;;;;;;${money(rows.reduce((sum, at) => sum + cents(at), 0))}`,
  ];
  return new File([lines.join("\r\n")], "vendas_exemplo.csv", { type: "text/csv" });
}
