import type { ReactNode } from "react";
import { formatCount } from "../values/numbers";
import type { ReviewedColumn, Target } from "./adjustments";

interface PlanProps {
  columns: readonly ReviewedColumn[];
  targets: readonly Target[];
}

/** What the file and the table have in common as it stands now. */
export function Plan({ columns, targets }: PlanProps): ReactNode {
  const imported = columns.filter((one) => one.include);
  const fed = new Set(imported.flatMap(({ into }) => (into ? [into.name] : [])));
  const missing = targets.filter((target) => !fed.has(target.name));
  const facts: [string, readonly string[]][] = [
    ["Correspondem", imported.flatMap(({ source, into }) => (into ? [`${source} → ${nameOf(into)}`] : []))],
    ["Novas", imported.flatMap(({ source, into }) => (into ? [] : [source]))],
    ["Faltam no arquivo", missing.map(nameOf)],
  ];
  return (
    <details className="mt-panel">
      <summary>
        O arquivo e a tabela:{" "}
        {facts.map(([name, values]) => `${name.toLowerCase()} ${formatCount(values.length)}`).join(" · ")}
      </summary>
      <dl className="mt-facts">
        {facts.map(([name, values]) => (
          <div key={name}>
            <dt>
              {name} ({formatCount(values.length)})
            </dt>
            <dd>{values.join(", ") || "nenhuma"}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function nameOf(target: Target): string {
  return target.display_name ?? target.name;
}
