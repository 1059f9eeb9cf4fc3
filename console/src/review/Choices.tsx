import { type ReactNode, useState } from "react";
import type { ColumnType } from "../api/types";
import { type Choices as Options, SelectField, TextField } from "../ui/fields";
import { MARKS, ORDERS } from "../values/words";
import type { Adjustment } from "./adjustments";

export const ZONES: readonly string[] = [
  "America/Sao_Paulo",
  "America/Manaus",
  "America/Cuiaba",
  "America/Rio_Branco",
  "America/Noronha",
  "UTC",
  "Europe/Lisbon",
  "America/New_York",
];
const TRIMS: [string, string][] = [
  ["yes", "retirar"],
  ["no", "manter"],
];

interface ChoicesProps {
  type: ColumnType;
  adjustment: Adjustment;
  /** The zone that was taken for times without one. */
  zone: string;
  onAdjust: (changes: Adjustment) => void;
}

/** What a file's cells of this type may be read by; until a person says so, what was detected holds. */
export function Choices({ type, adjustment, zone, onAdjust }: ChoicesProps): ReactNode {
  const zones = [zone, ...ZONES.filter((one) => one !== zone)].map((one): [string, string] => [one, zoneLabel(one)]);
  return (
    <>
      {(type === "decimal" || type === "integer") && (
        <Choice
          label="Marca decimal"
          choices={MARKS}
          value={adjustment.decimal_mark}
          onChoose={(value) => onAdjust({ decimal_mark: value as Adjustment["decimal_mark"] })}
        />
      )}
      {(type === "date" || type === "datetime") && (
        <Choice
          label="Ordem da data"
          choices={ORDERS}
          value={adjustment.date_order}
          onChoose={(value) => onAdjust({ date_order: value as Adjustment["date_order"] })}
        />
      )}
      {type === "datetime" && (
        <Choice
          label="Horário de"
          detected={`${zoneLabel(zone)} (o que foi usado)`}
          choices={zones}
          value={adjustment.timezone}
          onChoose={(timezone) => onAdjust({ timezone })}
        />
      )}
      {type === "boolean" && (
        <>
          <Words
            label="Textos que são Sim"
            words={adjustment.true_tokens}
            onWords={(true_tokens) => onAdjust({ true_tokens })}
          />
          <Words
            label="Textos que são Não"
            words={adjustment.false_tokens}
            onWords={(false_tokens) => onAdjust({ false_tokens })}
          />
        </>
      )}
      <Words
        label="Textos que são vazio"
        words={adjustment.null_tokens}
        onWords={(null_tokens) => onAdjust({ null_tokens })}
      />
      {type === "text" && (
        <Choice
          label="Espaços nas pontas"
          choices={TRIMS}
          value={adjustment.trim === undefined ? undefined : adjustment.trim ? "yes" : "no"}
          onChoose={(value) => onAdjust({ trim: value === undefined ? undefined : value === "yes" })}
        />
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
    .replace("Lisbon", "Lisboa")
    .replace("New York", "Nova York");
}

interface ChoiceProps {
  label: string;
  detected?: string;
  choices: Options;
  value: string | undefined;
  onChoose: (value: string | undefined) => void;
}

function Choice({ label, detected = "como foi detectado", choices, value, onChoose }: ChoiceProps): ReactNode {
  const all: Options = [["", detected], ...choices];
  return (
    <SelectField label={label} choices={all} value={value ?? ""} onChoose={(chosen) => onChoose(chosen || undefined)} />
  );
}

interface WordsProps {
  label: string;
  words: readonly string[] | undefined;
  onWords: (words: readonly string[] | undefined) => void;
}

/** Words with semicolons between them; none written are those that were detected. */
function Words({ label, words, onWords }: WordsProps): ReactNode {
  const [text, setText] = useState(words?.join("; ") ?? "");
  return (
    <TextField
      label={label}
      hint="Com ponto e vírgula entre eles; nada escrito: os detectados"
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
