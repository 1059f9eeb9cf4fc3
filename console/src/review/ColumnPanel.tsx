import type { Cell, ColumnType, InferredColumn } from "../api/types";
import { roving } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Check, type Choices, Radios, Select, SelectField, TextField, TypeIcon } from "../ui/parts";
import { type Edited, fieldsOf } from "../ui/store";
import { columnLetter, formatCell, typeChoices, typeLabels } from "../values/cells";
import { formatCount } from "../values/numbers";
import { marks, orders, wordOf } from "../values/words";
import { type Adjustment, HOW, type ReviewedColumn, useReview } from "./draft";

/** All that is known and can be said of one column. */
export function ColumnPanel({ column: reviewed }: { column: ReviewedColumn }) {
  const { look, columns, places, onAdjust } = useReview();
  const { column, source, include, type, into } = reviewed;
  const { evidence, exceptions = [], alternatives = [] } = column.inference ?? {};
  const place = places.get(column.name); // none where the lines that are shown do not reach it
  const adjust = (changes: Adjustment): void => onAdjust([source], changes);
  const detected = { type: column.type, reason: t`detectado` };
  const others = into ? [] : [detected, ...alternatives].filter((one) => one.type !== type);
  return (
    <section
      className="mt-column-panel"
      aria-labelledby="panel-title"
      data-panel={column.name}
      data-open={look.isChosen}
    >
      <h2 id="panel-title" className="mt-hidden">
        {place === undefined ? "" : `${columnLetter(place)} · `}
        {source}
      </h2>
      <div className="mt-inline">
        <Select
          aria-label={t`Coluna`}
          choices={columns.map((one) => [one.column.name, titleOf(one, places.get(one.column.name))])}
          value={column.name}
          onValue={look.select}
        />
        <Button className="mt-of-a-phone" onClick={() => look.select(null)}>{t`Fechar`}</Button>
      </div>
      {place === undefined && <NameAndType column={reviewed} isTabbed />}
      <Check value={include} onValue={(isIn) => adjust({ include: isIn })}>{t`Importar esta coluna`}</Check>
      <p>
        <strong>{typeLabels()[type]}</strong>{" "}
        <span className="mt-badge">
          {into ? t`o da tabela` : type === column.type ? t`detectado` : t`definido por você`}
        </span>
      </p>
      {evidence && <p className="mt-quiet">{evidence}</p>}
      {others.length > 0 && <h3>{t`Pode ser também`}</h3>}
      {others.map((one) => (
        <p key={one.type}>
          <Button onClick={() => adjust({ type: one.type })}>{typeLabels()[one.type]}</Button>{" "}
          <span className="mt-quiet">{one.reason}</span>
        </p>
      ))}
      {exceptions.length > 0 && <h3>{t`Células que fogem`}</h3>}
      {exceptions.map(({ line, sheet, value, reason }, index) => (
        <p key={index}>{t`linha ${line}${sheet ? t` de ${sheet}` : ""}: “${value ?? ""}” ${reason}`}</p>
      ))}
      <Rules column={reviewed} onAdjust={adjust} />
      <Reading column={reviewed} onAdjust={adjust} />
      {column.profile && <Profile profile={column.profile} type={column.type} label={source} />}
    </section>
  );
}

function titleOf({ source, include }: ReviewedColumn, place: number | undefined): string {
  return `${place === undefined ? "" : `${columnLetter(place)} · `}${source}${include ? "" : t` (fora)`}`;
}

interface NameAndTypeProps {
  column: ReviewedColumn;
  /** Whether Tab stops at its fields. */
  isTabbed: boolean;
}

/** What a column is called and of which type it is; or which of the table's columns it feeds. */
export function NameAndType({ column: reviewed, isTabbed }: NameAndTypeProps) {
  const { targets, onAdjust } = useReview();
  const { column, source, name, type, into, include, adjustment } = reviewed;
  const tabIndex = isTabbed ? 0 : -1;
  const said = readingWords(adjustment);
  return (
    <div className="mt-head-fields">
      {targets.length > 0 && (
        <Select
          aria-label={t`Coluna da tabela para ${source}`}
          tabIndex={tabIndex}
          choices={[
            ...targets.map((target) => [target.name, target.display_name ?? target.name] as const),
            ["new", t`+ coluna nova`],
            ["out", t`não importar`],
          ]}
          value={include ? (into?.name ?? "new") : "out"}
          onValue={(value) => {
            const isOut = value === "out";
            onAdjust([source], isOut ? { include: false } : { include: true, into: value === "new" ? null : value });
          }}
        />
      )}
      {into ? (
        <span className="mt-quiet">
          <TypeIcon type={type} /> {typeLabels()[type]}
        </span>
      ) : (
        <>
          <input
            aria-label={t`Nome de ${source}`}
            tabIndex={tabIndex}
            value={adjustment.name ?? name}
            spellCheck={false}
            onChange={(event) => onAdjust([source], { name: event.target.value })}
          />
          <Select
            aria-label={t`Tipo de ${source}${type === column.type ? "" : t`, definido por você`}`}
            tabIndex={tabIndex}
            choices={typeChoices()}
            value={type}
            onValue={(next) => onAdjust([source], { type: next })}
          />
        </>
      )}
      {said && <span className="mt-quiet">{said}</span>}
    </div>
  );
}

/** How a person says that the cells are read, in short. */
function readingWords({ decimal_mark: mark, date_order: order, timezone: zone }: Adjustment): string {
  const said = [mark && wordOf(marks(), mark), order && wordOf(orders(), order), zone && wordOf(zones(), zone)];
  return said.filter(Boolean).join(" · ");
}

interface PartProps {
  column: ReviewedColumn;
  onAdjust: (changes: Adjustment) => void;
}

/** What the table's column takes, and where it stands in a new table. */
function Rules({ column: { name, source, nullable, into, adjustment }, onAdjust }: PartProps) {
  const { job, columns, draft, onDraft, can } = useReview();
  const said = { isKey: false, standard: "", ...adjustment };
  const field = fieldsOf(said, onAdjust);
  if (into) {
    const others = draft.makeNullable.filter((one) => one !== name);
    if (into.nullable || !can("update")) return null;
    return (
      <Check
        value={draft.makeNullable.includes(name)}
        onValue={(isOn) => onDraft({ makeNullable: isOn ? [...others, name] : others })}
      >{t`Deixar a coluna da tabela aceitar células vazias`}</Check>
    );
  }
  const sources = columns.map((one) => one.source);
  const place = sources.indexOf(source);
  const move = (by: number): void =>
    onDraft({ order: sources.toSpliced(place, 1).toSpliced(Math.max(place + by, 0), 0, source) });
  return (
    <>
      <Check
        value={!nullable}
        disabled={said.isKey}
        onValue={(isRequired) => onAdjust({ nullable: !isRequired })}
      >{t`Obrigatória: nunca pode ficar vazia`}</Check>
      {job.user_table_id === null && (
        <>
          <Check {...field("isKey")}>{t`Chave: não se repete, e por ela um envio atualiza linhas`}</Check>
          <TextField label={t`Valor padrão`} hint={t`O das linhas que forem criadas sem ela`} {...field("standard")} />
          <div className="mt-actions" {...roving}>
            <Button data-rove onClick={() => move(-1)}>{t`Uma coluna antes`}</Button>
            <Button data-rove tabIndex={-1} onClick={() => move(1)}>{t`Uma coluna depois`}</Button>
          </div>
        </>
      )}
    </>
  );
}

const zones = (): Choices => [
  ["America/Sao_Paulo", "São Paulo (Brasília)"],
  ["America/Manaus", "Manaus"],
  ["America/Cuiaba", "Cuiabá"],
  ["America/Rio_Branco", "Rio Branco"],
  ["America/Noronha", "Noronha"],
  ["UTC", "UTC"],
  ["Europe/Lisbon", t`Lisboa`],
  ["America/New_York", t`Nova York`],
];
const MOST_RADIOS = 3; // one click chooses

/** What a file's cells of this type may be read by; until a person says so, what was detected holds. */
function Reading({ column: { column, type, adjustment }, onAdjust }: PartProps) {
  const { job } = useReview();
  const zone = job.reading?.timezone ?? ""; // that was taken for times without one
  const trims: Choices = [
    ["true", t`retirar`],
    ["false", t`manter`],
  ];
  const isAmbiguous = column.inference?.warnings.some(({ code }) => code === "AMBIGUOUS_MARK");
  const choices: [label: string, field: keyof typeof HOW, Choices][] = [
    [t`Marca decimal`, "decimal_mark", marks()],
    [t`Ordem da data`, "date_order", orders()],
    [t`Horário de`, "timezone", zones()],
    [t`Espaços nas pontas`, "trim", trims],
  ];
  const words: [label: string, field: "true_tokens" | "false_tokens" | "null_tokens"][] = [
    [t`Textos que são Sim`, "true_tokens"],
    [t`Textos que são Não`, "false_tokens"],
    [t`Textos que são vazio`, "null_tokens"],
  ];
  const isOfType = ([, field]: readonly [string, keyof typeof HOW, ...unknown[]]): boolean => HOW[field](type);
  const choose = (field: keyof Adjustment, value: string): void => {
    const said = { [field]: field === "trim" && value ? value === "true" : value || null };
    const isDecimal = field === "decimal_mark" && value && isAmbiguous && type === "integer"; // not thousands, then
    onAdjust(isDecimal ? { ...said, type: "decimal" } : said);
  };
  return (
    <>
      {choices.filter(isOfType).map(([label, field, options]) => {
        const detected = field === "timezone" ? t`${wordOf(zones(), zone)} (o que foi usado)` : t`como foi detectado`;
        const shared = {
          choices: [["", detected] as const, ...options],
          value: String(adjustment[field] ?? ""),
          onValue: (value: string) => choose(field, value),
        };
        if (options.length > MOST_RADIOS) return <SelectField key={field} label={label} {...shared} />;
        return <Radios key={field} legend={label} {...shared} />;
      })}
      {words.filter(isOfType).map(([label, field]) => (
        <Words
          key={field}
          label={label}
          value={adjustment[field] ?? []}
          onValue={(tokens) => onAdjust({ [field]: tokens.length > 0 ? tokens : null })}
        />
      ))}
    </>
  );
}

/** Words with semicolons between them; none written are those that were detected. */
function Words({ label, value, onValue }: { label: string } & Edited<readonly string[]>) {
  return (
    <TextField
      label={label}
      hint={t`Com ponto e vírgula entre eles; nada escrito: os detectados`}
      defaultValue={value.join("; ")}
      onValue={(written) => {
        const all = written.split(";").map((word) => word.trim());
        onValue(all.filter((word) => word !== "").slice(0, 20));
      }}
    />
  );
}

type ColumnProfile = NonNullable<InferredColumn["profile"]>;

/** How a column's values lie, at a glance: bars of its histogram, or of its commonest values. */
function Profile({ profile, type, label }: { profile: ColumnProfile; type: ColumnType; label: string }) {
  const { empty, distinct, min, max, histogram, top } = profile;
  const facts = [t`${formatCount(empty)} vazias`, t`${formatCount(distinct)} diferentes`];
  if ((min ?? null) !== null) facts.push(t`de ${formatCell(min as Cell, type)} a ${formatCell(max as Cell, type)}`);
  const counts = (histogram.length > 0 ? histogram : top).map((bar) => Number(bar.at(-1)));
  return (
    <>
      <div className="mt-histogram" role="img" aria-label={t`Distribuição de ${label}`}>
        {counts.map((count, index) => (
          <i key={index} style={{ height: `${(count / Math.max(...counts, 1)) * 100}%` }} />
        ))}
      </div>
      <p>{facts.join(" · ")}</p>
    </>
  );
}

/** How much of a column is filled, empty and odd: a thin bar, told in words, too. */
export function FillBar({ profile: { rows, empty }, odd }: { profile: ColumnProfile; odd: number }) {
  const words = t`${formatCount(empty)} vazias, ${formatCount(odd)} que fogem, de ${formatCount(rows)}`;
  const share = (count: number): string => `0 0 ${(100 * count) / Math.max(rows, 1)}%`;
  return (
    <span className="mt-fill-bar" role="img" aria-label={words} title={words}>
      <i style={{ flex: share(Math.max(rows - empty - odd, 0)) }} />
      <i className="mt-bar-odd" style={{ flex: share(odd) }} />
    </span>
  );
}
