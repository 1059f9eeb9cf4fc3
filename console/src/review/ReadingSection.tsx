import type { ReactNode } from "react";
import type { Reanalysis, StatedTable } from "../api/types";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import type { ReviewedColumn } from "./adjustments";
import { ColumnPanel } from "./ColumnPanel";
import { useReview } from "./draft";
import { useExamples } from "./examples";
import { FileGrid } from "./FileGrid";
import { type Overrides, type TableReading, usePlaces } from "./lines";
import { ReadingOptions, ReadingSummary } from "./ReadingOptions";
import { TableTabs } from "./TableTabs";

interface ReadingSectionProps {
  /** Have the files read again, with this said of them. */
  onState: (statement: Reanalysis) => void;
}

/** How a file or sheet was read, the ways to say otherwise, its lines, and the panel of one column. */
export function ReadingSection({ onState }: ReadingSectionProps): ReactNode {
  const { job, look, columns, isBusy, onAdjust } = useReview();
  const tables = job.reading?.tables ?? [];
  const table = tables[look.table];
  if (!table) return null;
  const { file, sheet } = table;
  const stated = job.stated?.tables?.find((one) => one.file === file && (one.sheet ?? null) === sheet);
  const overrides = (changes: Overrides): void => onState({ tables: [{ file, sheet, ...changes }] });
  return (
    <section className="mt-panel" aria-labelledby="reading-title" aria-busy={isBusy}>
      <h2 id="reading-title">{t`Como o arquivo foi lido`}</h2>
      <TableTabs tables={tables} chosen={look.table} onChoose={look.choose} />
      <ReadingSummary table={table} isStated={isStated(stated)} />
      {!table.include && <p>{table.reasons.map((reason) => reason.text).join(" · ")}</p>}
      <div className="mt-actions mt-reading-bar">
        {tables.length > 1 && (
          <Button disabled={isBusy} onClick={() => overrides({ include: !table.include })}>
            {table.include ? t`Deixar de fora` : t`Incluir na importação`}
          </Button>
        )}
        <ReadingOptions
          key={`${look.table}/${job.updated_at}`}
          table={table}
          stated={stated ?? {}}
          isBusy={isBusy}
          onOverride={overrides}
        />
        {isStated(stated) && <Button disabled={isBusy} onClick={() => overrides({})}>{t`Voltar ao detectado`}</Button>}
        {(job.recipe || job.stated?.recipe === false) && (
          <Button disabled={isBusy} onClick={() => onState({ recipe: job.recipe ? false : null })}>
            {job.recipe ? t`Ler sem o modelo da tabela` : t`Ler com o modelo da tabela`}
          </Button>
        )}
        <Button
          onClick={() =>
            onAdjust(
              columns.map((one) => one.source),
              { type: "text" },
            )
          }
        >{t`Importar tudo como texto`}</Button>
      </div>
      <Sheet table={table} onOverride={overrides} />
    </section>
  );
}

/** Whether anything is stated of a table: more than where it is. */
function isStated(stated: StatedTable | undefined): boolean {
  return stated !== undefined && Object.keys(stated).length > 2;
}

/** The lines of the chosen file or sheet, and beside them the panel of the chosen column. */
function Sheet({ table, onOverride }: { table: TableReading; onOverride: (overrides: Overrides) => void }): ReactNode {
  const { job, look, columns } = useReview();
  const places = usePlaces(job)[look.table];
  const exampleOf = useExamples(job, table);
  const byPlace = new Map<number, ReviewedColumn>();
  for (const one of table.include ? columns : []) {
    const place = places?.get(one.column.name);
    if (place !== undefined) byPlace.set(place, one);
  }
  const { column: chosen } = look;
  return (
    <div className="mt-review-sheet">
      <div className="mt-review-lines">
        <FileGrid key={look.table} table={table} columns={byPlace} exampleOf={exampleOf} onOverride={onOverride} />
      </div>
      {chosen && (
        <ColumnPanel
          key={`${chosen.column.name}/${job.updated_at}`}
          column={chosen}
          place={places?.get(chosen.column.name) ?? null}
        />
      )}
    </div>
  );
}
