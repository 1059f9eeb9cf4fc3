import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { ColumnType, InferredColumn } from "../api/types";
import { moved } from "../grid/view";
import { t } from "../ui/language";
import { Button, Check, type Choices as Options, Radios, SelectField, TextField } from "../ui/parts";
import { type Cell, columnLetter, formatCell, isNumeric, typeLabels } from "../values/cells";
import { formatCount } from "../values/numbers";
import { marks, orders } from "../values/words";
import { type Adjustment, type ReviewedColumn, useReview } from "./draft";
import { NameAndType } from "./FileGrid";

interface ColumnPanelProps {
  column: ReviewedColumn;
  /** Where it stands in the file's lines; null where the lines shown do not reach it. */
  place: number | null;
}

/** All that is known and can be said of one column. */
export function ColumnPanel({ column: reviewed, place }: ColumnPanelProps) {
  const { job, look, columns, checks, draft, onDraft, onAdjust, can } = useReview();
  const { column, source, include, type, nullable, into, adjustment } = reviewed;
  const { inference } = column;
  const { exceptions = [], alternatives = [] } = inference ?? {};
  const adjust = (changes: Adjustment): void => onAdjust([source], changes);
  const emptied = draft.makeNullable.filter((name) => name !== reviewed.name);
  const sources = columns.map((one) => one.source);
  const move = (by: number): void => onDraft({ order: moved(sources, source, by) });
  const doubts = checks.filter((check) => check.column === column.name);
  const isStated = type !== column.type && !into;
  return (
    <section
      className="mt-panel mt-column-panel"
      aria-labelledby="panel-title"
      data-panel={column.name}
      data-open={look.isChosen}
    >
      <div className="mt-title-bar">
        <h2 id="panel-title">
          {place === null ? "" : `${columnLetter(place)} · `}
          {source}
        </h2>
        <Button className="mt-of-a-phone" onClick={() => look.select(null)}>{t`Fechar`}</Button>
      </div>
      <SelectField
        label={t`Coluna`}
        choices={columns.map((one) => [one.column.name, `${one.source}${one.include ? "" : t` (fora)`}`])}
        value={column.name}
        onChoose={look.select}
      />
      {place === null && <NameAndType column={reviewed} isTabbed />}
      <Check isChecked={include} onCheck={(isIn) => adjust({ include: isIn })}>{t`Importar esta coluna`}</Check>
      <p>
        <strong>{typeLabels()[type]}</strong>{" "}
        <span className="mt-badge">{isStated ? t`definido por você` : into ? t`o da tabela` : t`detectado`}</span>
        {isStated && (
          <Button
            kind="quiet"
            onClick={() => adjust({ type: column.type })}
          >{t`Voltar a ${typeLabels()[column.type]}`}</Button>
        )}
      </p>
      {inference?.evidence && <p className="mt-quiet">{inference.evidence}</p>}
      {doubts.map((check, index) => (
        <p key={index} className="mt-doubt">
          <TriangleAlert /> {check.text}
          {check.spot && <Button kind="quiet" onClick={() => look.at(check)}>{t`Ver a célula`}</Button>}
        </p>
      ))}
      {!into && alternatives.length > 0 && <h3>{t`Pode ser também`}</h3>}
      {alternatives
        .filter((one) => !into && one.type !== type)
        .map((one) => (
          <p key={one.type}>
            <Button onClick={() => adjust({ type: one.type })}>{typeLabels()[one.type]}</Button>{" "}
            <span className="mt-quiet">{one.reason}</span>
          </p>
        ))}
      {exceptions.length > 0 && (
        <>
          <h3>{t`Células que fogem`}</h3>
          <ul>
            {exceptions.map(({ line, sheet, value, reason }, index) => (
              <li key={index}>{t`linha ${line}${sheet ? t` de ${sheet}` : ""}: “${value ?? ""}” ${reason}`}</li>
            ))}
          </ul>
        </>
      )}
      {into ? (
        !into.nullable &&
        can("update") && (
          <Check
            isChecked={draft.makeNullable.includes(reviewed.name)}
            onCheck={(isOn) => onDraft({ makeNullable: isOn ? [...emptied, reviewed.name] : emptied })}
          >{t`Deixar a coluna da tabela aceitar células vazias`}</Check>
        )
      ) : (
        <>
          <Check
            isChecked={!nullable}
            isDisabled={adjustment.isKey === true}
            onCheck={(isRequired) => adjust({ nullable: !isRequired })}
          >{t`Obrigatória: nunca pode ficar vazia`}</Check>
          {job.user_table_id === null && (
            <>
              <Check
                isChecked={adjustment.isKey === true}
                onCheck={(isKey) => adjust({ isKey })}
              >{t`Chave: não se repete, e por ela um envio atualiza linhas`}</Check>
              <TextField
                label={t`Valor padrão`}
                hint={t`O das linhas que forem criadas sem ela`}
                value={adjustment.standard ?? ""}
                onText={(standard) => adjust({ standard })}
              />
              <div className="mt-actions">
                <Button onClick={() => move(-1)}>{t`Uma coluna antes`}</Button>
                <Button onClick={() => move(1)}>{t`Uma coluna depois`}</Button>
              </div>
            </>
          )}
        </>
      )}
      <Choices
        type={type}
        adjustment={adjustment}
        zone={job.reading?.timezone ?? ""}
        onAdjust={(said) => adjust({ ...said, ...typeBy(said, reviewed) })}
      />
      {column.profile && <Profile profile={column.profile} type={column.type} label={source} />}
    </section>
  );
}

/** Return the type that a mark makes of a column: of what was read as thousands, decimals. */
function typeBy({ decimal_mark: mark }: Adjustment, { column, type }: ReviewedColumn): Adjustment {
  const isAmbiguous = column.inference?.warnings.some(({ code }) => code === "AMBIGUOUS_MARK");
  return mark && isAmbiguous && type === "integer" ? { type: "decimal" } : {};
}

const ZONES: readonly string[] = [
  "America/Sao_Paulo",
  "America/Manaus",
  "America/Cuiaba",
  "America/Rio_Branco",
  "America/Noronha",
  "UTC",
  "Europe/Lisbon",
  "America/New_York",
];
const MOST_RADIOS = 3; // one click chooses
const trims = (): Options => [
  ["yes", t`retirar`],
  ["no", t`manter`],
];

interface ChoicesProps {
  type: ColumnType;
  adjustment: Adjustment;
  /** The zone that was taken for times without one. */
  zone: string;
  onAdjust: (changes: Adjustment) => void;
}

/** What a file's cells of this type may be read by; until a person says so, what was detected holds. */
function Choices({ type, adjustment, zone, onAdjust }: ChoicesProps) {
  const zones = [zone, ...ZONES.filter((one) => one !== zone)].map((one): [string, string] => [one, zoneLabel(one)]);
  const { trim } = adjustment;
  const choices: [is: boolean, label: string, field: keyof Adjustment, Options, value: string | undefined][] = [
    [isNumeric(type), t`Marca decimal`, "decimal_mark", marks(), adjustment.decimal_mark],
    [type === "date" || type === "datetime", t`Ordem da data`, "date_order", orders(), adjustment.date_order],
    [type === "datetime", t`Horário de`, "timezone", zones, adjustment.timezone],
    [type === "text", t`Espaços nas pontas`, "trim", trims(), trim === undefined ? undefined : trim ? "yes" : "no"],
  ];
  const words: [is: boolean, label: string, field: "true_tokens" | "false_tokens" | "null_tokens"][] = [
    [type === "boolean", t`Textos que são Sim`, "true_tokens"],
    [type === "boolean", t`Textos que são Não`, "false_tokens"],
    [true, t`Textos que são vazio`, "null_tokens"],
  ];
  return (
    <>
      {choices.map(([is, label, field, options, value = ""]) => {
        const detected = field === "timezone" ? t`${zoneLabel(zone)} (o que foi usado)` : t`como foi detectado`;
        const shared = { choices: [["", detected] as const, ...options], value };
        const onChoose = (chosen: string): void =>
          onAdjust({ [field]: field === "trim" && chosen ? chosen === "yes" : chosen || undefined });
        if (!is) return null;
        return options.length > MOST_RADIOS ? (
          <SelectField key={field} label={label} {...shared} onChoose={onChoose} />
        ) : (
          <Radios key={field} legend={label} {...shared} onChoose={onChoose} />
        );
      })}
      {words.map(
        ([is, label, field]) =>
          is && (
            <Words
              key={field}
              label={label}
              words={adjustment[field]}
              onWords={(tokens) => onAdjust({ [field]: tokens })}
            />
          ),
      )}
    </>
  );
}

function zoneLabel(zone: string): string {
  return zone
    .replace(/^.*\//, "")
    .replaceAll("_", " ")
    .replace("Sao Paulo", "São Paulo (Brasília)")
    .replace("Cuiaba", "Cuiabá")
    .replace("Lisbon", t`Lisboa`)
    .replace("New York", t`Nova York`);
}

interface WordsProps {
  label: string;
  words: readonly string[] | undefined;
  onWords: (words: readonly string[] | undefined) => void;
}

/** Words with semicolons between them; none written are those that were detected. */
function Words({ label, words, onWords }: WordsProps) {
  const [text, setText] = useState(words?.join("; ") ?? "");
  return (
    <TextField
      label={label}
      hint={t`Com ponto e vírgula entre eles; nada escrito: os detectados`}
      value={text}
      onText={(written) => {
        setText(written);
        const all = written.split(";").map((word) => word.trim());
        const kept = all.filter((word) => word !== "").slice(0, 20);
        onWords(kept.length > 0 ? kept : undefined);
      }}
    />
  );
}

interface ProfileProps {
  profile: NonNullable<InferredColumn["profile"]>;
  type: ColumnType;
  label: string;
}

/** How a column's values lie, at a glance: bars of its histogram, or its commonest values. */
function Profile({ profile, type, label }: ProfileProps) {
  const facts = [t`${formatCount(profile.empty)} vazias`, t`${formatCount(profile.distinct)} diferentes`];
  if (profile.min !== null && profile.min !== undefined) {
    facts.push(t`de ${formatCell(profile.min as Cell, type)} a ${formatCell(profile.max as Cell, type)}`);
  }
  const bars = profile.histogram.length > 0 ? profile.histogram : profile.top;
  const counts = bars.map((bar) => Number(bar.at(-1)));
  return (
    <div>
      {counts.length > 0 && (
        <div className="mt-histogram" role="img" aria-label={t`Distribuição de ${label}`}>
          {counts.map((count, index) => (
            <i key={index} style={{ height: `${(count / Math.max(...counts, 1)) * 100}%` }} />
          ))}
        </div>
      )}
      <details>
        <summary>{facts.join(" · ")}</summary>
        <ol>
          {profile.top.map(([value, count], index) => (
            <li key={index}>
              {formatCell(value as Cell, type)} <span className="mt-quiet">{formatCount(Number(count))}</span>
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

/** How much of a column is filled, empty and odd: a thin bar, told in words, too. */
export function FillBar({ profile, odd }: { profile: ProfileProps["profile"]; odd: number }) {
  const rows = Math.max(profile.rows, 1);
  const parts: [string, number][] = [
    ["mt-bar-filled", Math.max(rows - profile.empty - odd, 0)],
    ["mt-bar-odd", Math.min(odd, rows)],
    ["mt-bar-empty", profile.empty],
  ];
  const words = t`${formatCount(profile.empty)} vazias, ${formatCount(odd)} que fogem, de ${formatCount(profile.rows)}`;
  return (
    <span className="mt-fill-bar" role="img" aria-label={words} title={words}>
      {parts.map(([name, count]) => (
        <i key={name} className={name} style={{ flexGrow: count }} />
      ))}
    </span>
  );
}
