import { CircleCheck, Info, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Difference } from "../api/types";
import { roving } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button } from "../ui/parts";
import { useWindowEvents } from "../ui/store";
import { formatCount, plural } from "../values/numbers";
import { ABOUT_HEADERS, type Check, wordsOf } from "./checks";
import { useReview } from "./draft";
import { useLines } from "./lines";

const SHOWN_AT_FIRST = 6;
const weightWords = (): Record<Check["weight"], string> => ({
  stop: t`impede a importação`,
  value: t`pode mudar um valor`,
  look: t`para saber`,
});

/** One list, worst first; each entry leads to its place, F8 and Shift+F8 to the next and the one before. */
export function CheckList({ children }: { children: ReactNode }) {
  const { job, look, checks, onDraft } = useReview();
  const message = job.error?.message ?? null; // of the last confirmation or reading
  const total = job.error?.details_total ?? 0; // values that did not fit: more than are listed
  const [isWhole, setWhole] = useState(false);
  const [at, setAt] = useState(-1);
  const go = (step: number): void => {
    if (checks.length === 0) return;
    const next = (Math.max(at, step < 0 ? 0 : -1) + step + checks.length) % checks.length;
    const check = checks[next];
    setAt(next);
    if (next >= SHOWN_AT_FIRST) setWhole(true);
    if (check) look.at(check);
  };
  useWindowEvents(["keydown"], (event) => {
    if (event.key !== "F8") return;
    event.preventDefault();
    go(event.shiftKey ? -1 : 1);
  });
  if (checks.length === 0 && !message)
    return (
      <p className="mt-note">
        <CircleCheck /> {t`Nada a conferir`}
      </p>
    );
  const worst = message ? "stop" : (checks[0]?.weight ?? "look");
  const shown = isWhole ? checks : checks.slice(0, SHOWN_AT_FIRST);
  const hidden = checks.length - shown.length;
  const news = checks.filter((check) => check.acceptance);
  const accept = (accepted: readonly Check[]): void => {
    const adjustments = Object.fromEntries(accepted.flatMap(({ acceptance }) => (acceptance ? [acceptance] : [])));
    onDraft({ adjustments, remember: true }); // for the table's next files, too
  };
  return (
    <section
      className={`mt-note mt-checks ${worst === "stop" ? "mt-note-error" : worst === "value" ? "mt-note-warning" : ""}`}
      aria-labelledby="checks-title"
      {...(message ? { role: "alert" } : {})}
    >
      <div className="mt-title-bar">
        <h2 id="checks-title">
          {message && <TriangleAlert />} {message ?? t`O que conferir`}
          {total > checks.length && t` (${plural(total, "valor", "valores")} ao todo)`}
        </h2>
        {news.length > 0 && (
          <Button onClick={() => accept(news)}>
            {news.length === 1 ? t`Aceitar no modelo` : t`Aceitar as ${news.length} mudanças no modelo`}
          </Button>
        )}
        {checks.length > 1 && (
          <Button kind="quiet" title={t`F8; o anterior com Shift+F8`} onClick={() => go(1)}>{t`Próximo`}</Button>
        )}
      </div>
      <ul onKeyDown={roving.onKeyDown} onFocus={roving.onFocus}>
        {shown.map((check, index) => (
          <li key={index} className={`mt-check-${check.weight}`}>
            <button
              type="button"
              data-rove
              tabIndex={index === 0 ? 0 : -1}
              className={index === at ? "mt-link mt-current" : "mt-link"}
              title={weightWords()[check.weight]}
              onClick={() => {
                setAt(index);
                look.at(check);
              }}
            >
              {check.weight === "look" ? <Info /> : <TriangleAlert />} {check.text}
            </button>{" "}
            {news.length > 1 && check.acceptance && (
              <Button data-rove tabIndex={-1} onClick={() => accept([check])}>{t`Aceitar`}</Button>
            )}
            {check.difference && <Sides difference={check.difference} spot={check.spot} />}
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <Button
          kind="quiet"
          onClick={() => setWhole(true)}
        >{t`Mostrar ${hidden === 1 ? t`o outro` : t`os outros ${hidden}`}`}</Button>
      )}
      {children}
    </section>
  );
}

const SHOWN_AROUND = 2; // cells on each side of the one that is meant
const SHOWN_OF_A_CELL = 40;

/** A difference side by side: what the table remembers of its files, and this file's own line. */
function Sides({ difference: { code, before, after }, spot }: { difference: Difference; spot: Check["spot"] }) {
  const { job, recipe } = useReview();
  const table = spot ? job.reading?.tables[spot.table] : undefined;
  const line = useLines(job, table, spot?.line ?? 1, 1).data?.lines[0];
  const isHeader = ABOUT_HEADERS.has(code);
  const kept = recipe?.tables.find((one) => one.sheet === table?.sheet) ?? recipe?.tables[0];
  const labels = isHeader ? (kept?.labels ?? []) : [];
  const words = [wordsOf(code, before), wordsOf(code, after)] as const;
  if (!line && labels.length === 0 && !words.some(Boolean)) return null;
  const place = spot?.place ?? -1;
  return (
    <div className="mt-sides">
      <Side
        title={t`Antes`}
        line={code === "HEADER_MOVED" ? Number(before) : null}
        cells={labels}
        place={isHeader ? labels.indexOf(String(before)) : -1}
        words={isHeader ? "" : words[0]}
      />
      <Side
        title={t`Agora`}
        line={line?.line ?? null}
        cells={line?.cells ?? []}
        place={place}
        words={isHeader ? "" : words[1]}
      />
    </div>
  );
}

interface SideProps {
  title: string;
  line: number | null;
  cells: readonly (string | null)[];
  place: number;
  words: string;
}

function Side({ title, line, cells, place, words }: SideProps) {
  const first = Math.max(place - SHOWN_AROUND, 0);
  const shown = cells.slice(first, first + 2 * SHOWN_AROUND + 1);
  return (
    <p>
      <strong>{title}</strong>
      {line !== null && t` · linha ${formatCount(line)}`}
      {words && `: ${words}`}
      {cells.length > 0 && (
        <span className="mt-strip">
          {first > 0 && <span>…</span>}
          {shown.map((cell, index) => {
            const text = (cell ?? "").slice(0, SHOWN_OF_A_CELL) || t`(vazia)`;
            return first + index === place ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
          })}
          {first + shown.length < cells.length && <span>…</span>}
        </span>
      )}
    </p>
  );
}
