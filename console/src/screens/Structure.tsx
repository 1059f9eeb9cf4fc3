import { useMutation, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Api, ApiFailure, faultsBy } from "../api/session";
import type { Column, Table, TableChanges } from "../api/types";
import { useConsole, useGet, useTable } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Alert, Button, Check, Failure, Field, Form, Pending, SelectField, TextField } from "../ui/parts";
import { type Edited, fieldsOf, useStore } from "../ui/store";
import { typeChoices, typeLabels } from "../values/cells";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { toName } from "../values/words";
import { RulesSection } from "./RulesSection";

/** A table's name, columns, key and indexes; its end, too. */
export default function Structure({ tableId }: { tableId: string }) {
  const table = useTable(tableId);
  const { written } = useConsole();
  const base = useRef(table.data);
  if (!useStore(written)) base.current = table.data; // else a colleague's would take the place of what is written
  if (!base.current) return <Pending query={table} label={t`Carregando a estrutura`} />;
  return (
    <>
      {table.error && <Failure error={table.error} onRetry={() => void table.refetch()} />}
      <StructureForm key={base.current.version} table={base.current} />
      <RulesSection table={base.current} />
    </>
  );
}

/** A table as it is to be: one that there is, or else one that is made by hand. */
export function StructureForm({ table }: { table?: Table }) {
  const { api, announce, written, leaveBy } = useConsole();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState(() => startOf(table));
  const change = (changes: Partial<typeof draft>): void => setDraft({ ...draft, ...changes });
  const field = fieldsOf(draft, change);
  const { status, history, ...named } = draft;
  const { display_name, title, description, columns, key, indexes } = named;
  const body = {
    ...named,
    columns: [...columns],
    key: key.length === 0 ? null : key,
    indexes: indexes.filter((index) => index.length > 0),
  };
  const onColumns = (changed: readonly DraftColumn[]): void => {
    const isOther = changed.length !== columns.length; // else each stands where it stood, whatever it is called
    const now = (name: string): string =>
      (isOther ? undefined : changed[columns.findIndex((one) => one.name === name)]?.name) ?? name;
    change({ columns: changed, key: key.map(now), indexes: indexes.map((index) => index.map(now)) });
  };
  const text = JSON.stringify([body, status, history]);
  const isChanged = useRef(text).current !== text;
  useEffect(() => written.set(isChanged), [text]); // also what is written on, after a save that could not be looked at
  useEffect(() => () => written.set(false), []);
  const save = useMutation({
    mutationFn: () => {
      if (table) return saveTable(api, table, { ...body, status, history });
      return api.POST("", { body }).catch(async (error) => {
        const { records } = await api.GET("", { query: { search: display_name, per_page: 100 } });
        const kept = records.find((one) => one.row_count === 0 && wordsOf(one) === wordsOf(body));
        if (kept) return kept; // by this page: an answer was lost
        throw error;
      });
    },
    onSuccess: ({ _id }) => {
      written.set(false);
      if (table) announce(t`Estrutura gravada`);
      else navigate(`/tabelas/${_id}`);
    },
  });
  const remove = async ({ _id: table_id }: Table): Promise<void> => {
    await api.DELETE("/{table_id}", { path: { table_id } });
    written.set(false);
    navigate("/");
  };
  const readAgain = (): void => leaveBy(() => queries.invalidateQueries());
  const isStale = save.error instanceof ApiFailure && save.error.code === "TABLE_CHANGED";
  return (
    <Form onSubmit={() => save.mutate()} aria-labelledby="structure-title">
      <div className="mt-title-bar">
        <h1 id="structure-title">{table ? t`Estrutura de ${table.title || table.display_name}` : t`Criar tabela`}</h1>
        {table && <Link href={`/tabelas/${table._id}`} className="mt-button mt-button-plain">{t`Ver as linhas`}</Link>}
      </div>
      {save.error && <Failure error={save.error} onRetry={isStale ? readAgain : null} />}
      <TextField
        label={t`Título`}
        value={title}
        maxLength={200}
        onValue={(text) => {
          const follows = !table && (display_name === "" || display_name === toName(title));
          change({ title: text, ...(follows ? { display_name: toName(text) } : {}) });
        }}
      />
      <TextField
        label={t`Nome da tabela`}
        hint={table ? undefined : t`Letras minúsculas, números e _; é o nome que programas de BI veem`}
        required
        spellCheck={false}
        {...field("display_name")}
      />
      <Field label={t`Descrição`}>
        {(ids) => (
          <textarea
            {...ids}
            rows={2}
            maxLength={2000}
            value={description}
            onChange={(event) => change({ description: event.target.value })}
          />
        )}
      </Field>
      {table && (
        <Check
          value={status === "active"}
          onValue={(isOn) => change({ status: isOn ? "active" : "inactive" })}
        >{t`Ativa (aceita alterações)`}</Check>
      )}
      {table && <Check {...field("history")}>{t`Guardar por 90 dias quem mudou o quê, e as linhas apagadas`}</Check>}
      {table?.history && !history && (
        <Alert kind="warning">
          {t`Depois de “Gravar”, o histórico e a lixeira desta tabela se perdem, e o que se apagar não volta mais.`}
        </Alert>
      )}
      <h2>{t`Colunas`}</h2>
      <ColumnFields
        value={columns}
        onValue={onColumns}
        faults={faultsBy(save.error, ({ path }) => Number(/columns\[(\d+)\]/.exec(path ?? "")?.[1] ?? -1))}
      />
      <Button onClick={() => change({ columns: [...columns, NEW_COLUMN] })}>{t`Acrescentar coluna`}</Button>
      {table && <HiddenColumns table={table} isChanged={isChanged} />}
      <h2>{t`Chave e índices`}</h2>
      <ColumnPicker
        label={t`Chave`}
        hint={t`Colunas que juntas não se repetem: por elas um envio atualiza linhas`}
        columns={columns}
        {...field("key")}
      />
      {indexes.map((index, place) => (
        <ColumnPicker
          key={place}
          label={t`Índice ${place + 1}`}
          columns={columns}
          value={index}
          onValue={(chosen) => change({ indexes: indexes.with(place, chosen) })}
        />
      ))}
      <Button onClick={() => change({ indexes: [...indexes, []] })}>{t`Acrescentar índice`}</Button>
      <p className="mt-quiet">{t`Um índice torna rápido filtrar e ordenar por suas colunas em tabelas grandes.`}</p>
      <div className="mt-sticky-bar">
        {table && (
          <Ask
            label={t`Apagar tabela`}
            title={t`Apagar ${table.title || table.display_name}?`}
            onGo={() => remove(table)}
          >
            <p>{t`A tabela sai das listas e dos programas de BI. Só quem cuida do sistema pode trazê-la de volta.`}</p>
          </Ask>
        )}
        <Button kind="primary" type="submit" disabled={save.isPending}>
          {save.isPending ? t`Gravando…` : table ? t`Gravar` : t`Criar tabela`}
        </Button>
      </div>
    </Form>
  );
}

/** Change a table; where an answer is lost, the table itself says whether it was. */
export async function saveTable({ GET, PUT }: Api, table: Table, changes: TableChanges): Promise<Table> {
  const path = { table_id: table._id };
  return PUT("/{table_id}", { path, body: { ...changes, version: table.version } }).catch(async (error) => {
    const now = await GET("/{table_id}", { path });
    if (now.version > table.version && wordsOf(now) === wordsOf({ ...table, ...changes })) return now;
    throw error;
  });
}

/** Write a table without what its columns are called today. */
const wordsOf = (table: object) =>
  JSON.stringify(startOf(table), (key, part) => (key === "previous_name" ? undefined : part));

function startOf(table: Partial<Table> = {}) {
  const { display_name = "", title, description, status = "active", history = true, columns, key, indexes } = table;
  const texts = { display_name, title: title ?? "", description: description ?? "" };
  const drafts: readonly DraftColumn[] = columns?.map(draftOf) ?? [NEW_COLUMN];
  return { ...texts, status, history, columns: drafts, key: key ?? [], indexes: indexes ?? [] };
}

/** The columns that were taken out, and their way back. */
function HiddenColumns({ table, isChanged }: { table: Table; isChanged: boolean }) {
  const { api, announce, written } = useConsole();
  const path = { table_id: table._id };
  const hidden = useGet("/{table_id}/columns/hidden", { path });
  const restore = async (name: string): Promise<void> => {
    await api.POST("/{table_id}/columns/{name}/restore", { path: { ...path, name } });
    announce(t`A coluna voltou`);
    written.set(false);
  };
  if (hidden.error) return <Failure error={hidden.error} onRetry={() => void hidden.refetch()} />;
  if (!hidden.data?.length) return null;
  return (
    <section aria-labelledby="hidden-title">
      <h2 id="hidden-title">{t`Colunas tiradas`}</h2>
      <ul className="mt-list">
        {hidden.data.map((column) => (
          <li key={`${column.name}/${column.hidden_at}`}>
            {t`${column.display_name} · ${typeLabels()[column.type]} · ${plural(column.values, "valor", "valores")} · tirada em ${formatMoment(column.hidden_at)}`}{" "}
            <Ask
              label={t`Trazer de volta ${column.display_name}`}
              kind="plain"
              title={t`Trazer de volta a coluna ${column.display_name}?`}
              keep={t`Deixar como está`}
              yes={t`Trazer de volta`}
              onGo={() => restore(column.name)}
            >
              <p>
                {t`Ela volta como a última coluna, com seus valores.`}
                {isChanged && t` O que você mudou nesta página e ainda não gravou se perde.`}
              </p>
            </Ask>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ColumnPickerProps extends Edited<string[]> {
  label: string;
  hint?: string;
  columns: readonly DraftColumn[];
}

/** Columns by their names, in the order that counts: a list adds one, a click takes one away. */
function ColumnPicker({ label, hint, columns, value: chosen, onValue }: ColumnPickerProps) {
  const labelOf = (name: string): string => columns.find((column) => column.name === name)?.display_name || name;
  return (
    <div className="mt-actions">
      <SelectField
        label={label}
        hint={hint}
        choices={[
          ["", t`Acrescentar coluna…`],
          ...columns
            .filter((column) => column.name !== "" && !chosen.includes(column.name))
            .map((column) => [column.name, labelOf(column.name)] as const),
        ]}
        value=""
        onValue={(name) => onValue([...chosen, name])}
      />
      {chosen.map((name) => (
        <Button
          key={name}
          aria-label={t`Tirar ${labelOf(name)} de ${label}`}
          onClick={() => onValue(chosen.filter((one) => one !== name))}
        >
          {labelOf(name)} <X />
        </Button>
      ))}
    </div>
  );
}

/** A column as it is being written, and sent: what it does not name stays; `previous_name` is what one is called today. */
export interface DraftColumn extends Pick<Column, "name" | "display_name" | "type" | "nullable" | "description"> {
  previous_name?: string;
}

export function draftOf({ name, display_name, type, nullable, description = null }: Column): DraftColumn {
  return { name, display_name, type, nullable, description, previous_name: name };
}

const NEW_COLUMN: DraftColumn = { name: "", display_name: "", type: "text", nullable: true, description: null };

type ColumnFieldsProps = Edited<readonly DraftColumn[]> & { faults: ReadonlyMap<number, string> };

/** The list of a table's columns, to write or to change. */
export function ColumnFields({ value: columns, onValue, faults }: ColumnFieldsProps) {
  return (
    <ol className="mt-columns">
      {columns.map((column, index) => {
        const change = (changes: Partial<DraftColumn>): void => onValue(columns.with(index, { ...column, ...changes }));
        const field = fieldsOf(column, change);
        return (
          <li key={index} className="mt-panel">
            <TextField
              label={t`Nome para as pessoas`}
              error={faults.get(index)}
              value={column.display_name}
              maxLength={500}
              onValue={(display_name) => {
                const isNew = column.previous_name === undefined; // others are known by their names elsewhere
                const follows = isNew && (column.name === "" || column.name === toName(column.display_name));
                change({ display_name, ...(follows ? { name: toName(display_name) } : {}) });
              }}
            />
            <TextField label={t`Nome no banco`} spellCheck={false} {...field("name")} />
            <SelectField label={t`Tipo`} choices={typeChoices()} {...field("type")} />
            <Check {...field("nullable")}>{t`Pode ficar vazia`}</Check>
            <TextField
              label={t`Descrição`}
              value={column.description ?? ""}
              onValue={(text) => change({ description: text || null })}
            />
            <Ask
              label={t`Tirar`}
              about={t`a coluna ${column.display_name}`}
              title={column.previous_name && t`Tirar a coluna ${column.display_name}?`} // it has values
              yes={t`Tirar a coluna`}
              onGo={() => onValue(columns.toSpliced(index, 1))}
            >
              <p>{t`Depois de “Gravar”, os valores dela não aparecem mais, nem aqui nem nos programas de BI. Dá para trazê-la de volta em “Colunas tiradas”, nesta página.`}</p>
            </Ask>
          </li>
        );
      })}
    </ol>
  );
}
