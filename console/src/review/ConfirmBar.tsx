import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Job } from "../api/types";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Dialog, Failure } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import { fedTwice, type ReviewParts, useReview, wronglyFilled } from "./draft";

/** What will happen, and the button that does it: it asks where a value may change, or rows go. */
export function ConfirmBar() {
  const parts = useReview();
  const { job, table, checks, isBusy, look, announce, confirmation, onConfirm } = parts;
  const [isAsked, setAsked] = useState(false);
  const isReplacing = job.mode === "replace";
  const doubts = checks.filter((check) => check.weight === "value");
  const label = labelOf(parts);
  const problem = problemOf(parts);
  const answer = (act: () => void): void => {
    setAsked(false);
    act();
  };
  const go = (): void => {
    if (problem) {
      announce(problem);
      if (!isBusy) document.querySelector<HTMLElement>(".mt-head-button")?.focus();
    } else if (isReplacing || doubts.length > 0) setAsked(true);
    else onConfirm();
  };
  return (
    <div className="mt-sticky-bar">
      {confirmation.error && <Failure error={confirmation.error} />}
      <Cancel job={job} />
      <Button kind="primary" aria-disabled={problem !== null} disabled={confirmation.isPending} onClick={go}>
        {confirmation.isPending ? t`Começando…` : label}
      </Button>
      {isAsked && (
        <Dialog
          title={isReplacing ? t`Substituir as linhas da tabela?` : t`Importar assim?`}
          onClose={() => setAsked(false)}
          keep={t`Voltar à revisão`}
          actions={
            <Button kind={isReplacing ? "danger" : "primary"} onClick={() => answer(onConfirm)}>
              {label}
            </Button>
          }
        >
          {isReplacing && (
            <p>{t`As ${formatCount(table?.row_count ?? 0)} linhas de hoje saem quando as novas entrarem. Dá para desfazer por 7 dias, na página do envio.`}</p>
          )}
          {doubts.length > 0 && <p>{t`Confira antes de importar:`}</p>}
          {doubts.map((check, index) => (
            <p key={index}>
              <button type="button" className="mt-link" onClick={() => answer(() => look.at(check))}>
                <TriangleAlert /> {check.text}
              </button>
            </p>
          ))}
        </Dialog>
      )}
    </div>
  );
}

function labelOf({ job, table, name }: ReviewParts): string {
  const rows = plural(job.inferred_schema?.total_row_count_estimate ?? 0, "linha");
  const place = table ? table.title || table.display_name : name;
  return {
    append: table ? t`Acrescentar ${rows} a ${place}` : t`Acrescentar ${rows}`, // its name is still to come
    upsert: t`Atualizar ${place} com ${rows}`,
    replace: t`Substituir ${place} por ${rows}`,
    create: t`Importar ${rows} em ${place}`,
  }[job.mode];
}

function problemOf({ columns, isBusy }: ReviewParts): string | null {
  if (isBusy) return t`O arquivo está sendo lido de novo`;
  if (!columns.some((one) => one.include)) return t`Escolha ao menos uma coluna`;
  const wrong = wronglyFilled(columns);
  if (wrong) return t`O valor padrão de “${wrong.source}” não serve para o tipo dela`;
  const [twice] = fedTwice(columns);
  return twice === undefined ? null : t`Duas colunas do arquivo vão para “${twice}”: mude uma delas`;
}

export function Cancel({ job }: { job: Job }) {
  const { api } = useConsole();
  const cancel = () => api.DELETE("/upload-jobs/{job_id}", { path: { job_id: job._id } });
  return (
    <Ask label={t`Cancelar importação`} title={t`Cancelar esta importação?`} keep={t`Continuar com ela`} onGo={cancel}>
      <p>{t`Nada será gravado, e os arquivos enviados serão apagados.`}</p>
    </Ask>
  );
}
