import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Select } from "../ui/fields";
import { t } from "../ui/language";
import { TypeIcon } from "../ui/TypeIcon";
import { typeChoices, typeLabels } from "../values/cells";
import type { ReviewedColumn } from "./adjustments";
import { useReview } from "./draft";
import { FillBar } from "./Profile";

interface HeadProps {
  column: ReviewedColumn;
  letter: string;
  isFirst: boolean;
  isSelected: boolean;
}

/** A column's head: its label in the file, its name and type (or the table's column), and how full it is. */
export function ColumnHead({ column: reviewed, letter, isFirst, isSelected }: HeadProps): ReactNode {
  const { look, checks } = useReview();
  const { column, source, include } = reviewed;
  const count = checks.filter((check) => check.column === column.name).length;
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
        onClick={() => look.select(column.name)}
      >
        <span className="mt-quiet">{letter}</span> {source}
        {count > 0 && (
          <span className="mt-badge mt-doubt">
            <TriangleAlert /> {count}
            <span className="mt-hidden"> {t`a conferir`}</span>
          </span>
        )}
      </button>
      <NameAndType column={reviewed} isTabbed={isSelected} />
      {column.profile && <FillBar profile={column.profile} odd={column.inference?.exceptions.length ?? 0} />}
    </th>
  );
}

interface NameAndTypeProps {
  column: ReviewedColumn;
  /** Whether Tab stops at its fields. */
  isTabbed: boolean;
}

/** What a column is called and of which type it is; or which of the table's columns it feeds. */
export function NameAndType({ column: reviewed, isTabbed }: NameAndTypeProps): ReactNode {
  const { targets, onAdjust } = useReview();
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
