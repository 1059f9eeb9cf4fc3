import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Ask } from "../ui/Ask";
import { useCaller } from "../ui/context";
import { t } from "../ui/language";
import { Menu } from "../ui/Menu";
import { Button } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import { useParts } from "./parts";

interface SelectedProps {
  selected: ReadonlySet<string>;
  onDeleted: () => void;
}

/** What a table is called, how many of its rows match, and what this caller may do with it. */
export function SheetHead({ selected, onDeleted }: SelectedProps): ReactNode {
  const { table, rows, isEditable, onOpen } = useParts();
  const { can } = useCaller();
  const [onlyId = ""] = selected;
  const only = selected.size === 1 ? rows.rowAt(rows.indexOf(onlyId)) : undefined;
  const { total } = rows;
  return (
    <>
      <div className="mt-title-bar">
        <div>
          <h1 id="table-title">{table.title || table.display_name}</h1>
          {table.description && <p className="mt-quiet">{table.description}</p>}
          <p className="mt-quiet">
            {total === null ? t`Procurando…` : plural(total, "linha")}
            {total !== null && total !== table.row_count && t` de ${formatCount(table.row_count)}`}
          </p>
        </div>
        <div className="mt-actions">
          {only && <Button onClick={() => onOpen({ row: only })}>{t`Abrir linha`}</Button>}
          {only && <Button onClick={() => onOpen({ story: only.id, column: null })}>{t`De onde veio`}</Button>}
          {isEditable && selected.size > 0 && <DeleteRows selected={selected} onDeleted={onDeleted} />}
          {isEditable && <Button onClick={() => onOpen({ row: "new" })}>{t`Nova linha`}</Button>}
          {table.status === "active" && can("upload") && (
            <Link href={`/enviar?tabela=${table._id}`} className="mt-button mt-button-plain">{t`Enviar arquivo`}</Link>
          )}
          <Button onClick={() => onOpen("exports")}>{t`Exportar`}</Button>
          {can("update") && (
            <Link href={`/tabelas/${table._id}/estrutura`} className="mt-button mt-button-plain">{t`Estrutura`}</Link>
          )}
          <Menu
            label={t`Mais desta tabela`}
            className="mt-button mt-button-plain"
            actions={[
              [t`Histórico`, () => onOpen("history")],
              [t`Lixeira`, () => onOpen("trash")],
              [t`Modelo de importação`, () => onOpen("recipe")],
              [t`Teclas`, () => onOpen("keys")],
            ]}
          >
            {t`Mais`} <ChevronDown />
          </Menu>
        </div>
      </div>
      {table.status !== "active" && (
        <p className="mt-note">{t`Esta tabela está inativa: pode ser lida, mas não alterada.`}</p>
      )}
    </>
  );
}

function DeleteRows({ selected, onDeleted }: SelectedProps): ReactNode {
  const { table, edits } = useParts();
  const words = plural(selected.size, "linha");
  const remove = async (): Promise<void> => {
    await edits.delete([...selected]);
    onDeleted();
  };
  return (
    <Ask label={t`Apagar ${words}`} kind="danger" title={t`Apagar ${words}?`} onGo={remove}>
      <p>
        {table.history
          ? t`Por 90 dias dá para trazer de volta o que se apaga: com Ctrl+Z, ou pela Lixeira desta tabela.`
          : t`Esta tabela não guarda histórico: o que se apaga não volta.`}
      </p>
    </Ask>
  );
}
