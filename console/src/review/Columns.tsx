import { type ReactNode, useState } from "react";
import type { InferredSchema } from "../api/types";
import { TypeSelect } from "../screens/columns";
import { Button, Field } from "../ui/parts";
import { type Cell, formatCell } from "../values/cells";
import { formatCount } from "../values/numbers";
import type { Adjustment, ReviewedColumn } from "./adjustments";
import { Profile } from "./Profile";
import type { Warning } from "./Warnings";

const SHOWN_AT_FIRST = 60; // a sheet of 1,500 columns: the rest comes when asked for

interface ColumnsProps {
  columns: readonly ReviewedColumn[];
  samples: InferredSchema["sample_rows"];
  warnings: readonly Warning[];
  onAdjust: (source: string, changes: Adjustment) => void;
  onAll: (sources: readonly string[], changes: Adjustment) => void;
}

/** Each column with its type, its grounds and its doubts; the doubtful ones first. */
export function Columns({ columns, samples, warnings, onAdjust, onAll }: ColumnsProps): ReactNode {
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
          <Button onClick={() => onAll(columns.map((one) => one.source), { type: "text" })}>Importar tudo como texto</Button>
        </div>
      </div>
      <ul className="mt-columns">
        {listed.slice(0, shown).map((one) => (
          <ColumnCard
            key={one.column.name}
            reviewed={one}
            samples={samples}
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
  return (confidence !== undefined && confidence < 1) || warnings.some((warning) => warning.columns?.includes(one.column.name));
}

interface ColumnCardProps {
  reviewed: ReviewedColumn;
  samples: InferredSchema["sample_rows"];
  warnings: readonly Warning[];
  onAdjust: (changes: Adjustment) => void;
}

function ColumnCard({ reviewed, samples, warnings, onAdjust }: ColumnCardProps): ReactNode {
  const { column, include, name, type, nullable, adjustment } = reviewed;
  const isFixed = Boolean(column.table_column);
  const isChanged = type !== column.type;
  const example = samples.map((row) => row[column.name] as Cell).find((value) => value !== null && value !== undefined);
  return (
    <li className={include ? "mt-card mt-column" : "mt-card mt-column mt-left-out"} data-column={column.name}>
      <label className="mt-check mt-column-label">
        <input type="checkbox" checked={include} onChange={(event) => onAdjust({ include: event.target.checked })} />{" "}
        <strong>{column.display_name}</strong>
        <span className="mt-hidden">: importar esta coluna</span>
      </label>
      <Field label="Nome">
        {(ids) => (
          <input {...ids} value={name} disabled={isFixed} spellCheck={false} onChange={(event) => onAdjust({ name: event.target.value })} />
        )}
      </Field>
      <Field label="Tipo" hint={isChanged ? "definido por você" : isFixed ? "o da tabela" : "detectado"}>
        {(ids) =>
          isFixed ? <input {...ids} disabled value={type} /> : <TypeSelect {...ids} value={type} onChange={(next) => onAdjust({ type: next })} />
        }
      </Field>
      <label className="mt-check">
        <input type="checkbox" checked={nullable} disabled={isFixed} onChange={(event) => onAdjust({ nullable: event.target.checked })} />{" "}
        Pode ficar vazia
      </label>
      <p className="mt-example">
        Por exemplo: <code>{formatCell(example, isChanged ? "text" : column.type).slice(0, 120) || "(vazia)"}</code>
      </p>
      {column.inference?.evidence && <p className="mt-quiet">{column.inference.evidence}</p>}
      {warnings.map((warning, index) => (
        <p key={index} className="mt-doubt">
          ⚠ {warning.text}
        </p>
      ))}
      <Choices type={type} adjustment={adjustment} onAdjust={onAdjust} />
      {column.profile && <Profile profile={column.profile} type={column.type} label={column.display_name} />}
    </li>
  );
}

interface ChoicesProps {
  type: ReviewedColumn["type"];
  adjustment: Adjustment;
  onAdjust: (changes: Adjustment) => void;
}

function Choices({ type, adjustment, onAdjust }: ChoicesProps): ReactNode {
  if (type === "date" || type === "datetime") {
    return (
      <div className="mt-actions" role="group" aria-label="Ordem da data">
        <Choice label="dia/mês" isOn={adjustment.date_order === "dmy"} onChoose={() => onAdjust({ date_order: "dmy" })} />
        <Choice label="mês/dia" isOn={adjustment.date_order === "mdy"} onChoose={() => onAdjust({ date_order: "mdy" })} />
      </div>
    );
  }
  if (type === "decimal" || type === "integer") {
    return (
      <div className="mt-actions" role="group" aria-label="Marca decimal">
        <Choice label="vírgula decimal" isOn={adjustment.decimal_mark === ","} onChoose={() => onAdjust({ decimal_mark: "," })} />
        <Choice label="ponto decimal" isOn={adjustment.decimal_mark === "."} onChoose={() => onAdjust({ decimal_mark: "." })} />
      </div>
    );
  }
  return null;
}

function Choice({ label, isOn, onChoose }: { label: string; isOn: boolean; onChoose: () => void }): ReactNode {
  return (
    <Button kind="quiet" aria-pressed={isOn} onClick={onChoose}>
      {label}
    </Button>
  );
}
