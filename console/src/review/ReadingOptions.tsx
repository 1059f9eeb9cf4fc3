import { type ReactNode, useState } from "react";
import { Check, SelectField } from "../ui/fields";
import { Button } from "../ui/parts";
import { formatCount } from "../values/numbers";
import { DELIMITERS, ENCODINGS, wordOf } from "../values/words";
import type { TableReading, Wish } from "./lines";

const QUOTES: [string, string][] = [
  ['"', 'Aspas ( " )'],
  ["'", "Apóstrofos ( ' )"],
  ["", "Nenhuma"],
];

/** How a file or sheet was read, in one line. */
export function ReadingSummary({ table, isStated }: { table: TableReading; isStated: boolean }): ReactNode {
  const parts: string[] = [];
  if (table.encoding) parts.push(wordOf(ENCODINGS, table.encoding));
  if (table.delimiter) parts.push(`separador ${wordOf(DELIMITERS, table.delimiter)}`);
  const { header_line: line, header_lines: count } = table;
  if (line === null) parts.push("sem cabeçalho");
  else parts.push(count > 1 ? `cabeçalho: linhas ${line} a ${line + count - 1}` : `cabeçalho: linha ${line}`);
  if (table.first_line !== null && table.last_line !== null) {
    parts.push(`dados: linhas ${formatCount(table.first_line)} a ${formatCount(table.last_line)}`);
  }
  if (table.skipped_lines.length > 0) parts.push(`fora: ${lineList(table.skipped_lines)}`);
  return (
    <p>
      {parts.join(" · ")} <span className="mt-badge">{isStated ? "definido por você" : "detectado"}</span>
    </p>
  );
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 8).map(formatCount).join(", ");
  return lines.length > 8 ? `${shown} e mais ${formatCount(lines.length - 8)}` : shown;
}

interface ReadingOptionsProps {
  table: TableReading;
  /** What has been stated of it so far. */
  stated: Wish;
  isBusy: boolean;
  onWish: (wish: Wish) => void;
}

/** Every choice of a reading that is no line's: they are sent together. */
export function ReadingOptions({ table, stated, isBusy, onWish }: ReadingOptionsProps): ReactNode {
  const [wish, setWish] = useState<Wish>({});
  const isText = table.encoding !== null;
  const isWorkbook = !isText && table.kind !== "html";
  const set = (changes: Wish): void => setWish({ ...wish, ...changes });
  return (
    <details className="mt-options">
      <summary>Alterar a leitura</summary>
      <div className="mt-fields">
        {isText && (
          <>
            <SelectField
              label="Codificação do texto (acentos)"
              value={wish.encoding ?? table.encoding ?? ""}
              choices={ENCODINGS}
              onChoose={(encoding) => set({ encoding })}
            />
            <SelectField
              label="Separador"
              value={wish.delimiter ?? table.delimiter ?? ""}
              choices={DELIMITERS}
              onChoose={(delimiter) => set({ delimiter })}
            />
            <SelectField
              label="Aspas em volta dos textos"
              value={"quote" in wish ? (wish.quote ?? "") : (table.quote ?? "")}
              choices={QUOTES}
              onChoose={(quote) => set({ quote: quote || null })}
            />
          </>
        )}
        <SelectField
          label="Cabeçalho"
          value={String(
            "header_line" in wish && wish.header_line === null
              ? 0
              : (wish.header_lines ?? (table.header_line === null ? 0 : table.header_lines)),
          )}
          choices={[
            ["0", "O arquivo não tem"],
            ["1", "Ocupa 1 linha"],
            ["2", "Ocupa 2 linhas"],
            ["3", "Ocupa 3 linhas"],
          ]}
          onChoose={(count) =>
            set(
              count === "0"
                ? { header_line: null }
                : { header_line: table.header_line ?? 1, header_lines: Number(count) },
            )
          }
        />
        <Check isChecked={(wish.trim ?? stated.trim) === true} onCheck={(trim) => set({ trim })}>
          Retirar espaços nas pontas das células
        </Check>
        {isWorkbook && (
          <Check
            isChecked={(wish.fill_merged ?? stated.fill_merged) !== false}
            onCheck={(fill_merged) => set({ fill_merged })}
          >
            Repetir em cada linha o valor das células mescladas
          </Check>
        )}
      </div>
      <Button disabled={isBusy || Object.keys(wish).length === 0} onClick={() => onWish(wish)}>
        Reler o arquivo
      </Button>
    </details>
  );
}
