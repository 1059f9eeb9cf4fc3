import { useMutation } from "@tanstack/react-query";
import { Link } from "wouter";
import { useRecipe } from "../api/queries";
import type { Recipe as Kept } from "../api/types";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Check, Dialog, Empty, Failure, Loading } from "../ui/parts";
import { typeLabels } from "../values/cells";
import { formatMoment } from "../values/dates";
import { delimiters, encodings, marks, modes, orders, wordOf } from "../values/words";
import { columnOf, useParts } from "./sheet";

/** What a table remembers of how its files are read, in sentences; whether they load by themselves; the way to forget. */
export function Recipe() {
  const { table, onClose, api, can } = useParts();
  const path = { table_id: table._id };
  const recipe = useRecipe(table._id);
  const change = useMutation({
    mutationFn: (auto_confirm: Kept["auto_confirm"]) => api.PUT("/{table_id}/recipe", { path, body: { auto_confirm } }),
  });
  const kept = recipe.data;
  return (
    <Dialog
      title={t`Modelo de importação`}
      isSide
      onClose={onClose}
      actions={
        (kept ?? false) &&
        can("update") && (
          <Ask
            label={t`Esquecer o modelo`}
            title={t`Esquecer o modelo de importação?`}
            onGo={() => api.DELETE("/{table_id}/recipe", { path })}
          >
            <p>{t`O próximo arquivo será lido como se fosse o primeiro. As linhas da tabela ficam como estão.`}</p>
          </Ask>
        )
      }
    >
      {recipe.error && <Failure error={recipe.error} onRetry={() => void recipe.refetch()} />}
      {change.error && <Failure error={change.error} />}
      {kept === undefined && !recipe.error && <Loading label={t`Carregando o modelo`} />}
      {kept === null && <Empty title={t`Nada foi guardado ainda: o modelo nasce com o primeiro arquivo importado`} />}
      {kept && (
        <>
          <Check
            value={(change.isPending ? change.variables : kept.auto_confirm) === "unchanged"}
            disabled={!can("update") || change.isPending}
            onValue={(isOn) => change.mutate(isOn ? "unchanged" : "never")}
          >{t`Importar sozinho os arquivos em que nada mudou`}</Check>
          <Sentences kept={kept} />
        </>
      )}
    </Dialog>
  );
}

function Sentences({ kept }: { kept: Kept }) {
  const { table } = useParts();
  return (
    <>
      <p className="mt-quiet">
        {t`Guardado em ${formatMoment(kept.updated_at)}.`} <Link href={`/envios/${kept.job_id}`}>{t`Ver o envio`}</Link>
      </p>
      <h3>{t`Como o arquivo é lido`}</h3>
      <ul>
        {[...kept.tables.flatMap(readingWords), ...loadingWords(kept)].map((words, index) => (
          <li key={index}>{words}</li>
        ))}
      </ul>
      <h3>{t`Para onde vão as colunas`}</h3>
      <ul>
        {kept.columns.map((one) => (
          <li key={one.source}>
            {t`“${one.source}” vai para ${columnOf(table, one.name).display_name}`}
            {columnWords(one).map((words) => `; ${words}`)}.
          </li>
        ))}
      </ul>
    </>
  );
}

function readingWords(table: Kept["tables"][number]): string[] {
  const words: string[] = [];
  if (table.sheet !== null) words.push(t`A aba é “${table.sheet}”.`);
  if (table.encoding) words.push(t`O texto está em ${wordOf(encodings(), table.encoding)}.`);
  if (table.delimiter) words.push(t`As células são separadas por: ${wordOf(delimiters(), table.delimiter)}.`);
  if (table.labels.length === 0) words.push(t`O arquivo não tem cabeçalho.`);
  else words.push(t`O cabeçalho é a linha que diz ${table.labels.map((label) => `“${label}”`).join(", ")}.`);
  if (table.skip_texts.length > 0) {
    words.push(t`Ficam fora as linhas que começam com ${table.skip_texts.map((text) => `“${text}”`).join(", ")}.`);
  }
  if (table.trim) words.push(t`Os espaços nas pontas das células são retirados.`);
  return words;
}

function loadingWords({ mode, on_misfit: onMisfit }: Kept): string[] {
  const words = [`${wordOf(modes(), mode)}.`];
  return onMisfit === "skip" ? [...words, t`As linhas que não servem ficam de fora, num arquivo.`] : words;
}

function columnWords(column: Kept["columns"][number]): string[] {
  const words: string[] = [];
  const list = (tokens: readonly string[]): string => tokens.map((token) => `“${token}”`).join(", ");
  if (column.type) words.push(typeLabels()[column.type].toLowerCase());
  if (column.decimal_mark && column.type === "decimal")
    words.push(t`decimais com ${wordOf(marks(), column.decimal_mark)}`);
  if (column.date_order) words.push(wordOf(orders(), column.date_order));
  if (column.null_tokens?.length) words.push(t`${list(column.null_tokens)} é vazio`);
  if (column.true_tokens?.length) words.push(t`${list(column.true_tokens)} é Sim`);
  if (column.false_tokens?.length) words.push(t`${list(column.false_tokens)} é Não`);
  return words;
}
