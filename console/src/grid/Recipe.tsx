import { useMutation } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Recipe as Kept } from "../api/types";
import { columnOf } from "../table/columns";
import { useRecipe } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Check, Dialog, Empty, Failure, Pending, SelectField } from "../ui/parts";
import { typeLabels } from "../values/cells";
import { formatMoment } from "../values/dates";
import { delimiters, encodings, marks, modes, orders, wordOf } from "../values/words";
import { useParts } from "./sheet";

/** What a table remembers of how its files are read, in sentences; whether they load by themselves; the way to forget. */
export function Recipe() {
  const { table, onClose, api, can } = useParts();
  const path = { table_id: table._id };
  const recipe = useRecipe(table._id);
  const change = useMutation({
    mutationFn: (body: Unattended) => api.PUT("/{table_id}/recipe", { path, body }),
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
          <Choices
            value={change.isPending ? { ...kept, ...change.variables } : kept}
            isDisabled={!can("update") || change.isPending}
            onValue={change.mutate}
          />
          <Sentences kept={kept} />
        </>
      )}
    </Dialog>
  );
}

/** What only a person who may update the table says of its files; no load teaches it. */
type Unattended = Partial<Pick<Kept, "auto_confirm" | "mode" | "on_misfit">>;

interface ChoicesProps {
  value: Unattended;
  isDisabled: boolean;
  onValue: (changes: Unattended) => void;
}

function Choices({
  value: { auto_confirm, mode = "append", on_misfit = "reject" },
  isDisabled,
  onValue,
}: ChoicesProps) {
  const { table } = useParts();
  const isKeyed = (table.key ?? []).length > 0;
  return (
    <>
      <Check
        value={auto_confirm === "unchanged"}
        disabled={isDisabled}
        onValue={(isOn) => onValue({ auto_confirm: isOn ? "unchanged" : "never" })}
      >{t`Importar sozinho os arquivos em que nada mudou`}</Check>
      <SelectField
        label={t`O que um arquivo faz com a tabela`}
        choices={modes().filter(([one]) => isKeyed || one !== "upsert")}
        value={mode}
        disabled={isDisabled}
        onValue={(chosen) => onValue({ mode: chosen })}
      />
      <SelectField
        label={t`Linhas que não servem`}
        choices={[
          ["reject", t`Não importar nada até corrigir`],
          ["skip", t`Importar as linhas que servem e separar as outras num arquivo`],
        ]}
        value={on_misfit}
        disabled={isDisabled}
        onValue={(chosen) => onValue({ on_misfit: chosen })}
      />
      <p className="mt-quiet">
        {t`Estas três escolhas mudam só aqui. Um envio que muda o modelo apenas desliga a importação sozinha.`}
      </p>
    </>
  );
}

function Sentences({ kept }: { kept: Kept }) {
  const { table } = useParts();
  const said = [...kept.tables.flatMap(readingWords)];
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
