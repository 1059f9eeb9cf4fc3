import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Job } from "../api/types";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Dialog, Failure } from "../ui/parts";
import { plural } from "../values/numbers";
import { type ReviewParts, useReview } from "./draft";

/** What will happen, and the button that does it: it asks where a value may change, or rows go. */
export function ConfirmBar() {
  const parts = useReview();
  const { job, table, columns, checks, out, draft, isBusy, look, announce, problem, confirmation, onConfirm } = parts;
  const [isAsked, setAsked] = useState(false);
  const isReplacing = job.mode === "replace";
  const doubts = checks.filter((check) => check.weight === "value");
  const label = labelOf(parts);
  const answer = (act: () => void): void => {
    setAsked(false);
    act();
  };
  const go = (): void => {
    if (problem) {
      const [words, at = columns[0]] = problem;
      announce(words);
      if (!isBusy) document.querySelector<HTMLElement>(`[data-column="${at?.column.name}"] button`)?.focus();
    } else if (isReplacing || doubts.length > 0) setAsked(true);
    else onConfirm();
  };
  return (
    <div className="mt-sticky-bar">
      {confirmation.error && <Failure error={confirmation.error} />}
      <Cancel job={job} />
      {out.least > 0 && (
        <span className="mt-quiet">
          {draft.onMisfit === "reject"
            ? t`Nenhuma linha entra enquanto houver valores que não servem`
            : out.least === out.most
              ? plural(out.least, "linha fica fora", "linhas ficam fora")
              : t`Ao menos ${plural(out.least, "linha fica fora", "linhas ficam fora")}`}
        </span>
      )}
      <Button
        id="mt-confirm"
        kind="primary"
        aria-disabled={problem !== null}
        disabled={confirmation.isPending}
        onClick={go}
      >
        <span>{confirmation.isPending ? t`Começando…` : label}</span>
      </Button>
      {isAsked && (
        <Dialog
          title={isReplacing ? t`Substituir as linhas da tabela?` : t`Importar assim?`}
          onClose={() => setAsked(false)}
          keep={t`Voltar à revisão`}
          yes={label}
          kind={isReplacing ? "danger" : "primary"}
          onYes={() => answer(onConfirm)}
        >
          {isReplacing && (
            <p>{t`O que a tabela tem hoje (${plural(table?.row_count ?? 0, "linha")}) sai quando as linhas novas entrarem. Dá para desfazer por 7 dias, na página do envio.`}</p>
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

/** What the button does, and with how many rows: those that will go, or none where a value that does not fit stops all. */
function labelOf({ job, table, name, out, draft }: ReviewParts): string {
  const all = job.inferred_schema?.total_row_count_estimate ?? 0;
  const isKnown = table !== null || job.mode === "create";
  const { least, most } = isKnown ? out : { least: 0, most: 0 };
  const going = plural(all - least, "linha");
  const rows = least === most ? going : t`até ${going}`;
  const place = table ? table.title || table.display_name : name;
  if (least > 0 && draft.onMisfit === "reject") {
    return {
      append: t`Acrescentar a ${place}`,
      upsert: t`Atualizar ${place}`,
      replace: t`Substituir ${place}`,
      create: t`Importar em ${place}`,
      merge: t`Mesclar em ${place}`,
    }[job.mode];
  }
  return {
    append: table ? t`Acrescentar ${rows} a ${place}` : t`Acrescentar ${rows}`, // its name is still to come
    upsert: t`Atualizar ${place} com ${rows}`,
    replace: t`Substituir ${place} por ${rows}`,
    create: t`Importar ${rows} em ${place}`,
    merge: t`Mesclar em ${place}`,
  }[job.mode];
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
