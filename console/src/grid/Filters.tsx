import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import type { Table } from "../api/types";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { showCell } from "../values/cells";
import { FilterDialog } from "./FilterDialog";
import { useParts } from "./parts";
import { Views } from "./Views";
import { type Condition, type Filter, operatorLabels } from "./view";

const SEARCH_DELAY_MS = 300;
export const SEARCH_FIELD = "mt-search-rows";

/** The search, the views, and the filters that hold, each one click from gone. */
export function Filters(): ReactNode {
  const { table, view, onView } = useParts();
  const [isAdding, setAdding] = useState(false);
  const [search, setSearch] = useState(view.search);
  useEffect(() => setSearch(view.search), [view.search]);
  useEffect(() => {
    if (search === view.search) return;
    const timer = window.setTimeout(() => onView({ search }), SEARCH_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [search]);
  return (
    <div className="mt-actions mt-filters" role="search">
      <label>
        <span className="mt-hidden">{t`Procurar nas linhas`}</span>
        <input
          id={SEARCH_FIELD}
          type="search"
          placeholder={t`Procurar nas linhas`}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <Button onClick={() => setAdding(true)}>{t`Filtrar`}</Button>
      <Views />
      {view.filters.map((filter, index) => (
        <Button
          key={index}
          className="mt-chip"
          aria-label={t`Tirar o filtro ${words(table, filter)}`}
          onClick={() => onView({ filters: view.filters.filter((_, at) => at !== index) })}
        >
          {words(table, filter)} <X />
        </Button>
      ))}
      {view.groupBy.map((name) => (
        <Button
          key={name}
          className="mt-chip"
          onClick={() => onView({ groupBy: view.groupBy.filter((one) => one !== name) })}
        >
          {t`Por ${table.columns.find((one) => one.name === name)?.display_name ?? name}`} <X />
        </Button>
      ))}
      {view.beyond && (
        <Button className="mt-chip" onClick={() => onView({ beyond: null })}>
          {t`Outra condição, de fora desta página`} <X />
        </Button>
      )}
      {view.hidden.length > 0 && (
        <Button
          kind="quiet"
          onClick={() => onView({ hidden: [] })}
        >{t`Mostrar ${view.hidden.length === 1 ? t`a coluna oculta` : t`as ${view.hidden.length} colunas ocultas`}`}</Button>
      )}
      {isAdding && (
        <FilterDialog
          onClose={() => setAdding(false)}
          onAdd={(filter) => {
            onView({ filters: [...view.filters, filter] });
            setAdding(false);
          }}
        />
      )}
    </div>
  );
}

function words(table: Table, filter: Filter): string {
  return filter.map((condition) => conditionWords(table, condition)).join(t` ou `);
}

function conditionWords(table: Table, { column, op, value }: Condition): string {
  const found = table.columns.find((one) => one.name === column);
  const label = found?.display_name ?? column;
  if (op === "is_null") return `${label} ${value === true ? t`está vazia` : t`não está vazia`}`;
  const type = found?.type ?? "text";
  const shown = (Array.isArray(value) ? value : [value]).map((one) => showCell(one, { type }));
  return `${label} ${operatorLabels()[op]} ${shown.join("; ")}`;
}
