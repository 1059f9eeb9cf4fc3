import { useQueryClient } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { detailsOf } from "../api/session";
import type { Misfit } from "../api/types";
import { useGet } from "../ui/context";
import { t } from "../ui/language";
import { Button, Empty, Pending, Select } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import { spotOf } from "./checks";
import { misfitsOf, useReview } from "./draft";
import { exampleOf } from "./lines";
import { columnNamed, keyOf, type Repair, rememberedRepairs } from "./repairs";

const kinds = (): readonly (readonly [value: "misfit" | "alike", label: string])[] => [
  ["misfit", t`Valores que não servem`],
  ["alike", t`Textos parecidos`],
];
const PER_PAGE = 50;

/** Put values right, each once: by a suggestion, a text of one's own, or nothing; the list stays until the next is asked for. */
export function Corrections({ onClose }: { onClose: () => void }) {
  const { job, draft, recipe, flush, onDraft } = useReview();
  const queries = useQueryClient();
  const [kind, setKind] = useState<"misfit" | "alike">("misfit");
  const [page, setPage] = useState(1);
  const [asked, setAsked] = useState(() => misfitsOf(job, 1)); // not again for each decision
  const [done, setDone] = useState<readonly string[]>([]); // the keys, in the order of the decisions
  const found = useGet("/upload-jobs/{job_id}/misfits", asked, { placeholderData: (before) => before });
  const { total = 0, records = [] } = found.data ?? {};
  const ask = (next: number, of = kind): void => {
    setKind(of);
    setPage(next);
    void flush().then(() => {
      void queries.invalidateQueries({ queryKey: ["/upload-jobs/{job_id}/misfits"] });
      setAsked({ ...misfitsOf(job, next, of), version: String(Date.now()) });
    });
  };
  const decide = (repair: Repair): void => {
    const kept = draft.repairs ? {} : rememberedRepairs(recipe);
    onDraft({ decisions: { ...kept, [keyOf(repair)]: repair } });
    setDone([...done.filter((key) => key !== keyOf(repair)), keyOf(repair)]);
  };
  const takeBack = (key: string | undefined): void => {
    if (key === undefined) return;
    onDraft({ decisions: { [key]: null } });
    setDone(done.filter((one) => one !== key));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const { key, target, ctrlKey, metaKey } = event;
    if (key.toLowerCase() === "z" && (ctrlKey || metaKey) && !(target as HTMLInputElement).value) {
      event.preventDefault();
      takeBack(done.at(-1));
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step === undefined || !(target instanceof HTMLInputElement)) return;
    event.preventDefault();
    const fields = [...event.currentTarget.querySelectorAll("input")];
    fields[fields.indexOf(target) + step]?.focus();
  };
  return (
    <section className="mt-checks mt-corrections" aria-labelledby="corrections-title" onKeyDown={onKeyDown}>
      <div className="mt-title-bar">
        <h2 id="corrections-title">
          {t`Corrigir`} <span className="mt-quiet">{plural(total, "valor", "valores")}</span>
        </h2>
        <Select aria-label={t`O que corrigir`} choices={kinds()} value={kind} onValue={(of) => ask(1, of)} />
        <Button kind="quiet" onClick={onClose}>{t`Fechar`}</Button>
      </div>
      {found.data ? null : <Pending query={found} label={t`Procurando os valores`} />}
      {found.data && records.length === 0 && <Empty title={t`Nada a corrigir`} />}
      <ul>
        {records.map((one) => (
          <ValueLine key={`${one.column}/${one.rule}/${one.value}`} found={one} onDecide={decide} onBack={takeBack} />
        ))}
      </ul>
      <div className="mt-actions">
        {page > 1 && <Button onClick={() => ask(page - 1)}>{t`Anteriores`}</Button>}
        {done.length > 0 && <Button onClick={() => ask(1)}>{t`Mostrar o que falta`}</Button>}
        {page * PER_PAGE < total && <Button onClick={() => ask(page + 1)}>{t`Próximos`}</Button>}
      </div>
    </section>
  );
}

interface ValueLineProps {
  found: Misfit;
  onDecide: (repair: Repair) => void;
  onBack: (key: string) => void;
}

/** A value, where it stands first, and what may be put in its place; once that is decided, what it becomes. */
function ValueLine({ found, onDecide, onBack }: ValueLineProps) {
  const { job, columns, draft, look, allPlaces, failure, onDraft } = useReview();
  const [typed, setTyped] = useState("");
  const [isOut, setOut] = useState(false);
  const { column: name, value, count, first, reason, suggestions } = found;
  const about = columnNamed(columns, name);
  const label = about?.source ?? name;
  const place = { column: name, from: value };
  const known = draft.repairs?.find((one) => keyOf(one) === keyOf(place));
  const refused = detailsOf(failure).find(({ column, value: to }) => column === name && to === (known?.to ?? null));
  const fault = typed && about ? exampleOf(about, typed, null, job.reading?.timezone).fault : undefined;
  const take = (outcome: { to?: string; empty?: true }): void => {
    onDecide({ ...place, ...outcome });
    setTyped("");
  };
  const onEnter = (event: KeyboardEvent<HTMLInputElement>): void => {
    const [best] = suggestions;
    if (event.key !== "Enter" || fault !== undefined || (!typed && !best)) return;
    event.preventDefault();
    const fields = [...(event.currentTarget.closest("ul")?.querySelectorAll("input") ?? [])];
    fields[fields.indexOf(event.currentTarget) + 1]?.focus();
    take(typed ? { to: typed } : best?.to ? { to: best.to } : { empty: true });
  };
  const goTo = (): void => {
    const spot = spotOf(job, first, allPlaces, about?.column.name ?? null, reason);
    look.at({ weight: "look", text: reason, spot, column: about?.column.name ?? null });
  };
  return (
    <li>
      <p>
        {label}: <strong>{value ? `“${value}”` : t`(vazia)`}</strong>{" "}
        <span className="mt-quiet">
          {plural(count, "célula")}, {reason}
        </span>{" "}
        <button type="button" className="mt-link" onClick={goTo}>{t`linha ${formatCount(first.line)}`}</button>
      </p>
      {known || isOut ? (
        <p className="mt-actions">
          <span role="status">
            → {known ? known.to ? <strong>{`“${known.to}”`}</strong> : t`fica vazia` : t`fica de fora`}
          </span>
          {known && refused && <span className="mt-field-error">{refused.reason}</span>}
          <Button kind="quiet" onClick={() => (known ? onBack(keyOf(known)) : setOut(false))}>
            <Undo2 /> {t`Desfazer`}
          </Button>
        </p>
      ) : (
        <div className="mt-actions">
          {suggestions.map(({ to, reason: why }) => (
            <Button key={to ?? ""} title={why} onClick={() => take(to ? { to } : { empty: true })}>
              {to ?? t`vazio`}
            </Button>
          ))}
          <input
            aria-label={t`No lugar de ${value}`}
            aria-invalid={fault !== undefined}
            title={fault ?? ""}
            maxLength={1_000}
            value={typed}
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={onEnter}
          />
          {fault !== undefined && <span className="mt-field-error">{fault}</span>}
          {!suggestions.some(({ to }) => !to) && (
            <Button kind="quiet" onClick={() => take({ empty: true })}>{t`Vazio`}</Button>
          )}
          <Button
            kind="quiet"
            onClick={() => {
              setOut(true);
              onDraft({ onMisfit: "skip" });
            }}
          >{t`Deixar de fora`}</Button>
        </div>
      )}
    </li>
  );
}
