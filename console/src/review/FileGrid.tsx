import { type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "../ui/language";
import { Button, Failure, Loading } from "../ui/parts";
import { roving } from "../ui/roving";
import { columnLetter } from "../values/cells";
import { formatCount } from "../values/numbers";
import { ColumnHead } from "./ColumnHead";
import { useReview } from "./draft";
import { type FileGridProps, FileLine } from "./FileLine";
import { PAGE_LINES, type TableReading, useLeftOutLines, useLines } from "./lines";

/** The file's own lines under the columns that they become: what a line is changes by its menu, never by a click on it. */
export function FileGrid(props: FileGridProps): ReactNode {
  const { job, look, isBusy } = useReview();
  const { table, columns } = props;
  const spot = look.spot?.table === look.table ? look.spot : null;
  const selected = look.column?.column.name;
  const [from, setFrom] = useState(1);
  const [onlyLeftOut, setOnlyLeftOut] = useState(false);
  const preview = useLines(job, table, from);
  const leftOut = useLeftOutLines(job, table, onlyLeftOut);
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!spot) return;
    setOnlyLeftOut(false);
    setFrom(spot.line <= PAGE_LINES ? 1 : Math.max(spot.line - 5, 1));
  }, [spot]);
  useEffect(() => {
    const head = scroller.current?.querySelector(".mt-head-selected");
    head?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [selected]);
  if (preview.error) return <Failure error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Loading label={t`Carregando as linhas do arquivo`} />;
  const lines = onlyLeftOut && leftOut.isComplete ? leftOut.lines : preview.data.lines;
  const width = Math.max(
    ...lines.map((line) => line.cells.length),
    ...[...columns.keys()].map((place) => place + 1),
    1,
  );
  const go = (line: number): void => {
    setOnlyLeftOut(false);
    setFrom(line);
  };
  return (
    <>
      <Where
        table={table}
        last={preview.data.last_line}
        from={from}
        onlyLeftOut={onlyLeftOut}
        onGo={go}
        onLeftOut={() => setOnlyLeftOut(true)}
      />
      <div
        ref={scroller}
        className={isBusy || preview.isPlaceholderData ? "mt-preview mt-dimmed" : "mt-preview"}
        role="region"
        aria-label={t`Linhas do arquivo`}
      >
        <table>
          <thead onKeyDown={roving.onKeyDown} onFocus={roving.onFocus}>
            <tr>
              <th scope="col">{t`Linha`}</th>
              <th scope="col">{t`O que é`}</th>
              {Array.from({ length: width }, (_, place) => (
                <Head key={place} place={place} columns={columns} />
              ))}
            </tr>
          </thead>
          <tbody onKeyDown={roving.onKeyDown} onFocus={roving.onFocus}>
            {lines.map((line, index) => (
              <FileLine
                {...props}
                key={line.line}
                line={line}
                isFirst={index === 0}
                width={width}
                spot={spot?.line === line.line ? spot : null}
              />
            ))}
          </tbody>
        </table>
      </div>
      {preview.data.truncated && (
        <p className="mt-quiet">{t`Parte do conteúdo não cabe aqui: o arquivo tem ${formatCount(preview.data.columns)} colunas. Tudo será importado.`}</p>
      )}
    </>
  );
}

function Head({ place, columns }: Pick<FileGridProps, "columns"> & { place: number }): ReactNode {
  const { look } = useReview();
  const column = columns.get(place);
  if (!column) {
    return (
      <th scope="col" className="mt-head">
        {columnLetter(place)}
      </th>
    );
  }
  return (
    <ColumnHead
      column={column}
      letter={columnLetter(place)}
      isFirst={place === Math.min(...columns.keys())}
      isSelected={column === look.column}
    />
  );
}

interface WhereProps {
  table: TableReading;
  last: number;
  from: number;
  onlyLeftOut: boolean;
  onGo: (line: number) => void;
  onLeftOut: () => void;
}

/** Which lines of the file are shown. */
function Where({ table, last, from, onlyLeftOut, onGo, onLeftOut }: WhereProps): ReactNode {
  const isEnd = from > 1 && from >= last - PAGE_LINES;
  return (
    <div className="mt-actions" role="group" aria-label={t`Ver`}>
      {last > PAGE_LINES && (
        <>
          <Button aria-pressed={!onlyLeftOut && from === 1} onClick={() => onGo(1)}>{t`Início`}</Button>
          <Button
            aria-pressed={!onlyLeftOut && isEnd}
            onClick={() => onGo(Math.max(last - PAGE_LINES + 1, 1))}
          >{t`Fim`}</Button>
        </>
      )}
      {table.skipped_lines.length > 0 && (
        <Button
          aria-pressed={onlyLeftOut}
          onClick={onlyLeftOut ? () => onGo(1) : onLeftOut}
        >{t`Linhas fora (${formatCount(table.skipped_lines.length)})`}</Button>
      )}
      {last > PAGE_LINES && (
        <form
          className="mt-inline"
          onSubmit={(event) => {
            event.preventDefault();
            const line = Number(new FormData(event.currentTarget).get("line"));
            if (line >= 1) onGo(Math.min(line, last));
          }}
        >
          <label>
            {t`Ir para a linha`} <input name="line" type="number" min={1} max={last} />
          </label>
          <Button type="submit">{t`Ir`}</Button>
        </form>
      )}
    </div>
  );
}
