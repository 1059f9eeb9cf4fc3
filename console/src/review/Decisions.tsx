import { t } from "../ui/language";
import { Button, Check, type Choices, Radios } from "../ui/parts";
import { type Edited, fieldsOf } from "../ui/store";
import { plural } from "../values/numbers";
import { type Draft, rememberedWords, useReview } from "./draft";

const misfitChoices = (): Choices<Draft["onMisfit"]> => [
  ["reject", t`Não importar nada até corrigir`],
  ["skip", t`Importar as linhas que servem e separar as outras num arquivo`],
];

/** What can be done at once about values that do not fit, and about labels that have changed. */
export function Decisions({ onCorrect }: { onCorrect: () => void }) {
  const { job, columns, out, draft, isAlone, can, onDraft, onAdjust, onConfirm } = useReview();
  const field = fieldsOf(draft, onDraft);
  const named = new Set((job.error?.details ?? []).map((detail) => detail.column));
  const misfits = columns.filter((one) => named.has(one.name) && !one.into && one.type !== "text");
  return (
    <>
      {can("upload") && job.inferred_schema && job.status === "waiting_confirm" && (
        <Button kind={out.least > 0 || job.error ? "primary" : "quiet"} onClick={onCorrect}>
          {draft.repairs && draft.repairs.length > 0
            ? t`Corrigir valores (${plural(draft.repairs.length, "conserto")})`
            : t`Corrigir valores`}
        </Button>
      )}
      {misfits.map(({ source }) => (
        <Button
          key={source}
          onClick={() => onAdjust([source], { type: "text" })}
        >{t`Importar “${source}” como texto`}</Button>
      ))}
      {job.error && (
        <Button onClick={() => onConfirm("skip")}>{t`Separar estas linhas num arquivo e importar as outras`}</Button>
      )}
      {!job.error && out.least > 0 && (
        <Radios legend={t`O que fazer com as linhas que não servem`} choices={misfitChoices()} {...field("onMisfit")} />
      )}
      {job.recipe !== null && (
        <>
          <Check {...field("remember")}>{t`Lembrar: ler assim também os próximos arquivos desta tabela`}</Check>
          <p className="mt-quiet">
            {draft.remember ? rememberedWords(columns) : t`Nada deste envio será lembrado: o modelo fica como está.`}
          </p>
          {isAlone && draft.remember && <GoingOnAlone isAllowed={can("update")} {...field("keepAutoConfirm")} />}
        </>
      )}
    </>
  );
}

/** Whether a table's next files go on loading by themselves: only who may update it says so. */
function GoingOnAlone({ isAllowed, ...said }: Edited<boolean> & { isAllowed: boolean }) {
  if (isAllowed)
    return <Check {...said}>{t`Continuar importando sozinho, mesmo que esta leitura mude o modelo`}</Check>;
  return <p className="mt-quiet">{t`Se esta leitura mudar o modelo, os próximos arquivos esperam por uma pessoa.`}</p>;
}
