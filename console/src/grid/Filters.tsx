import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import type { Table } from "../api/types";
import { Button, Dialog, Field } from "../ui/parts";
import { formatCell, parseCell } from "../values/cells";
import { type Condition, type GridView, OPERATOR_LABELS, type Operator, operatorsOf } from "./view";

const SEARCH_DELAY_MS = 300;

interface FiltersProps {
  table: Table;
  view: GridView;
  onView: (changes: Partial<GridView>) => void;
}

/** The search and the conditions that hold, each one click from gone. */
export function Filters({ table, view, onView }: FiltersProps): ReactNode {
  const [isAdding, setAdding] = useState(false);
  const [search, setSearch] = useState(view.search);
  useEffect(() => setSearch(view.search), [view.search]);
  useEffect(() => {
    if (search === view.search) return;
    const timer = window.setTimeout(() => onView({ search }), SEARCH_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [search]);
  return (
    <div className="mt-filters" role="search">
      <label>
        <span className="mt-hidden">Procurar nas linhas</span>
        <input
          type="search"
          placeholder="Procurar nas linhas"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <Button onClick={() => setAdding(true)}>Filtrar</Button>
      {view.conditions.map((condition, index) => (
        <Button
          key={index}
          className="mt-chip"
          aria-label={`Tirar o filtro ${words(table, condition)}`}
          onClick={() => onView({ conditions: view.conditions.filter((_, at) => at !== index) })}
        >
          {words(table, condition)} ✕
        </Button>
      ))}
      {view.hidden.length > 0 && (
        <Button kind="quiet" onClick={() => onView({ hidden: [] })}>
          Mostrar {view.hidden.length === 1 ? "a coluna oculta" : `as ${view.hidden.length} colunas ocultas`}
        </Button>
      )}
      {isAdding && (
        <AddFilter
          table={table}
          onClose={() => setAdding(false)}
          onAdd={(condition) => {
            onView({ conditions: [...view.conditions, condition] });
            setAdding(false);
          }}
        />
      )}
    </div>
  );
}

function words(table: Table, { column, op, value }: Condition): string {
  const found = table.columns.find((one) => one.name === column);
  const label = found?.display_name ?? column;
  if (op === "is_null") return `${label} ${value === "true" ? "está vazia" : "não está vazia"}`;
  return `${label} ${OPERATOR_LABELS[op]} ${found ? formatCell(found.type === "boolean" ? value === "true" : value, found.type) : value}`;
}

interface AddFilterProps {
  table: Table;
  onAdd: (condition: Condition) => void;
  onClose: () => void;
}

function AddFilter({ table, onAdd, onClose }: AddFilterProps): ReactNode {
  const [name, setName] = useState(table.columns[0]?.name ?? "");
  const type = table.columns.find((column) => column.name === name)?.type ?? "text";
  const [op, setOp] = useState<Operator>(operatorsOf(type)[0] ?? "eq");
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const value = conditionValue(op, type, text);
    if (value === null) setFault("Escreva um valor que sirva para a coluna");
    else onAdd({ column: name, op, value });
  };
  return (
    <Dialog title="Filtrar" onClose={onClose} actions={null}>
      <form onSubmit={submit}>
        <Field label="Coluna">
          {(ids) => (
            <select
              {...ids}
              value={name}
              onChange={(event) => {
                setName(event.target.value);
                const next = table.columns.find((column) => column.name === event.target.value)?.type ?? "text";
                setOp(operatorsOf(next)[0] ?? "eq");
              }}
            >
              {table.columns.map((column) => (
                <option key={column.name} value={column.name}>
                  {column.display_name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Condição">
          {(ids) => (
            <select {...ids} value={op} onChange={(event) => setOp(event.target.value as Operator)}>
              {operatorsOf(type).map((one) => (
                <option key={one} value={one}>
                  {OPERATOR_LABELS[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {op !== "is_null" && (
          <Field
            label="Valor"
            hint={op === "in" || op === "nin" ? "Vários, com ponto e vírgula entre eles" : undefined}
            error={fault}
          >
            {(ids) => <input {...ids} value={text} onChange={(event) => setText(event.target.value)} />}
          </Field>
        )}
        <div className="mt-actions">
          <Button onClick={onClose}>Voltar</Button>
          <Button kind="primary" type="submit">
            Aplicar
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function conditionValue(op: Operator, type: Parameters<typeof parseCell>[1], text: string): string | null {
  if (op === "is_null") return "true";
  const parts = op === "in" || op === "nin" ? text.split(";").map((part) => part.trim()) : [text];
  const values = parts.map((part) => {
    const parsed = parseCell(part, type, false);
    return parsed.ok ? String(parsed.value) : null;
  });
  if (values.includes(null)) return null;
  return parts.length > 1 ? values.map((value) => (value ?? "").replaceAll(",", "\\,")).join(",") : (values[0] ?? null);
}
