import { CircleCheck, Info, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Proof, ShownPicture } from "../api/types";
import { roving } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, classes } from "../ui/parts";
import { useWindowEvents } from "../ui/store";
import { formatCell, typeLabels } from "../values/cells";
import { formatCount, formatNumber, plural } from "../values/numbers";
import { ABOUT_HEADERS, type Check, type Entry, entriesOf, saysLine, WEIGHTS, wordsOf } from "./checks";
import { useReview } from "./draft";
import { useLines } from "./lines";

const weightWords = (): Record<Check["weight"], string> => ({
  stop: t`impede a importação`,
  value: t`pode mudar um valor`,
  look: t`para saber`,
});

/**
 * One list beside the lines, worst first, each entry a line until it is chosen: then it leads to its place and says the
 * rest. F8 and Shift+F8 choose the next and the one before. A phone shows one of them, and all on demand.
 */
export function CheckList({ children }: { children: ReactNode }) {
  const { job, look, checks, onDraft } = useReview();
  const entries = entriesOf(job, checks);
  const message = job.error?.message ?? null; // of the last confirmation or reading
  const total = job.error?.details_total ?? 0; // values that did not fit: more than are listed
  const [at, setAt] = useState(-1);
  const [isOpen, setOpen] = useState(false); // on a phone
  const go = (index: number): void => {
    const entry = entries[index];
    if (!entry) return;
    setAt(index);
    setOpen(false);
    look.at(entry.check);
  };
  const step = (by: number): void => go((Math.max(at, by < 0 ? 0 : -1) + by + entries.length) % entries.length);
  useWindowEvents(["keydown"], (event) => {
    if (event.key !== "F8") return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  });
  const isQuiet = entries.length === 0 && !message;
  const worst = message ? "stop" : WEIGHTS.find((weight) => checks.some((check) => check.weight === weight));
  const news = checks.flatMap(({ acceptance }) => (acceptance ? [acceptance] : []));
  const accept = () => onDraft({ adjustments: Object.fromEntries(news), remember: true }); // for the next files, too
  return (
    <section
      className={classes("mt-checks", worst && `mt-checks-${worst}`)}
      data-open={isOpen}
      aria-labelledby="checks-title"
      {...roving}
      {...(message ? { role: "alert" } : {})}
    >
      <div className="mt-title-bar">
        <h2 id="checks-title">
          {isQuiet && <CircleCheck className="mt-sign" />}
          {message ?? (isQuiet ? t`Nada a conferir` : t`O que conferir`)}
          {total > checks.length && t` (${plural(total, "valor", "valores")} ao todo)`}{" "}
          {entries.length > 0 && <span className="mt-quiet">{formatCount(entries.length)}</span>}
        </h2>
        {entries.length > 1 && (
          <Button
            kind="quiet"
            title={t`F8; o anterior com Shift+F8`}
            data-rove
            tabIndex={-1}
            onClick={() => step(1)}
          >{t`Próximo`}</Button>
        )}
        <Button kind="quiet" className="mt-of-a-phone" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t`Menos` : t`Ver tudo`}
        </Button>
      </div>
      <ul>
        {entries.map((entry, index) => (
          <EntryLine
            key={index}
            entry={entry}
            isFirst={index === 0}
            isChosen={index === at}
            isShown={index === Math.max(at, 0)}
            onGo={() => go(index)}
          />
        ))}
      </ul>
      <div className="mt-checks-more">
        {news.length > 0 && (
          <Button onClick={accept}>
            {news.length === 1 ? t`Aceitar no modelo` : t`Aceitar as ${news.length} mudanças no modelo`}
          </Button>
        )}
        <HeldProofs proofs={job.proofs ?? []} />
        {children}
      </div>
    </section>
  );
}

interface EntryProps {
  entry: Entry;
  isFirst: boolean;
  isChosen: boolean;
  /** Whether a phone shows it where it shows one. */
  isShown: boolean;
  onGo: () => void;
}

/** A line of the list; once it is chosen all of its words, its lines, and what differs. */
function EntryLine({ entry, isFirst, isChosen, isShown, onGo }: EntryProps) {
  const { look } = useReview();
  const { text, weight, isDecided, check, lines, more, differences } = entry;
  const Sign = isDecided ? CircleCheck : weight === "look" ? Info : TriangleAlert;
  const { spot } = check;
  return (
    <li data-shown={isShown}>
      <button
        type="button"
        data-rove
        tabIndex={isFirst ? 0 : -1}
        className={`mt-entry mt-entry-${isDecided ? "look" : weight}`}
        aria-current={isChosen}
        title={weightWords()[weight]}
        onClick={onGo}
      >
        <Sign /> <span>{text}</span>
      </button>
      {isChosen && (
        <div className="mt-entry-more">
          {lines.map((line) => (
            <Button
              key={line}
              kind="quiet"
              data-rove
              tabIndex={-1}
              disabled={spot === null}
              onClick={() => spot && look.at({ ...check, spot: { ...spot, line, place: null } })}
            >{t`linha ${formatCount(line)}`}</Button>
          ))}
          {more > 0 && lines.length > 0 && <span className="mt-quiet">{t`e mais ${formatCount(more)}`}</span>}
          {sidesOf(differences).map((some, index) => (
            <Sides key={index} text={text} checks={some} />
          ))}
        </div>
      )}
    </li>
  );
}

/** What holds of all that must hold for a file to load with nobody looking. */
function HeldProofs({ proofs }: { proofs: readonly Proof[] }) {
  const held = proofs.filter((one) => one.holds);
  if (proofs.length === 0) return null;
  return (
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
  );
}

/** Return the differences that are shown together: those of the labels are seen in one line. */
function sidesOf(differences: readonly Check[]): Check[][] {
  const isOfLabels = ({ difference }: Check): boolean => difference !== undefined && ABOUT_HEADERS.has(difference.code);
  const labels = differences.filter(isOfLabels);
  const others = differences.filter((one) => !isOfLabels(one)).map((one) => [one]);
  return labels.length > 0 ? [labels, ...others] : others;
}

/** Differences side by side, under the sentence that names them: what the table remembers of its files, and this file's own line. */
function Sides({ text, checks }: { text: string; checks: readonly Check[] }) {
  const { job, recipe } = useReview();
  const known = checks.flatMap(({ difference }) => (difference ? [difference] : []));
  const spot = checks.find((one) => one.spot)?.spot ?? null;
  const table = spot ? job.reading?.tables[spot.table] : undefined;
  const { data } = useLines(job, table, spot?.line ?? 1, 1);
  const line = table && data?.lines[0]; // of no cell in particular the first line says nothing
  const isHeader = known.some(({ code }) => ABOUT_HEADERS.has(code));
  const kept = recipe?.tables.find((one) => one.sheet === table?.sheet) ?? recipe?.tables[0];
  const labels = isHeader ? (kept?.labels ?? []) : [];
  const [first] = known;
  const [was, is] =
    isHeader || !first ? ["", ""] : [wordsOf(first.code, first.before), wordsOf(first.code, first.after)];
  const pictures = known.flatMap((one) => (one.pictures ? [one.pictures] : []));
  if (!line && labels.length === 0 && !was && !is && pictures.length === 0) return null;
  const moved = known.find(({ code }) => code === "HEADER_MOVED");
  const before = known.map((one) => labels.indexOf(String(one.before)));
  const now = checks.map((one) => one.spot?.place ?? -1);
  const unsaid = (number?: number): number | undefined =>
    number === undefined || saysLine(text, number) ? undefined : number;
  return (
    <div className="mt-sides">
      <Side title={t`Antes`} line={unsaid(moved && Number(moved.before))} cells={labels} places={before} words={was} />
      <Side title={t`Agora`} line={unsaid(line?.line)} cells={line?.cells ?? []} places={now} words={is} />
      {pictures.map((one, index) => (
        <Pictures key={index} before={one.before ?? null} after={one.after} />
      ))}
    </div>
  );
}

/** A renamed column: what it held in the loads before, and below it what this file's column holds. */
function Pictures({ before, after }: { before: ShownPicture | null; after: ShownPicture }) {
  return (
    <>
      {before && (
        <p>
          <strong>{before.label}</strong>: {pictureWords(before)}
        </p>
      )}
      <p>
        <strong>{after.label}</strong>: {pictureWords(after)}
      </p>
    </>
  );
}

/** Say in short what a column holds: its type, from where to where, and how much of it is empty or negative. */
function pictureWords({ type, rows, empty, negative, least, greatest }: ShownPicture): string {
  const words = (value: typeof least): string =>
    typeof value === "number" ? formatNumber(String(value)) : formatCell(String(value), type);
  const share = (part: number): string => formatNumber((part * 100).toFixed(0));
  return [
    typeLabels()[type],
    (least ?? null) !== null && (greatest ?? null) !== null && t`de ${words(least)} a ${words(greatest)}`,
    plural(rows, "linha"),
    empty > 0 && t`${share(empty)}% vazias`,
    (negative ?? 0) > 0 && t`${share(negative ?? 0)}% negativos`,
  ]
    .filter(Boolean)
    .join(", ");
}

interface SideProps {
  title: string;
  line: number | undefined;
  cells: readonly (string | null)[];
  /** The cells that are meant; -1 is none. */
  places: readonly number[];
  words: string;
}

const SHOWN_AROUND = 2; // cells on each side of those that are meant
const SHOWN_OF_A_CELL = 40;

function Side({ title, line, cells, places, words }: SideProps) {
  const meant = places.filter((place) => place >= 0);
  const first = Math.max(Math.min(...meant, cells.length) - SHOWN_AROUND, 0) * Number(meant.length > 0);
  const last = Math.max(first + 2 * SHOWN_AROUND, ...meant);
  return (
    <p>
      <strong>{title}</strong>
      {line !== undefined && t` · linha ${formatCount(line)}`}
      {words && `: ${words}`} {first > 0 && "…"}
      {cells.slice(first, last + 1).map((cell, index) => {
        const Cell = meant.includes(first + index) ? "mark" : "span";
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
