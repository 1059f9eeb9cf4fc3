import type { ReactNode } from "react";
import type { Job } from "../api/types";
import { Button, detailText } from "../ui/parts";
import { sourceOf } from "./adjustments";

interface MisfitsProps {
  job: Job;
  onText: (source: string) => void;
  onSkip: () => void;
}

/** What did not fit at the last confirmation: nothing was imported; each value leads to its column. */
export function Misfits({ job, onText, onSkip }: MisfitsProps): ReactNode {
  const error = job.error;
  if (!error) return null;
  const columns = new Map(job.inferred_schema?.columns.map((column) => [column.name, sourceOf(column)]));
  const named = [...new Set(error.details.map((detail) => detail.column).filter((name) => name !== undefined && name !== null))];
  return (
    <section className="mt-note mt-note-error" aria-labelledby="misfits-title" role="alert">
      <h2 id="misfits-title">⚠ {error.message}</h2>
      <ul>
        {error.details.map((detail, index) => (
          <li key={index}>
            <button type="button" className="mt-link" onClick={() => focusColumn(String(detail.column ?? ""))}>
              {detailText(detail)}
            </button>
          </li>
        ))}
      </ul>
      <div className="mt-actions">
        {named.map((name) => (
          <Button key={name} onClick={() => onText(columns.get(String(name)) ?? String(name))}>
            Importar “{columns.get(String(name)) ?? String(name)}” como texto
          </Button>
        ))}
        <Button onClick={onSkip}>Separar estas linhas num arquivo e importar as outras</Button>
      </div>
    </section>
  );
}

function focusColumn(name: string): void {
  const field = document.querySelector<HTMLElement>(`[data-column="${CSS.escape(name)}"] select`);
  field?.scrollIntoView({ block: "center" });
  field?.focus();
}
