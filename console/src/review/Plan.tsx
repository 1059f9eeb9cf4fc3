import type { ReactNode } from "react";
import type { Job } from "../api/types";
import { formatCount } from "../values/numbers";
import type { ReviewedColumn, Target } from "./adjustments";

interface PlanProps {
  plan: NonNullable<Job["append_plan"]>;
  columns: readonly ReviewedColumn[];
  targets: readonly Target[];
  onMisfit: "reject" | "skip";
  onChoice: (choice: "reject" | "skip") => void;
}

/** What the file and the table have in common as it stands now, and what becomes of rows that do not fit. */
export function Plan({ plan, columns, targets, onMisfit, onChoice }: PlanProps): ReactNode {
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
      {plan.conflicts.length > 0 && <MisfitChoice onMisfit={onMisfit} onChoice={onChoice} />}
    </details>
  );
}

function nameOf(target: Target): string {
  return target.display_name ?? target.name;
}

export function MisfitChoice({ onMisfit, onChoice }: Pick<PlanProps, "onMisfit" | "onChoice">): ReactNode {
  return (
    <fieldset className="mt-choices">
      <legend>O que fazer com as linhas que não servem</legend>
      <label>
        <input type="radio" name="misfit" checked={onMisfit === "reject"} onChange={() => onChoice("reject")} /> Não
        importar nada até corrigir
      </label>
      <label>
        <input type="radio" name="misfit" checked={onMisfit === "skip"} onChange={() => onChoice("skip")} /> Importar as
        linhas que servem e separar as outras num arquivo
      </label>
    </fieldset>
  );
}
