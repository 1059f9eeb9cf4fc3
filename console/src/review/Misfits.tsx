import { type ReactNode, useState } from "react";
import type { Job } from "../api/types";
import { Button, detailText } from "../ui/parts";
import { columnLetter } from "../values/cells";
import { formatCount } from "../values/numbers";
import { keysOf } from "./adjustments";
import { type Spot, tableOf, usePlaces } from "./lines";

const SHOWN_AT_FIRST = 5;

type Detail = NonNullable<Job["error"]>["details"][number];

interface MisfitsProps {
  job: Job;
  onSpot: (spot: Spot) => void;
  onText: (source: string) => void;
  onSkip: () => void;
}

/** What did not fit at the last confirmation: nothing was imported; each value leads to its cell in the file. */
export function Misfits({ job, onSpot, onText, onSkip }: MisfitsProps): ReactNode {
  const places = usePlaces(job);
  const [isWhole, setWhole] = useState(false);
  const error = job.error;
  if (!error) return null;
  const columns = job.inferred_schema?.columns ?? [];
  const keys = keysOf(columns);
  const sources = new Map(columns.map((column, index) => [column.name, keys[index] ?? column.name]));
  // A confirmation may have renamed columns: details have the new names.
  const inferredName = (name: string): string =>
    job.confirmed_schema?.columns.find((column) => column.name === name)?.source ?? name;
  const named = [
    ...new Set(error.details.map((detail) => detail.column).filter((name) => name !== undefined && name !== null)),
  ];
  const shown = isWhole ? error.details : error.details.slice(0, SHOWN_AT_FIRST);
  const hidden = error.details.length - shown.length;
  const total = Math.max(error.details_total ?? 0, error.details.length);
  return (
    <section className="mt-note mt-note-error" aria-labelledby="misfits-title" role="alert">
      <h2 id="misfits-title">⚠ {error.message}</h2>
      <ul>
        {shown.map((detail, index) => {
          const spot = spotOf(job, detail, places, inferredName(String(detail.column ?? "")));
          const letter = spot && spot.place !== null ? columnLetter(spot.place) : undefined;
          return (
            <li key={index}>
              {spot ? (
                <button type="button" className="mt-link" onClick={() => onSpot(spot)}>
                  {detailText(detail, letter)}
                </button>
              ) : (
                detailText(detail)
              )}
            </li>
          );
        })}
      </ul>
      {hidden > 0 && (
        <Button onClick={() => setWhole(true)}>
          Mostrar {hidden === 1 ? "o outro" : `os outros ${hidden}`}
          {total > error.details.length && ` (de ${formatCount(total)})`}
        </Button>
      )}
      <div className="mt-actions">
        {named.map((name) => {
          const source = sources.get(inferredName(String(name))) ?? String(name);
          return (
            <Button key={name} onClick={() => onText(source)}>
              Importar “{source}” como texto
            </Button>
          );
        })}
        <Button onClick={onSkip}>Separar estas linhas num arquivo e importar as outras</Button>
      </div>
    </section>
  );
}

/** Return the cell that a detail speaks of, or null where it names no line of a file. */
function spotOf(job: Job, detail: Detail, places: readonly ReadonlyMap<string, number>[], column: string): Spot | null {
  if (detail.line === undefined || !job.reading) return null;
  const table = tableOf(job.reading.tables, detail.file ?? "", detail.sheet ?? null);
  if (table < 0) return null;
  return { table, line: detail.line, place: places[table]?.get(column) ?? null, reason: detail.reason };
}
