import { useMutation, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useGet, useTable } from "../api/queries";
import { ApiFailure } from "../api/session";
import type { Column, Table } from "../api/types";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Check, Failure, Field, Form, Loading, SelectField, TextField } from "../ui/parts";
import { typeChoices, typeLabels } from "../values/cells";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { toName } from "../values/words";

/** A table by hand: its name, its columns. */
export function NewTable() {
  const { api } = useConsole();
  const [, navigate] = useLocation();
  const [title, setTitle] = useState("");
  const [name, setName] = useState("");
  const [columns, setColumns] = useState<readonly DraftColumn[]>([emptyDraft()]);
  const create = useMutation({
    mutationFn: () => {
      const titled = title && title !== name ? { title } : {};
      return api.POST("", { body: { display_name: name, columns: toColumns(columns), ...titled } });
    },
    onSuccess: (table) => navigate(`/tabelas/${table._id}`),
  });
  return (
    <Form onSubmit={() => create.mutate()} aria-labelledby="new-title">
      <h1 id="new-title">{t`Criar tabela`}</h1>
      {create.error && <Failure error={create.error} />}
      <TextField
        label={t`Título`}
        value={title}
        maxLength={200}
        onText={(text) => {
          if (name === "" || name === toName(title)) setName(toName(text));
          setTitle(text);
        }}
      />
      <TextField
        label={t`Nome da tabela`}
        hint={t`Letras minúsculas, números e _; é o nome que programas de BI veem`}
        required
        value={name}
        spellCheck={false}
        onText={setName}
      />
      <h2>{t`Colunas`}</h2>
      <ColumnFields columns={columns} onChange={setColumns} faults={faultsByColumn(create.error)} />
      <div className="mt-actions">
        <Button onClick={() => setColumns([...columns, emptyDraft()])}>{t`Acrescentar coluna`}</Button>
        <Button kind="primary" type="submit" disabled={create.isPending}>
          {create.isPending ? t`Criando…` : t`Criar tabela`}
        </Button>
      </div>
    </Form>
  );
}

/** A table's name, columns, key and indexes; its end, too. */
export default function Structure({ tableId }: { tableId: string }) {
  const table = useTable(tableId);
  if (table.error) return <Failure error={table.error} onRetry={() => void table.refetch()} />;
  if (!table.data) return <Loading label={t`Carregando a estrutura`} />;
  return <StructureForm key={table.data.version} table={table.data} />;
}

function StructureForm({ table }: { table: Table }) {
  const { api, announce } = useConsole();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState(() => startOf(table));
  const change = (changes: Partial<typeof draft>): void => setDraft({ ...draft, ...changes });
  const { display_name, title, description, status, columns, key, indexes } = draft;
  const body = {
    ...draft,
    version: table.version,
    columns: toColumns(columns),
    key: key.length === 0 ? null : key,
    indexes: indexes.filter((index) => index.length > 0),
  };
  const written = JSON.stringify(body);
  const isChanged = useRef(written).current !== written;
  const save = useMutation({
    mutationFn: () => api.PUT("/{table_id}", { path: { table_id: table._id }, body }),
    onSuccess: () => announce(t`Estrutura gravada`),
  });
  const remove = async (): Promise<void> => {
    await api.DELETE("/{table_id}", { path: { table_id: table._id } });
    navigate("/");
  };
  const isStale = save.error instanceof ApiFailure && save.error.code === "TABLE_CHANGED";
  return (
    <Form onSubmit={() => save.mutate()} aria-labelledby="structure-title">
      <div className="mt-title-bar">
        <h1 id="structure-title">{t`Estrutura de ${table.title || table.display_name}`}</h1>
        <Link href={`/tabelas/${table._id}`} className="mt-button mt-button-plain">{t`Ver as linhas`}</Link>
      </div>
      {save.error && (
        <Failure error={save.error} {...(isStale ? { onRetry: () => void queries.invalidateQueries() } : {})} />
      )}
      <TextField label={t`Título`} value={title} maxLength={200} onText={(text) => change({ title: text })} />
      <TextField
        label={t`Nome da tabela`}
        value={display_name}
        required
        spellCheck={false}
        onText={(name) => change({ display_name: name })}
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
      <Check
        isChecked={status === "active"}
        onCheck={(isOn) => change({ status: isOn ? "active" : "inactive" })}
      >{t`Ativa (aceita alterações)`}</Check>
      {draft.history && table.history ? (
        <p>
          {t`Guarda por 90 dias quem mudou o quê, e as linhas apagadas.`}{" "}
          <Ask
            label={t`Deixar de guardar`}
            title={t`Deixar de guardar o histórico?`} // to stop forgets what was kept
            keep={t`Continuar guardando`}
            onGo={() => change({ history: false })}
          >
            <p>{t`Depois de “Gravar”, o histórico e a lixeira desta tabela se perdem, e o que se apagar não volta mais.`}</p>
          </Ask>
        </p>
      ) : (
        <Check isChecked={draft.history} onCheck={(history) => change({ history })}>
          {t`Guardar por 90 dias quem mudou o quê, e as linhas apagadas`}
        </Check>
      )}
      <h2>{t`Colunas`}</h2>
      <ColumnFields
        columns={columns}
        onChange={(changed) => change({ columns: [...changed] })}
        faults={faultsByColumn(save.error)}
      />
      <Button onClick={() => change({ columns: [...columns, emptyDraft()] })}>{t`Acrescentar coluna`}</Button>
      <HiddenColumns table={table} isChanged={isChanged} />
      <h2>{t`Chave e índices`}</h2>
      <ColumnPicker
        label={t`Chave`}
        hint={t`Colunas que juntas não se repetem: por elas um envio atualiza linhas`}
        columns={columns}
        chosen={key}
        onChange={(chosen) => change({ key: chosen })}
      />
      {indexes.map((index, place) => (
        <ColumnPicker
          key={place}
          label={t`Índice ${place + 1}`}
          columns={columns}
          chosen={index}
          onChange={(chosen) => change({ indexes: indexes.map((one, at) => (at === place ? chosen : one)) })}
        />
      ))}
      <Button onClick={() => change({ indexes: [...indexes, []] })}>{t`Acrescentar índice`}</Button>
      <p className="mt-quiet">{t`Um índice torna rápido filtrar e ordenar por suas colunas em tabelas grandes.`}</p>
      <div className="mt-sticky-bar">
        <Ask label={t`Apagar tabela`} title={t`Apagar ${table.title || table.display_name}?`} onGo={remove}>
          <p>{t`A tabela sai das listas e dos programas de BI. Só quem cuida do sistema pode trazê-la de volta.`}</p>
        </Ask>
        <Button kind="primary" type="submit" disabled={save.isPending}>
          {save.isPending ? t`Gravando…` : t`Gravar`}
        </Button>
      </div>
    </Form>
  );
}

function startOf({ display_name, title, description, status, history, columns, key, indexes }: Table) {
  const texts = { display_name, title: title ?? "", description: description ?? "" };
  return { ...texts, status, history, columns: columns.map(draftOf), key: key ?? [], indexes: indexes ?? [] };
}

/** The columns that were taken out, and their way back. */
function HiddenColumns({ table, isChanged }: { table: Table; isChanged: boolean }) {
  const { api, announce } = useConsole();
  const path = { table_id: table._id };
  const hidden = useGet("/{table_id}/columns/hidden", { path });
  const restore = async (name: string): Promise<void> => {
    await api.POST("/{table_id}/columns/{name}/restore", { path: { ...path, name } });
    announce(t`A coluna voltou`);
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

interface ColumnPickerProps {
  label: string;
  hint?: string;
  columns: readonly DraftColumn[];
  /** Names, in the order that counts. */
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

/** Columns in an order: a list adds one, a click takes one away. */
function ColumnPicker({ label, hint, columns, chosen, onChange }: ColumnPickerProps) {
  const labelOf = (name: string): string => columns.find((column) => column.name === name)?.display_name || name;
  return (
    <div className="mt-inline mt-picker">
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
        onChoose={(name) => onChange([...chosen, name])}
      />
      {chosen.map((name) => (
        <Button
          key={name}
          className="mt-chip"
          aria-label={t`Tirar ${labelOf(name)} de ${label}`}
          onClick={() => onChange(chosen.filter((one) => one !== name))}
        >
          {labelOf(name)} <X />
        </Button>
      ))}
    </div>
  );
}

/** A column as it is being written; `previous_name` is what an existing one is called today. */
export interface DraftColumn extends Pick<Column, "name" | "display_name" | "type" | "nullable" | "description"> {
  key: string;
  previous_name?: string;
}

export function draftOf({ name, display_name, type, nullable, description = null }: Column): DraftColumn {
  return { key: name, name, display_name, type, nullable, description, previous_name: name };
}

function emptyDraft(): DraftColumn {
  return { key: crypto.randomUUID(), display_name: "", name: "", type: "text", nullable: true };
}

interface ColumnFieldsProps {
  columns: readonly DraftColumn[];
  onChange: (columns: readonly DraftColumn[]) => void;
  faults: ReadonlyMap<number, string>;
}

/** The list of a table's columns, to write or to change. */
export function ColumnFields({ columns, onChange, faults }: ColumnFieldsProps) {
  const change = (index: number, changes: Partial<DraftColumn>): void =>
    onChange(columns.map((column, at) => (at === index ? { ...column, ...changes } : column)));
  return (
    <ol className="mt-columns">
      {columns.map((column, index) => (
        <li key={column.key} className="mt-panel">
          <TextField
            label={t`Nome para as pessoas`}
            error={faults.get(index)}
            value={column.display_name}
            maxLength={500}
            onText={(display_name) => {
              const isNew = column.previous_name === undefined; // others are known by their names elsewhere
              const follows = isNew && (column.name === "" || column.name === toName(column.display_name));
              change(index, { display_name, ...(follows ? { name: toName(display_name) } : {}) });
            }}
          />
          <TextField
            label={t`Nome no banco`}
            value={column.name}
            spellCheck={false}
            onText={(name) => change(index, { name })}
          />
          <SelectField
            label={t`Tipo`}
            choices={typeChoices()}
            value={column.type}
            onChoose={(type) => change(index, { type })}
          />
          <Check
            isChecked={column.nullable}
            onCheck={(nullable) => change(index, { nullable })}
          >{t`Pode ficar vazia`}</Check>
          <TextField
            label={t`Descrição`}
            value={column.description ?? ""}
            onText={(description) => change(index, { description })}
          />
          <Ask
            label={
              <>
                {t`Tirar`} <span className="mt-hidden">{t`a coluna ${column.display_name}`}</span>
              </>
            }
            title={column.previous_name && t`Tirar a coluna ${column.display_name}?`} // it has values
            yes={t`Tirar a coluna`}
            onGo={() => onChange(columns.filter((_, at) => at !== index))}
          >
            <p>{t`Depois de “Gravar”, os valores dela não aparecem mais, nem aqui nem nos programas de BI. Dá para trazê-la de volta em “Colunas tiradas”, nesta página.`}</p>
          </Ask>
        </li>
      ))}
    </ol>
  );
}

/** Return what the API is sent for these drafts; what they do not name of a column stays. */
export function toColumns(columns: readonly DraftColumn[]) {
  return columns.map(({ key: _, description, previous_name, ...column }) => ({
    ...column,
    description: description || null,
    ...(previous_name && previous_name !== column.name ? { previous_name } : {}),
  }));
}

/** Return what the API says of each column, by its place in the list. */
function faultsByColumn(error: unknown): ReadonlyMap<number, string> {
  const faults = new Map<number, string>();
  for (const { path, reason } of error instanceof ApiFailure ? (error.body.details ?? []) : []) {
    const place = /columns\[(\d+)\]/.exec(path ?? "")?.[1];
    if (place !== undefined) faults.set(Number(place), reason);
  }
  return faults;
}
