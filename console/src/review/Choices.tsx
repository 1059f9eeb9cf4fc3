import { type ReactNode, useState } from "react";
import type { ColumnType } from "../api/types";
import { type Choices as Options, Radios, SelectField, TextField } from "../ui/fields";
import { t } from "../ui/language";
import { isNumeric } from "../values/cells";
import { marks, orders } from "../values/words";
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
export function Choices({ type, adjustment, zone, onAdjust }: ChoicesProps): ReactNode {
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
function Words({ label, words, onWords }: WordsProps): ReactNode {
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
