import type { ReactNode } from "react";
import type { Difference } from "../api/types";
import { t } from "../ui/language";
import { formatCount } from "../values/numbers";
import { ABOUT_HEADERS, type Check, wordsOf } from "./checks";
import { useReview } from "./draft";
import { useLines } from "./lines";

const SHOWN_AROUND = 2; // cells on each side of the one that is meant
const SHOWN_OF_A_CELL = 40;

interface SidesProps {
  difference: Difference;
  spot: Check["spot"];
}

/** A difference side by side: what the table remembers of its files, and this file's own line. */
export function Sides({ difference: { code, before, after }, spot }: SidesProps): ReactNode {
  const { job, recipe } = useReview();
  const table = spot ? job.reading?.tables[spot.table] : undefined;
  const line = useLines(job, table, spot?.line ?? 1, 1).data?.lines[0];
  const isHeader = ABOUT_HEADERS.has(code);
  const kept = recipe?.tables.find((one) => one.sheet === table?.sheet) ?? recipe?.tables[0];
  const labels = isHeader ? (kept?.labels ?? []) : [];
  const words = [wordsOf(code, before), wordsOf(code, after)] as const;
  if (!line && labels.length === 0 && !words.some(Boolean)) return null;
  const place = spot?.place ?? -1;
  return (
    <div className="mt-sides">
      <Side
        title={t`Antes`}
        line={code === "HEADER_MOVED" ? Number(before) : null}
        cells={labels}
        place={isHeader ? labels.indexOf(String(before)) : -1}
        words={isHeader ? "" : words[0]}
      />
      <Side
        title={t`Agora`}
        line={line?.line ?? null}
        cells={line?.cells ?? []}
        place={place}
        words={isHeader ? "" : words[1]}
      />
    </div>
  );
}

interface SideProps {
  title: string;
  line: number | null;
  cells: readonly (string | null)[];
  place: number;
  words: string;
}

function Side({ title, line, cells, place, words }: SideProps): ReactNode {
  const first = Math.max(place - SHOWN_AROUND, 0);
  const shown = cells.slice(first, first + 2 * SHOWN_AROUND + 1);
  return (
    <p>
      <strong>{title}</strong>
      {line !== null && t` · linha ${formatCount(line)}`}
      {words && `: ${words}`}
      {cells.length > 0 && (
        <span className="mt-strip">
          {first > 0 && <span>…</span>}
          {shown.map((cell, index) => {
            const text = (cell ?? "").slice(0, SHOWN_OF_A_CELL) || t`(vazia)`;
            return first + index === place ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
          })}
          {first + shown.length < cells.length && <span>…</span>}
        </span>
      )}
    </p>
  );
}
