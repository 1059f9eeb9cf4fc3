import { useMutation } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Recipe as Kept } from "../api/types";
import { useRecipe } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Check, Dialog, Empty, Failure, Pending } from "../ui/parts";
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
      {change.error && <Failure error={change.error} />}
      {kept === undefined && <Pending query={recipe} label={t`Carregando o modelo`} />}
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
  const said = [
    ...kept.tables.flatMap(readingWords),
    `${wordOf(modes(), kept.mode)}.`,
    kept.on_misfit === "skip" && t`As linhas que não servem ficam de fora, num arquivo.`,
  ];
  return (
    <>
      <p className="mt-quiet">
        {t`Guardado em ${formatMoment(kept.updated_at)}.`} <Link href={`/envios/${kept.job_id}`}>{t`Ver o envio`}</Link>
      </p>
      <h3>{t`Como o arquivo é lido`}</h3>
      <ul>
        {said.filter(Boolean).map((words, index) => (
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

/** Quote some texts in one list; nothing where there are none. */
function quoted(texts: readonly string[] | null | undefined): string {
  return (texts ?? []).map((text) => `“${text}”`).join(", ");
}

function readingWords({ sheet, encoding, delimiter, labels, skip_texts, trim }: Kept["tables"][number]) {
  return [
    sheet !== null && t`A aba é “${sheet}”.`,
    encoding && t`O texto está em ${wordOf(encodings(), encoding)}.`,
    delimiter && t`As células são separadas por: ${wordOf(delimiters(), delimiter)}.`,
    quoted(labels) ? t`O cabeçalho é a linha que diz ${quoted(labels)}.` : t`O arquivo não tem cabeçalho.`,
    quoted(skip_texts) && t`Ficam fora as linhas que começam com ${quoted(skip_texts)}.`,
    trim && t`Os espaços nas pontas das células são retirados.`,
  ];
}

function columnWords({ type, decimal_mark: mark, date_order: order, ...words }: Kept["columns"][number]) {
  const all = [
    type && typeLabels()[type].toLowerCase(),
    mark && type === "decimal" && t`decimais com ${wordOf(marks(), mark)}`,
    order && wordOf(orders(), order),
    quoted(words.null_tokens) && t`${quoted(words.null_tokens)} é vazio`,
    quoted(words.true_tokens) && t`${quoted(words.true_tokens)} é Sim`,
    quoted(words.false_tokens) && t`${quoted(words.false_tokens)} é Não`,
  ];
  return all.filter(Boolean);
}
