import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Select } from "../ui/fields";
import { t } from "../ui/language";
import { TypeIcon } from "../ui/TypeIcon";
import { typeChoices, typeLabels } from "../values/cells";
import type { Adjustment, ReviewedColumn, Target } from "./adjustments";
import { FillBar } from "./Profile";

export interface HeadProps {
  column: ReviewedColumn;
  letter: string;
  isFirst: boolean;
  isSelected: boolean;
  /** The columns of the table that the file goes into; none for a new table. */
  targets: readonly Target[];
  /** How many entries of the list are about each column. */
  doubts: ReadonlyMap<string, number>;
  onAdjust: (sources: readonly string[], changes: Adjustment) => void;
  onSelect: (column: string) => void;
}

/** A column's head: its label in the file, its name and type (or the table's column), and how full it is. */
export function ColumnHead({ column: reviewed, letter, isFirst, isSelected, doubts, ...rest }: HeadProps): ReactNode {
  const { column, source, include } = reviewed;
  const count = doubts.get(column.name) ?? 0;
  const classes = ["mt-head"];
  if (isSelected) classes.push("mt-head-selected");
  if (!include) classes.push("mt-left-out");
  return (
    <th scope="col" className={classes.join(" ")} data-column={column.name}>
      <button
        type="button"
        data-rove
        className="mt-head-button"
        tabIndex={isFirst ? 0 : -1}
        aria-pressed={isSelected}
        onClick={() => rest.onSelect(column.name)}
      >
        <span className="mt-quiet">{letter}</span> {source}
        {count > 0 && (
          <span className="mt-badge mt-doubt">
            <TriangleAlert /> {count}
            <span className="mt-hidden"> {t`a conferir`}</span>
          </span>
        )}
      </button>
      <NameAndType {...rest} column={reviewed} isTabbed={isSelected} />
      {column.profile && <FillBar profile={column.profile} odd={column.inference?.exceptions.length ?? 0} />}
    </th>
  );
}

interface NameAndTypeProps extends Pick<HeadProps, "column" | "targets" | "onAdjust"> {
  /** Whether Tab stops at its fields. */
  isTabbed: boolean;
}

/** What a column is called and of which type it is; or which of the table's columns it feeds. */
export function NameAndType({ column: reviewed, targets, isTabbed, onAdjust }: NameAndTypeProps): ReactNode {
  const { column, source, name, type, into, include } = reviewed;
  const tabIndex = isTabbed ? 0 : -1;
  return (
    <div className="mt-head-fields">
      {targets.length > 0 && (
        <Select
          aria-label={t`Coluna da tabela para ${source}`}
          tabIndex={tabIndex}
          choices={[
            ...targets.map((target) => [target.name, target.display_name ?? target.name] as const),
            ["new", t`+ coluna nova`],
            ["out", t`não importar`],
          ]}
          value={include ? (into?.name ?? "new") : "out"}
          onChoose={(value) => {
            if (value === "out") onAdjust([source], { include: false });
            else onAdjust([source], { include: true, into: value === "new" ? null : value });
          }}
        />
      )}
      {!into && (
        <input
          aria-label={t`Nome de ${source}`}
          tabIndex={tabIndex}
          value={name}
          spellCheck={false}
          onChange={(event) => onAdjust([source], { name: event.target.value })}
        />
      )}
      {into ? (
        <span className="mt-quiet">
          <TypeIcon type={type} /> {typeLabels()[type]}
        </span>
      ) : (
        <Select
          aria-label={t`Tipo de ${source}${type === column.type ? "" : t`, definido por você`}`}
          tabIndex={tabIndex}
          choices={typeChoices()}
          value={type}
          onChoose={(next) => onAdjust([source], { type: next })}
        />
      )}
    </div>
  );
}
