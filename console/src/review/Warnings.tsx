import type { ReactNode } from "react";
import type { Job } from "../api/types";
import { formatCount } from "../values/numbers";

export type Warning = Job["warnings"][number];

/** What is to be looked at before importing: what may change a value comes first. */
export function Warnings({ warnings }: { warnings: readonly Warning[] }): ReactNode {
  const general = warnings.filter((warning) => !warning.columns?.length);
  if (general.length === 0) return null;
  return (
    <section className="mt-note mt-note-warning" aria-labelledby="warnings-title">
      <h2 id="warnings-title">Confira antes de importar</h2>
      <ul>
        {general.map((warning, index) => (
          <li key={index}>
            ⚠ {warning.text}
            {warning.lines && warning.lines.length > 0 && (
              <span className="mt-quiet">
                {" "}
                (linhas {warning.lines.slice(0, 5).map(formatCount).join(", ")}
                {(warning.count ?? 0) > 5 && ` e outras, ${formatCount(warning.count ?? 0)} no total`})
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
