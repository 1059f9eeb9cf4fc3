import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { plural } from "../values/numbers";
import type { TableReading } from "./lines";

interface TableTabsProps {
  tables: readonly TableReading[];
  chosen: number;
  onChoose: (table: number) => void;
}

/** The files and sheets of an upload, with their rows; members of a ZIP by their own names. */
export function TableTabs({ tables, chosen, onChoose }: TableTabsProps): ReactNode {
  if (tables.length < 2) return null;
  const names = new Set(tables.map((table) => table.name));
  return (
    <div role="group" aria-label={t`Arquivos e abas`} className="mt-tabs">
      {tables.map((table, index) => (
        <Button key={`${table.file}/${table.sheet}`} aria-pressed={index === chosen} onClick={() => onChoose(index)}>
          {table.sheet === null ? table.name : names.size > 1 ? `${table.name} · ${table.sheet}` : table.sheet}{" "}
          {table.include && <Check />} {table.include ? plural(table.rows, "linha") : t`– fora`}
        </Button>
      ))}
    </div>
  );
}
