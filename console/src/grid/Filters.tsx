import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useState } from "react";
import type { ColumnType, SavedView, Table, Where } from "../api/types";
import { ruleWords } from "../rules/words";
import { columnOf } from "../table/columns";
import { allOf, type Condition, filtersOf, type Operator, operatorLabels, operatorsOf } from "../table/conditions";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Check, type Choices, Dialog, Failure, Select, SelectField, TextField } from "../ui/parts";
import { type Edited, fieldsOf } from "../ui/store";
import { parseCell, showCell } from "../values/cells";
import { Calendar } from "./CellField";
import { SEARCH_FIELD } from "./control";
import { useParts } from "./sheet";
import { viewQuestion } from "./view";

const SEARCH_DELAY_MS = 300;

/** The search, the views, and the filters that hold, each one click from gone. */
export function Filters() {
  const { table, view, onView, onOpen } = useParts();
  const [search, setSearch] = useState(view.q);
  const filters = filtersOf(view.where);
  const hidden = view.columns.filter((one) => one.hidden);
  useEffect(() => setSearch(view.q), [view.q]);
  useEffect(() => {
    if (search === view.q) return;
    const timer = window.setTimeout(() => onView({ q: search }), SEARCH_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [search, onView]);
  return (
    <div className="mt-actions" role="search">
      <input
        id={SEARCH_FIELD}
        type="search"
        aria-label={t`Procurar nas linhas`}
        placeholder={t`Procurar nas linhas`}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <Button onClick={() => onOpen(<FilterDialog />)}>{t`Filtrar`}</Button>
      <Views />
      {filters.map((filter, index) => (
        <Button
          key={index}
          aria-label={t`Tirar o filtro ${words(table, filter)}`}
          onClick={() => onView({ where: allOf(filters.filter((_, at) => at !== index)) })}
        >
          {words(table, filter)} <X />
        </Button>
      ))}
      {view.group_by.map((name) => (
        <Button key={name} onClick={() => onView({ group_by: view.group_by.filter((one) => one !== name) })}>
          {t`Por ${columnOf(table, name).display_name}`} <X />
        </Button>
      ))}
      {hidden.length > 0 && (
        <Button
          kind="quiet"
          onClick={() => onView({ columns: view.columns.map((one) => ({ ...one, hidden: false })) })}
        >{t`Mostrar ${hidden.length === 1 ? t`a coluna oculta` : t`as ${hidden.length} colunas ocultas`}`}</Button>
      )}
    </div>
  );
}

/** Say a filter that this page makes; another client's may be any condition. */
function words(table: Table, filter: Where): string {
  if ("rule" in filter) return breakWords(table, filter.rule);
  const conditions = "or" in filter ? filter.or : [filter];
  const isKnown = conditions.every((one): one is Condition => "column" in one);
  if (!isKnown) return t`Outra condição, de fora desta página`;
  return conditions.map((one) => conditionWords(table, one)).join(t` ou `);
}

function breakWords(table: Table, id: string): string {
  const rule = table.rules.find((one) => one.id === id);
  return rule ? t`quebra a regra “${ruleWords(rule, table)}”` : t`quebra uma regra que não há mais`;
}

function conditionWords(table: Table, { column, op, value }: Condition): string {
  const { display_name: label, type } = columnOf(table, column);
  if (op === "is_null") return `${label} ${value === true ? t`está vazia` : t`não está vazia`}`;
  const shown = (Array.isArray(value) ? value : [value]).map((one) => showCell(one, { type }));
  return `${label} ${operatorLabels()[op]} ${shown.join("; ")}`;
}

const heights = (): Choices => [
  ["32", t`Linhas baixas`],
  ["64", t`Linhas médias`],
  ["128", t`Linhas altas`],
];

/** The views of a table that have a name, and the way to give the present one a name. */
function Views() {
  const { table, view, saved, isChanged, open, onView, onOpen, api } = useParts();
  const views = useQuery({
    queryKey: ["views", table._id],
    queryFn: async ({ signal }) => {
      const found: SavedView[] = [];
      for (let page = 1; ; page += 1) {
        const asked = { path: { table_id: table._id }, query: { page }, signal };
        const { total, records } = await api.GET("/{table_id}/views", asked);
        found.push(...records);
        if (records.length === 0 || found.length >= total) return found;
      }
    },
  });
  const known = views.data ?? [];
  const listed = !saved || known.some(({ _id }) => _id === saved._id) ? known : [...known, saved]; // if just saved
  return (
    <>
      <Select
        aria-label={t`Visão`}
        choices={[
          ["", t`Toda a tabela`],
          ...listed.map((one) => [one._id, one.shared ? t`${one.name} (de todos)` : one.name] as const),
        ]}
        value={saved?._id ?? ""}
        onValue={open}
      />
      <Select
        aria-label={t`Altura das linhas`}
        choices={heights()}
        value={String(view.row_height)}
        onValue={(height) => onView({ row_height: Number(height) })}
      />
      {views.error && <Failure error={views.error} onRetry={() => void views.refetch()} />}
      <Button onClick={() => onOpen(<SaveView />)}>
        {saved && isChanged ? t`Gravar a visão mudada` : t`Gravar visão`}
      </Button>
    </>
  );
}

/** Keep a view under a name: a new one, or the one that was opened. */
function SaveView() {
  const { table, view, saved, open, api, announce, userId, onClose } = useParts();
  const queries = useQueryClient();
  const own = saved?.user_id === userId ? saved : null;
  const [name, setName] = useState(saved?.name ?? "");
  const [shared, setShared] = useState(own?.shared ?? false);
  const path = { table_id: table._id };
  const body = { ...view, name, shared };
  const done = (said: string, id: string): void => {
    announce(said);
    onClose();
    open(id);
  };
  const save = useMutation({
    mutationFn: async (view_id: string | null) => {
      const sent =
        view_id === null
          ? api.POST("/{table_id}/views", { path, body })
          : api.PUT("/{table_id}/views/{view_id}", { path: { ...path, view_id }, body });
      const kept = await sent.catch(async (error) => {
        const { records } = await api.GET("/{table_id}/views", { path, query: { per_page: 40 } });
        const is = (one: SavedView) =>
          one.user_id === userId && JSON.stringify({ ...one, ...body }) === JSON.stringify(one);
        const there = records.find(is); // by this page: an answer was lost
        if (!there) throw error;
        return there;
      });
      queries.setQueryData(viewQuestion(table._id, kept._id), kept);
      done(t`Visão gravada`, kept._id);
    },
  });
  const remove = async (view_id: string): Promise<void> => {
    await api.DELETE("/{table_id}/views/{view_id}", { path: { ...path, view_id } });
    done(t`Visão apagada`, "");
  };
  return (
    <Dialog
      title={t`Gravar visão`}
      onClose={onClose}
      actions={
        <>
          {own && (
            <Ask label={t`Apagar visão`} title={t`Apagar a visão ${own.name}?`} onGo={() => remove(own._id)}>
              <p>{t`As linhas da tabela ficam como estão.`}</p>
            </Ask>
          )}
          {own && <Button disabled={save.isPending} onClick={() => save.mutate(null)}>{t`Gravar como nova`}</Button>}
        </>
      }
      yes={own ? t`Gravar em ${own.name}` : t`Gravar`}
      isBusy={save.isPending}
      onYes={() => save.mutate(own?._id ?? null)}
    >
      <p className="mt-quiet">{t`Filtros, procura, ordem, rodapé, e quais colunas aparecem, onde e com que largura.`}</p>
      {save.error && <Failure error={save.error} />}
      <TextField label={t`Nome da visão`} value={name} maxLength={200} onValue={setName} />
      <Check value={shared} onValue={setShared}>{t`Mostrar também aos colegas`}</Check>
    </Dialog>
  );
}

/** A condition as it is being written: `is_not_null` is a choice of its own for people. */
interface Draft {
  column: string;
  op: Operator | "is_not_null";
  text: string;
}

/** A filter to be written: one condition, or several of which one must hold. */
function FilterDialog() {
  const { table, view, onView, onClose } = useParts();
  const begun = (): Draft => draftFor(table, table.columns[0]?.name ?? "");
  const [drafts, setDrafts] = useState<readonly Draft[]>(() => [begun()]);
  const [isTried, setTried] = useState(false);
  const conditions = drafts.map((draft) => conditionOf(draft, columnOf(table, draft.column).type));
  const submit = (): void => {
    setTried(true);
    if (!conditions.every((condition) => condition !== null)) return;
    onView({ where: allOf([...filtersOf(view.where), { or: conditions }]) });
    onClose();
  };
  return (
    <Dialog title={t`Filtrar`} onClose={onClose} keep={t`Voltar`} onSubmit={submit} yes={t`Aplicar`}>
      {drafts.map((draft, index) => (
        <fieldset key={index} className="mt-choices">
          {index > 0 && <legend>{t`ou`}</legend>}
          <ConditionFields
            isFaulty={isTried && conditions[index] === null}
            value={draft}
            onValue={(changed) => setDrafts(drafts.with(index, changed))}
          />
        </fieldset>
      ))}
      <Button kind="quiet" onClick={() => setDrafts([...drafts, begun()])}>{t`ou…`}</Button>
    </Dialog>
  );
}

function ConditionFields({ value: draft, onValue, isFaulty }: Edited<Draft> & { isFaulty: boolean }) {
  const { table } = useParts();
  const { column, op, text } = draft;
  const change = (changes: Partial<Draft>): void => onValue({ ...draft, ...changes });
  const field = fieldsOf(draft, change);
  const { type } = columnOf(table, column);
  const hasValue = op !== "is_null" && op !== "is_not_null";
  const isList = op === "in" || op === "nin";
  return (
    <>
      <SelectField
        label={t`Coluna`}
        choices={table.columns.map((one) => [one.name, one.display_name])}
        value={column}
        onValue={(name) => onValue(draftFor(table, name))}
      />
      <SelectField<Draft["op"]>
        label={t`Condição`}
        choices={[
          ...operatorsOf(type).map((one) => [one, operatorLabels()[one]] as const),
          ["is_not_null", t`não está vazia`],
        ]}
        {...field("op")}
      />
      {hasValue && type === "boolean" && (
        <SelectField
          label={t`Valor`}
          choices={[
            ["Sim", t`Sim`],
            ["Não", t`Não`],
          ]}
          {...field("text")}
        />
      )}
      {hasValue && type !== "boolean" && (
        <div className="mt-inline">
          <TextField
            label={t`Valor`}
            hint={isList ? t`Vários, com ponto e vírgula entre eles` : undefined}
            error={isFaulty ? t`Escreva um valor que sirva para a coluna` : undefined}
            {...field("text")}
          />
          <Calendar type={type} onPick={(day) => change({ text: isList && text ? `${text}; ${day}` : day })} />
        </div>
      )}
    </>
  );
}

function draftFor(table: Table, column: string): Draft {
  const { type } = columnOf(table, column);
  return { column, op: operatorsOf(type)[0] ?? "eq", text: type === "boolean" ? "Sim" : "" };
}

/** Return the condition as the API takes it, or null where its value does not fit the column. */
function conditionOf({ column, op, text }: Draft, type: ColumnType): Condition | null {
  if (op === "is_null" || op === "is_not_null") return { column, op: "is_null", value: op === "is_null" };
  const isList = op === "in" || op === "nin";
  const parsed = (isList ? text.split(";") : [text]).map((part) => parseCell(isList ? part.trim() : part, type, false));
  const values = parsed.flatMap((one) => (one.ok ? [one.value] : []));
  if (values.length < parsed.length) return null;
  return { column, op, value: isList ? values : (values[0] ?? null) };
}
