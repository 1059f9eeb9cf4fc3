import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { moved } from "../grid/view";
import { useCaller } from "../ui/context";
import { Check, SelectField, TextField } from "../ui/fields";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { columnLetter, typeLabels } from "../values/cells";
import type { Adjustment, ReviewedColumn } from "./adjustments";
import { Choices } from "./Choices";
import { NameAndType } from "./ColumnHead";
import { useReview } from "./draft";
import { Profile } from "./Profile";

interface ColumnPanelProps {
  column: ReviewedColumn;
  /** Where it stands in the file's lines; null where the lines shown do not reach it. */
  place: number | null;
}

const moves = () =>
  [
    [t`Uma coluna antes`, -1],
    [t`Uma coluna depois`, 1],
  ] as const;

/** All that is known and can be said of one column. */
export function ColumnPanel({ column: reviewed, place }: ColumnPanelProps): ReactNode {
  const { job, look, columns, checks, draft, onDraft, onAdjust } = useReview();
  const { can } = useCaller();
  const { column, source, include, type, nullable, into, adjustment } = reviewed;
  const { inference } = column;
  const adjust = (changes: Adjustment): void => onAdjust([source], changes);
  const emptied = draft.makeNullable.filter((name) => name !== reviewed.name);
  const sources = columns.map((one) => one.source);
  const doubts = checks.filter((check) => check.column === column.name);
  const isStated = type !== column.type && !into;
  return (
    <section
      className="mt-panel mt-column-panel"
      aria-labelledby="panel-title"
      data-panel={column.name}
      data-open={look.isChosen}
    >
      <div className="mt-title-bar">
        <h2 id="panel-title">
          {place === null ? "" : `${columnLetter(place)} · `}
          {source}
        </h2>
        <Button className="mt-of-a-phone" onClick={() => look.select(null)}>{t`Fechar`}</Button>
      </div>
      <SelectField
        label={t`Coluna`}
        choices={columns.map((one) => [one.column.name, `${one.source}${one.include ? "" : t` (fora)`}`])}
        value={column.name}
        onChoose={look.select}
      />
      {place === null && <NameAndType column={reviewed} isTabbed />}
      <Check isChecked={include} onCheck={(isIn) => adjust({ include: isIn })}>{t`Importar esta coluna`}</Check>
      <p>
        <strong>{typeLabels()[type]}</strong>{" "}
        <span className="mt-badge">{isStated ? t`definido por você` : into ? t`o da tabela` : t`detectado`}</span>
        {isStated && (
          <Button
            kind="quiet"
            onClick={() => adjust({ type: column.type })}
          >{t`Voltar a ${typeLabels()[column.type]}`}</Button>
        )}
      </p>
      {inference?.evidence && <p className="mt-quiet">{inference.evidence}</p>}
      {doubts.map((check, index) => (
        <p key={index} className="mt-doubt">
          <TriangleAlert /> {check.text}
          {check.spot && <Button kind="quiet" onClick={() => look.at(check)}>{t`Ver a célula`}</Button>}
        </p>
      ))}
      {!into && (inference?.alternatives ?? []).length > 0 && (
        <div>
          <h3>{t`Pode ser também`}</h3>
          {inference?.alternatives
            .filter((one) => one.type !== type)
            .map((one) => (
              <p key={one.type}>
                <Button onClick={() => adjust({ type: one.type })}>{typeLabels()[one.type]}</Button>{" "}
                <span className="mt-quiet">{one.reason}</span>
              </p>
            ))}
        </div>
      )}
      <Exceptions column={reviewed} />
      {into ? (
        !into.nullable &&
        can("update") && (
          <Check
            isChecked={draft.makeNullable.includes(reviewed.name)}
            onCheck={(isOn) => onDraft({ makeNullable: isOn ? [...emptied, reviewed.name] : emptied })}
          >{t`Deixar a coluna da tabela aceitar células vazias`}</Check>
        )
      ) : (
        <>
          <Check
            isChecked={!nullable}
            isDisabled={adjustment.isKey === true}
            onCheck={(isRequired) => adjust({ nullable: !isRequired })}
          >{t`Obrigatória: nunca pode ficar vazia`}</Check>
          {job.user_table_id === null && (
            <>
              <Check
                isChecked={adjustment.isKey === true}
                onCheck={(isKey) => adjust({ isKey })}
              >{t`Chave: não se repete, e por ela um envio atualiza linhas`}</Check>
              <TextField
                label={t`Valor padrão`}
                hint={t`O das linhas que forem criadas sem ela`}
                value={adjustment.standard ?? ""}
                onText={(standard) => adjust({ standard })}
              />
              <div className="mt-actions">
                {moves().map(([label, by]) => (
                  <Button key={by} onClick={() => onDraft({ order: moved(sources, source, by) })}>
                    {label}
                  </Button>
                ))}
              </div>
            </>
          )}
        </>
      )}
      <Choices
        type={type}
        adjustment={adjustment}
        zone={job.reading?.timezone ?? ""}
        onAdjust={(said) => adjust({ ...said, ...typeBy(said, reviewed) })}
      />
      {column.profile && <Profile profile={column.profile} type={column.type} label={source} />}
    </section>
  );
}

/** Return the type that a mark makes of a column: of what was read as thousands, decimals. */
function typeBy({ decimal_mark: mark }: Adjustment, { column, type }: ReviewedColumn): Adjustment {
  const isAmbiguous = column.inference?.warnings.some(({ code }) => code === "AMBIGUOUS_MARK");
  return mark && isAmbiguous && type === "integer" ? { type: "decimal" } : {};
}

/** The cells that speak against the type of most: which they are. */
function Exceptions({ column: { column } }: { column: ReviewedColumn }): ReactNode {
  const exceptions = column.inference?.exceptions ?? [];
  if (exceptions.length === 0) return null;
  return (
    <>
      <h3>{t`Células que fogem`}</h3>
      <ul>
        {exceptions.map(({ line, sheet, value, reason }, index) => (
          <li key={index}>{t`linha ${line}${sheet ? t` de ${sheet}` : ""}: “${value ?? ""}” ${reason}`}</li>
        ))}
      </ul>
    </>
  );
}
