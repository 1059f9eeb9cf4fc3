import { type ReactNode, useState } from "react";
import type { ExportBody, Table } from "../api/types";
import { Ask } from "../ui/Ask";
import { useApi } from "../ui/context";
import { Radios } from "../ui/fields";
import { t } from "../ui/language";
import { Dialog } from "../ui/parts";
import { ExportList } from "./ExportList";
import { useParts } from "./parts";
import { arranged, askedOf, type GridView } from "./view";

type Format = "xlsx" | "excel-br" | "rfc4180" | "jsonl" | "parquet";

const formats = (): [Format, string][] => [
  ["xlsx", "Excel (.xlsx)"],
  ["excel-br", t`CSV para Excel no Brasil`],
  ["rfc4180", t`CSV padrão`],
  ["jsonl", "JSON Lines"],
  ["parquet", "Parquet"],
];

/** What is in sight, as a file: the rows that match, in their order, the columns that show; and earlier files. */
export function ExportDialog(): ReactNode {
  const { table, view, onClose } = useParts();
  const api = useApi();
  const [format, setFormat] = useState<Format>("xlsx");
  const start = async (): Promise<void> => {
    await api.POST("/{table_id}/exports", { path: { table_id: table._id }, body: bodyOf(table, view, format) });
  };
  return (
    <Dialog title={t`Exportar`} isSide onClose={onClose}>
      <Radios legend={t`Formato`} choices={formats()} value={format} onChoose={setFormat} />
      <Ask label={t`Preparar arquivo`} kind="primary" onGo={start} />
      <h3>{t`Arquivos desta tabela`}</h3>
      <ExportList tableId={table._id} />
    </Dialog>
  );
}

function bodyOf(table: Table, view: GridView, format: Format): ExportBody {
  const kind = format === "excel-br" || format === "rfc4180" ? { format: "csv" as const, dialect: format } : { format };
  return {
    ...kind,
    ...askedOf(view),
    ...(view.hidden.length + view.order.length + view.frozen.length > 0
      ? { fields: arranged(table.columns, view).map(({ name }) => name) }
      : {}),
    ...(view.sorts.length > 0 ? { sort: [...view.sorts] } : {}),
  };
}
