import type { ReactNode } from "react";
import type { Job } from "../api/types";
import { detailText } from "../ui/parts";
import { formatCount } from "../values/numbers";

interface AppendPlanProps {
  plan: NonNullable<Job["append_plan"]>;
  onMisfit: "reject" | "skip";
  onChoice: (choice: "reject" | "skip") => void;
}

/** What the file and the table have in common, and what does not fit, before anything is written. */
export function AppendPlan({ plan, onMisfit, onChoice }: AppendPlanProps): ReactNode {
  const conflicts = plan.conflicts.reduce((sum, conflict) => sum + conflict.count, 0);
  return (
    <section className="mt-panel" aria-labelledby="plan-title">
      <h2 id="plan-title">O arquivo e a tabela</h2>
      <dl className="mt-facts">
        <Fact
          name="Correspondem"
          values={plan.matched.map(([source = "", name = ""]) => (source === name ? name : `${source} → ${name}`))}
        />
        <Fact name="Novas" values={plan.new} />
        <Fact name="Faltam no arquivo" values={plan.missing} />
      </dl>
      {conflicts > 0 && (
        <>
          <p>⚠ {formatCount(conflicts)} valores não servem para as colunas da tabela:</p>
          <ul>
            {plan.conflicts.flatMap((conflict) =>
              conflict.details
                .slice(0, 3)
                .map((detail, index) => <li key={`${conflict.column}${index}`}>{detailText(detail)}</li>),
            )}
          </ul>
          <fieldset className="mt-choices">
            <legend>O que fazer com eles</legend>
            <label>
              <input type="radio" name="misfit" checked={onMisfit === "reject"} onChange={() => onChoice("reject")} />{" "}
              Não importar nada até corrigir
            </label>
            <label>
              <input type="radio" name="misfit" checked={onMisfit === "skip"} onChange={() => onChoice("skip")} />{" "}
              Importar as linhas que servem e separar as outras num arquivo
            </label>
          </fieldset>
        </>
      )}
    </section>
  );
}

function Fact({ name, values }: { name: string; values: readonly string[] }): ReactNode {
  return (
    <div>
      <dt>
        {name} ({formatCount(values.length)})
      </dt>
      <dd>{values.join(", ") || "nenhuma"}</dd>
    </div>
  );
}
