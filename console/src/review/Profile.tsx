import type { ReactNode } from "react";
import type { ColumnType, InferredColumn } from "../api/types";
import { t } from "../ui/language";
import { type Cell, formatCell } from "../values/cells";
import { formatCount } from "../values/numbers";

interface ProfileProps {
  profile: NonNullable<InferredColumn["profile"]>;
  type: ColumnType;
  label: string;
}

/** How a column's values lie, at a glance: bars of its histogram, or its commonest values. */
export function Profile({ profile, type, label }: ProfileProps): ReactNode {
  const facts = [t`${formatCount(profile.empty)} vazias`, t`${formatCount(profile.distinct)} diferentes`];
  if (profile.min !== null && profile.min !== undefined) {
    facts.push(t`de ${formatCell(profile.min as Cell, type)} a ${formatCell(profile.max as Cell, type)}`);
  }
  const counts =
    profile.histogram.length > 0
      ? profile.histogram.map(([, , count]) => count)
      : profile.top.map(([, count]) => count);
  return (
    <div className="mt-profile">
      {counts.length > 0 && <Bars counts={counts.map(Number)} label={label} />}
      <details>
        <summary>{facts.join(" · ")}</summary>
        <ol>
          {profile.top.map(([value, count], index) => (
            <li key={index}>
              {formatCell(value as Cell, type)} <span className="mt-quiet">{formatCount(Number(count))}</span>
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

function Bars({ counts, label }: { counts: readonly number[]; label: string }): ReactNode {
  const highest = Math.max(...counts, 1);
  return (
    <div className="mt-histogram" role="img" aria-label={t`Distribuição de ${label}`}>
      {counts.map((count, index) => (
        <i key={index} style={{ height: `${(count / highest) * 100}%` }} />
      ))}
    </div>
  );
}

/** How much of a column is filled, empty and odd: a thin bar, told in words, too. */
export function FillBar({ profile, odd }: { profile: ProfileProps["profile"]; odd: number }): ReactNode {
  const rows = Math.max(profile.rows, 1);
  const parts: [string, number][] = [
    ["mt-bar-filled", Math.max(rows - profile.empty - odd, 0)],
    ["mt-bar-odd", Math.min(odd, rows)],
    ["mt-bar-empty", profile.empty],
  ];
  const words = t`${formatCount(profile.empty)} vazias, ${formatCount(odd)} que fogem, de ${formatCount(profile.rows)}`;
  return (
    <span className="mt-fill-bar" role="img" aria-label={words} title={words}>
      {parts.map(([name, count]) => (
        <i key={name} className={name} style={{ flexGrow: count }} />
      ))}
    </span>
  );
}
