import { type ReactNode, useState } from "react";
import { TypeSelect } from "../screens/columns";
import { Button, Field } from "../ui/parts";
import { TYPE_LABELS } from "../values/cells";
import { formatCount } from "../values/numbers";
import type { Adjustment, ReviewedColumn } from "./adjustments";
import type { Example } from "./examples";
import { Profile } from "./Profile";
import type { Warning } from "./Warnings";

const SHOWN_AT_FIRST = 60; // a sheet of 1,500 columns: the rest comes when asked for

interface ColumnsProps {
  columns: readonly ReviewedColumn[];
  exampleOf: (column: ReviewedColumn) => Example | null;
  warnings: readonly Warning[];
  onAdjust: (source: string, changes: Adjustment) => void;
  onAll: (sources: readonly string[], changes: Adjustment) => void;
}

/** Each column with its type, its grounds and its doubts; the doubtful ones first. */
export function Columns({ columns, exampleOf, warnings, onAdjust, onAll }: ColumnsProps): ReactNode {
  const doubtful = columns.filter((one) => isDoubtful(one, warnings));
  const [onlyDoubtful, setOnlyDoubtful] = useState(false);
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  const others = columns.filter((one) => !doubtful.includes(one));
  const listed = onlyDoubtful ? doubtful : [...doubtful, ...others];
  return (
    <section className="mt-panel" aria-labelledby="columns-title">
      <div className="mt-title-bar">
        <h2 id="columns-title">Colunas</h2>
        <div className="mt-actions">
          {doubtful.length > 0 && (
            <>
              <Button aria-pressed={onlyDoubtful} onClick={() => setOnlyDoubtful(true)}>
                Precisam de atenção ({doubtful.length})
              </Button>
              <Button aria-pressed={!onlyDoubtful} onClick={() => setOnlyDoubtful(false)}>
                Todas ({columns.length})
              </Button>
            </>
          )}
          <Button
            onClick={() =>
              onAll(
                columns.map((one) => one.source),
                { type: "text" },
              )
            }
          >
            Importar tudo como texto
          </Button>
        </div>
      </div>
      <ul className="mt-review-columns">
        {listed.slice(0, shown).map((one) => (
          <ColumnCard
            key={one.column.name}
            reviewed={one}
            example={exampleOf(one)}
            warnings={warnings.filter((warning) => warning.columns?.includes(one.column.name))}
            onAdjust={(changes) => onAdjust(one.source, changes)}
          />
        ))}
      </ul>
      {listed.length > shown && (
        <Button onClick={() => setShown(listed.length)}>Mostrar as outras {formatCount(listed.length - shown)}</Button>
      )}
    </section>
  );
}

function isDoubtful(one: ReviewedColumn, warnings: readonly Warning[]): boolean {
  const confidence = one.column.inference?.confidence;
  return (
    (confidence !== undefined && confidence < 1) ||
    warnings.some((warning) => warning.columns?.includes(one.column.name))
  );
}

interface ColumnCardProps {
  reviewed: ReviewedColumn;
  example: Example | null;
  warnings: readonly Warning[];
  onAdjust: (changes: Adjustment) => void;
}

function ColumnCard({ reviewed, example, warnings, onAdjust }: ColumnCardProps): ReactNode {
  const { column, include, name, type, nullable, adjustment } = reviewed;
  const isFixed = Boolean(column.table_column);
  return (
    <li className={include ? "mt-column" : "mt-column mt-left-out"} data-column={column.name}>
      <div className="mt-column-label">
        <label className="mt-check">
          <input type="checkbox" checked={include} onChange={(event) => onAdjust({ include: event.target.checked })} />{" "}
          <strong>{column.display_name}</strong>
          <span className="mt-hidden">: importar esta coluna</span>
        </label>
        {example && <ExampleLine example={example} />}
        {column.inference?.evidence && <p className="mt-quiet">{column.inference.evidence}</p>}
      </div>
      <Field label="Nome">
        {(ids) => (
          <input
            {...ids}
            value={name}
            disabled={isFixed}
            spellCheck={false}
            onChange={(event) => onAdjust({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label="Tipo" hint={type !== column.type ? "definido por você" : isFixed ? "o da tabela" : "detectado"}>
        {(ids) =>
          isFixed ? (
            <input {...ids} disabled value={TYPE_LABELS[type]} />
          ) : (
            <TypeSelect {...ids} value={type} onChange={(next) => onAdjust({ type: next })} />
          )
        }
      </Field>
      <div className="mt-column-choices">
        <label className="mt-check">
          <input
            type="checkbox"
            checked={nullable}
            disabled={isFixed}
            onChange={(event) => onAdjust({ nullable: event.target.checked })}
          />{" "}
          Pode ficar vazia
        </label>
        <Choices type={type} isChanged={type !== column.type} adjustment={adjustment} onAdjust={onAdjust} />
      </div>
      {column.profile && <Profile profile={column.profile} type={column.type} label={column.display_name} />}
      {warnings.length > 0 && (
        <div className="mt-column-doubts">
          {warnings.map((warning, index) => (
            <p key={index} className="mt-doubt">
              ⚠ {warning.text}
            </p>
          ))}
        </div>
      )}
    </li>
  );
}

const SHOWN_OF_A_CELL = 80;

/** A cell before and after; both in full where they differ, and the reason where the second cannot be. */
function ExampleLine({ example }: { example: Example }): ReactNode {
  const { before, after, fault } = example;
  return (
    <p className="mt-example">
      <code>{before.slice(0, SHOWN_OF_A_CELL) || "(vazia)"}</code> <span aria-hidden="true">→</span>
      <span className="mt-hidden"> será </span>{" "}
      {fault ? (
        <span className="mt-field-error">⚠ {fault}</span>
      ) : (
        <code>{after.slice(0, SHOWN_OF_A_CELL) || "(vazia)"}</code>
      )}
    </p>
  );
}

interface ChoicesProps {
  type: ReviewedColumn["type"];
  isChanged: boolean;
  adjustment: Adjustment;
  onAdjust: (changes: Adjustment) => void;
}

const DATE_ORDERS: [NonNullable<Adjustment["date_order"]>, string][] = [
  ["dmy", "dia/mês/ano"],
  ["mdy", "mês/dia/ano"],
  ["ymd", "ano/mês/dia"],
];
const DECIMAL_MARKS: [NonNullable<Adjustment["decimal_mark"]>, string][] = [
  [",", "vírgula"],
  [".", "ponto"],
];

/** What a file's cells of this type may be read by; until a person says so, what was detected holds. */
function Choices({ type, isChanged, adjustment, onAdjust }: ChoicesProps): ReactNode {
  if (type === "date" || type === "datetime") {
    return (
      <Field label="Ordem da data">
        {(ids) => (
          <select
            {...ids}
            value={adjustment.date_order ?? ""}
            onChange={(event) =>
              onAdjust({ date_order: (event.target.value || undefined) as Adjustment["date_order"] })
            }
          >
            <option value="">a detectada</option>
            {DATE_ORDERS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
    );
  }
  if (type !== "decimal" && !(type === "integer" && isChanged)) return null;
  return (
    <Field label="Marca decimal">
      {(ids) => (
        <select
          {...ids}
          value={adjustment.decimal_mark ?? ""}
          onChange={(event) =>
            onAdjust({ decimal_mark: (event.target.value || undefined) as Adjustment["decimal_mark"] })
          }
        >
          <option value="">a detectada</option>
          {DECIMAL_MARKS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
