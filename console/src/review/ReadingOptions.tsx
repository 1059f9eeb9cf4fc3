import { type ReactNode, useState } from "react";
import { Check, SelectField } from "../ui/fields";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { formatCount } from "../values/numbers";
import { delimiters, encodings, wordOf } from "../values/words";
import type { Overrides, TableReading } from "./lines";

const quotes = (): [string, string][] => [
  ['"', t`Aspas ( " )`],
  ["'", t`Apóstrofos ( ' )`],
  ["", t`Nenhuma`],
];

/** How a file or sheet was read, in one line. */
export function ReadingSummary({ table, isStated }: { table: TableReading; isStated: boolean }): ReactNode {
  const parts: string[] = [];
  if (table.encoding) parts.push(wordOf(encodings(), table.encoding));
  if (table.delimiter) parts.push(t`separador ${wordOf(delimiters(), table.delimiter)}`);
  const { header_line: line, header_lines: count } = table;
  if (line === null) parts.push(t`sem cabeçalho`);
  else parts.push(count > 1 ? t`cabeçalho: linhas ${line} a ${line + count - 1}` : t`cabeçalho: linha ${line}`);
  if (table.first_line !== null && table.last_line !== null) {
    parts.push(t`dados: linhas ${formatCount(table.first_line)} a ${formatCount(table.last_line)}`);
  }
  if (table.skipped_lines.length > 0) parts.push(t`fora: ${lineList(table.skipped_lines)}`);
  return (
    <p>
      {parts.join(" · ")} <span className="mt-badge">{isStated ? t`definido por você` : t`detectado`}</span>
    </p>
  );
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 8).map(formatCount).join(", ");
  return lines.length > 8 ? t`${shown} e mais ${formatCount(lines.length - 8)}` : shown;
}

interface ReadingOptionsProps {
  table: TableReading;
  /** What has been stated of it so far. */
  stated: Overrides;
  isBusy: boolean;
  onOverride: (overrides: Overrides) => void;
}

/** Every choice of a reading that is no line's: they are sent together. */
export function ReadingOptions({ table, stated, isBusy, onOverride }: ReadingOptionsProps): ReactNode {
  const [overrides, setOverrides] = useState<Overrides>({});
  const isText = table.encoding !== null;
  const isWorkbook = !isText && table.kind !== "html";
  const set = (changes: Overrides): void => setOverrides({ ...overrides, ...changes });
  return (
    <details className="mt-options">
      <summary>{t`Alterar a leitura`}</summary>
      <div className="mt-fields">
        {isText && (
          <>
            <SelectField
              label={t`Codificação do texto (acentos)`}
              value={overrides.encoding ?? table.encoding ?? ""}
              choices={encodings()}
              onChoose={(encoding) => set({ encoding })}
            />
            <SelectField
              label={t`Separador`}
              value={overrides.delimiter ?? table.delimiter ?? ""}
              choices={delimiters()}
              onChoose={(delimiter) => set({ delimiter })}
            />
            <SelectField
              label={t`Aspas em volta dos textos`}
              value={"quote" in overrides ? (overrides.quote ?? "") : (table.quote ?? "")}
              choices={quotes()}
              onChoose={(quote) => set({ quote: quote || null })}
            />
          </>
        )}
        <SelectField
          label={t`Cabeçalho`}
          value={String(
            "header_line" in overrides && overrides.header_line === null
              ? 0
              : (overrides.header_lines ?? (table.header_line === null ? 0 : table.header_lines)),
          )}
          choices={[
            ["0", t`O arquivo não tem`],
            ["1", t`Ocupa 1 linha`],
            ["2", t`Ocupa 2 linhas`],
            ["3", t`Ocupa 3 linhas`],
          ]}
          onChoose={(count) =>
            set(
              count === "0"
                ? { header_line: null }
                : { header_line: table.header_line ?? 1, header_lines: Number(count) },
            )
          }
        />
        <Check
          isChecked={(overrides.trim ?? stated.trim) === true}
          onCheck={(trim) => set({ trim })}
        >{t`Retirar espaços nas pontas das células`}</Check>
        {isWorkbook && (
          <Check
            isChecked={(overrides.fill_merged ?? stated.fill_merged) !== false}
            onCheck={(fill_merged) => set({ fill_merged })}
          >{t`Repetir em cada linha o valor das células mescladas`}</Check>
        )}
      </div>
      <Button
        disabled={isBusy || Object.keys(overrides).length === 0}
        onClick={() => onOverride(overrides)}
      >{t`Reler o arquivo`}</Button>
    </details>
  );
}
