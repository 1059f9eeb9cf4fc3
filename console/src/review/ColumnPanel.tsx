import type { ReactNode } from "react";
import { Check, SelectField } from "../ui/fields";
import { Button } from "../ui/parts";
import { columnLetter, TYPE_LABELS } from "../values/cells";
import type { Adjustment, ReviewedColumn, Target } from "./adjustments";
import { Choices } from "./Choices";
import { NameAndType } from "./ColumnHead";
import type { Check as Doubt } from "./checks";
import { Profile } from "./Profile";

interface ColumnPanelProps {
  columns: readonly ReviewedColumn[];
  column: ReviewedColumn;
  /** Where it stands in the file's lines; null where the lines shown do not reach it. */
  place: number | null;
  targets: readonly Target[];
  zone: string;
  checks: readonly Doubt[];
  canBeEmptied: boolean;
  isEmptied: boolean;
  onSelect: (column: string) => void;
  onAdjust: (source: string, changes: Adjustment) => void;
  onCheck: (check: Doubt) => void;
  onEmptied: (isEmptied: boolean) => void;
}

/** All that is known and can be said of one column. */
export function ColumnPanel({ columns, column: reviewed, place, targets, checks, ...on }: ColumnPanelProps): ReactNode {
  const { column, source, include, type, nullable, into, adjustment } = reviewed;
  const { inference } = column;
  const adjust = (changes: Adjustment): void => on.onAdjust(source, changes);
  const isStated = type !== column.type && !into;
  return (
    <section className="mt-panel mt-column-panel" aria-labelledby="panel-title" data-panel={column.name}>
      <h2 id="panel-title">
        {place === null ? "" : `${columnLetter(place)} · `}
        {source}
      </h2>
      <SelectField
        label="Coluna"
        choices={columns.map((one) => [one.column.name, `${one.source}${one.include ? "" : " (fora)"}`])}
        value={column.name}
        onChoose={on.onSelect}
      />
      {place === null && <NameAndType column={reviewed} targets={targets} onAdjust={on.onAdjust} isTabbed />}
      <Check isChecked={include} onCheck={(isIn) => adjust({ include: isIn })}>
        Importar esta coluna
      </Check>
      <p>
        <strong>{TYPE_LABELS[type]}</strong>{" "}
        <span className="mt-badge">{isStated ? "definido por você" : into ? "o da tabela" : "detectado"}</span>
        {isStated && (
          <Button kind="quiet" onClick={() => adjust({ type: column.type })}>
            Voltar a {TYPE_LABELS[column.type]}
          </Button>
        )}
      </p>
      {inference?.evidence && <p className="mt-quiet">{inference.evidence}</p>}
      {checks.map((check, index) => (
        <p key={index} className="mt-doubt">
          ⚠ {check.text}
          {check.spot && (
            <Button kind="quiet" onClick={() => on.onCheck(check)}>
              Ver a célula
            </Button>
          )}
        </p>
      ))}
      {!into && (inference?.alternatives ?? []).length > 0 && (
        <div>
          <h3>Pode ser também</h3>
          {inference?.alternatives
            .filter((one) => one.type !== type)
            .map((one) => (
              <p key={one.type}>
                <Button onClick={() => adjust({ type: one.type })}>{TYPE_LABELS[one.type]}</Button>{" "}
                <span className="mt-quiet">{one.reason}</span>
              </p>
            ))}
        </div>
      )}
      <Exceptions column={reviewed} />
      {into ? (
        on.canBeEmptied && (
          <Check isChecked={on.isEmptied} onCheck={on.onEmptied}>
            Deixar a coluna da tabela aceitar células vazias
          </Check>
        )
      ) : (
        <Check isChecked={!nullable} onCheck={(isRequired) => adjust({ nullable: !isRequired })}>
          Obrigatória: nunca pode ficar vazia
        </Check>
      )}
      <Choices type={type} adjustment={adjustment} zone={on.zone} onAdjust={adjust} />
      {column.profile && <Profile profile={column.profile} type={column.type} label={source} />}
    </section>
  );
}

/** The cells that speak against the type of most: which they are. */
function Exceptions({ column: { column } }: { column: ReviewedColumn }): ReactNode {
  const exceptions = column.inference?.exceptions ?? [];
  if (exceptions.length === 0) return null;
  return (
    <>
      <h3>Células que fogem</h3>
      <ul>
        {exceptions.map(({ line, sheet, value, reason }, index) => (
          <li key={index}>
            linha {line}
            {sheet ? ` de ${sheet}` : ""}: “{value ?? ""}” {reason}
          </li>
        ))}
      </ul>
    </>
  );
}
