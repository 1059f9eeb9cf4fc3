import { CircleCheck, Info, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Difference, Proof } from "../api/types";
import { roving } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, classes } from "../ui/parts";
import { useWindowEvents } from "../ui/store";
import { formatCount, plural } from "../values/numbers";
import { ABOUT_HEADERS, type Check, saidBy, WEIGHTS, wordsOf } from "./checks";
import { useReview } from "./draft";
import { useLines } from "./lines";

const weightWords = (): Record<Check["weight"], string> => ({
  stop: t`impede a importação`,
  value: t`pode mudar um valor`,
  look: t`para saber`,
});

/** One list, worst first; each entry leads to its place, F8 and Shift+F8 to the next and the one before. */
export function CheckList({ children }: { children: ReactNode }) {
  const { job, look, checks, onDraft } = useReview();
  const proofs = job.proofs ?? [];
  const said = new Set(proofs.flatMap((proof) => saidBy(proof, checks))); // one list: a proof's line stands for them
  const message = job.error?.message ?? null; // of the last confirmation or reading
  const total = job.error?.details_total ?? 0; // values that did not fit: more than are listed
  const [at, setAt] = useState(-1);
  const go = (index: number): void => {
    const check = checks[index];
    if (!check) return;
    setAt(index);
    look.at(check);
  };
  const step = (by: number): void => go((Math.max(at, by < 0 ? 0 : -1) + by + checks.length) % checks.length);
  useWindowEvents(["keydown"], (event) => {
    if (event.key !== "F8") return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  });
  if (checks.length === 0 && !message)
    return (
      <div className="mt-note">
        <p>
          <CircleCheck /> {t`Nada a conferir`}
        </p>
        <Proofs proofs={proofs} onGo={(check) => go(checks.indexOf(check))} />
        {children}
      </div>
    );
  const worst = message ? "stop" : WEIGHTS.find((weight) => checks.some((check) => check.weight === weight));
  const news = checks.flatMap(({ acceptance }) => (acceptance ? [acceptance] : []));
  const accept = () => onDraft({ adjustments: Object.fromEntries(news), remember: true }); // for the next files, too
  return (
    <section
      className={classes(
        "mt-note mt-checks",
        worst === "stop" && "mt-note-error",
        worst === "value" && "mt-note-warning",
      )}
      aria-labelledby="checks-title"
      {...roving}
      {...(message ? { role: "alert" } : {})}
    >
      <div className="mt-title-bar">
        <h2 id="checks-title">
          {message && <TriangleAlert />} {message ?? t`O que conferir`}
          {total > checks.length && t` (${plural(total, "valor", "valores")} ao todo)`}
        </h2>
        {news.length > 0 && (
          <Button onClick={accept}>
            {news.length === 1 ? t`Aceitar no modelo` : t`Aceitar as ${news.length} mudanças no modelo`}
          </Button>
        )}
        {checks.length > 1 && (
          <Button
            kind="quiet"
            title={t`F8; o anterior com Shift+F8`}
            data-rove
            tabIndex={-1}
            onClick={() => step(1)}
          >{t`Próximo`}</Button>
        )}
      </div>
      <Proofs proofs={proofs} onGo={(check) => go(checks.indexOf(check))} />
      <ul>
        {checks.map(
          (check, index) =>
            !said.has(check) && (
              <li key={index}>
                <button
                  type="button"
                  data-rove
                  tabIndex={check === checks[0] ? 0 : -1}
                  className={classes("mt-link", index === at && "mt-current")}
                  title={weightWords()[check.weight]}
                  onClick={() => go(index)}
                >
                  {check.weight === "look" ? <Info /> : <TriangleAlert />} {check.text}
                </button>{" "}
                {check.difference && <Sides difference={check.difference} spot={check.spot} />}
              </li>
            ),
        )}
      </ul>
      {children}
    </section>
  );
}

interface ProofsProps {
  proofs: readonly Proof[];
  onGo: (check: Check) => void;
}

/** What must all hold for a file to load with nobody looking: those that do not first, the others folded. */
function Proofs({ proofs, onGo }: ProofsProps) {
  if (proofs.length === 0) return null;
  const failed = proofs.filter((one) => !one.holds);
  const held = proofs.filter((one) => one.holds);
  return (
    <section aria-label={t`Provas`}>
      {failed.length > 0 && <h3>{t`O que não ficou provado`}</h3>}
      <ul>
        {failed.map((proof) => (
          <FailedProof key={proof.code} proof={proof} onGo={onGo} />
        ))}
      </ul>
      <details>
        <summary>{t`${held.length} de ${proofs.length} provas valem`}</summary>
        <ul>
          {held.map(({ code, text }) => (
            <li key={code}>
              <CircleCheck /> {text}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

/** A proof that does not hold: its text leads to its place, each of its lines to its file's own, what differs is below. */
function FailedProof({ proof, onGo }: { proof: Proof; onGo: (check: Check) => void }) {
  const { checks, look } = useReview();
  const { text, lines = [] } = proof;
  const said = saidBy(proof, checks);
  const [first] = said;
  const isDecided = said.every(({ text: words }) => words.startsWith("✓ "));
  const spot = said.find((one) => one.spot)?.spot; // a proof names no file: what says it does
  const show = (line: number): void => {
    if (first && spot) look.at({ ...first, spot: { ...spot, line, place: null } });
  };
  return (
    <li>
      <button
        type="button"
        data-rove
        tabIndex={first === checks[0] ? 0 : -1}
        className="mt-link"
        onClick={() => first && onGo(first)}
      >
        {isDecided ? <CircleCheck /> : <TriangleAlert />} {text}
      </button>{" "}
      {lines.slice(0, SHOWN_LINES).map((line) => (
        <Button
          key={line}
          kind="quiet"
          data-rove
          tabIndex={-1}
          onClick={() => show(line)}
        >{t`linha ${formatCount(line)}`}</Button>
      ))}
      {said.map(
        ({ difference, spot }, index) => difference && <Sides key={index} difference={difference} spot={spot} />,
      )}
    </li>
  );
}

const SHOWN_LINES = 5; // of a proof

/** A difference side by side: what the table remembers of its files, and this file's own line. */
function Sides({ difference: { code, before, after }, spot }: { difference: Difference; spot: Check["spot"] }) {
  const { job, recipe } = useReview();
  const table = spot ? job.reading?.tables[spot.table] : undefined;
  const { data } = useLines(job, table, spot?.line ?? 1, 1);
  const line = table && data?.lines[0]; // of no cell in particular the first line says nothing
  const isHeader = ABOUT_HEADERS.has(code);
  const kept = recipe?.tables.find((one) => one.sheet === table?.sheet) ?? recipe?.tables[0];
  const labels = isHeader ? (kept?.labels ?? []) : [];
  const [was, is] = isHeader ? ["", ""] : [wordsOf(code, before), wordsOf(code, after)];
  if (!line && labels.length === 0 && !was && !is) return null;
  const oldLine = code === "HEADER_MOVED" ? Number(before) : undefined;
  return (
    <div className="mt-sides">
      <Side title={t`Antes`} line={oldLine} cells={labels} place={labels.indexOf(String(before))} words={was} />
      <Side title={t`Agora`} line={line?.line} cells={line?.cells ?? []} place={spot?.place ?? -1} words={is} />
    </div>
  );
}

interface SideProps {
  title: string;
  line: number | undefined;
  cells: readonly (string | null)[];
  /** The cell that is meant, or -1. */
  place: number;
  words: string;
}

const SHOWN_AROUND = 2; // cells on each side of the one that is meant
const SHOWN_OF_A_CELL = 40;

function Side({ title, line, cells, place, words }: SideProps) {
  const first = Math.max(place - SHOWN_AROUND, 0);
  const last = first + 2 * SHOWN_AROUND;
  return (
    <p>
      <strong>{title}</strong>
      {line !== undefined && t` · linha ${formatCount(line)}`}
      {words && `: ${words}`} {first > 0 && "…"}
      {cells.slice(first, last + 1).map((cell, index) => {
        const Cell = first + index === place ? "mark" : "span";
        return (
          <Cell key={index} className="mt-badge">
            {cell?.slice(0, SHOWN_OF_A_CELL) || t`(vazia)`}
          </Cell>
        );
      })}
      {last < cells.length - 1 && "…"}
    </p>
  );
}
