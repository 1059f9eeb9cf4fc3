import { useState } from "react";
import type { Rule, Table } from "../api/types";
import { columnOf } from "../table/columns";
import { t } from "../ui/language";
import { Alert, Check, Dialog, Failure, Radios, SelectField, TextField } from "../ui/parts";
import { fieldsOf } from "../ui/store";
import { showCell } from "../values/cells";
import { plural } from "../values/numbers";
import { draftOf, kindsOf, newDraft, type RuleDraft, ruleOf } from "./draft";
import { KindFields } from "./KindFields";
import { useBroken, useSaveRules, withRule } from "./keeping";
import { kindLabels, severityLabels } from "./words";

interface RuleFormProps {
  table: Table;
  /** The column that a new one is of at first. */
  column: string;
  /** Whether it is of that column whatever else is said. */
  isOfOne: boolean;
  /** The one that is changed. */
  rule?: Rule;
  onClose: () => void;
}

/** A rule to be written, with the rows that it would find wrong: before it holds, and not after. */
export function RuleForm({ table, column, isOfOne, rule, onClose }: RuleFormProps) {
  const [draft, setDraft] = useState(() => (rule ? draftOf(rule, table) : newDraft(table, column)));
  const [isTried, setTried] = useState(false);
  const change = (changes: Partial<RuleDraft>): void => setDraft({ ...draft, ...changes });
  const field = fieldsOf(draft, change);
  const made = ruleOf(draft, table, rule);
  const save = useSaveRules(table, onClose);
  const kinds = kindsOf(table, draft.column);
  const submit = (): void => {
    setTried(true);
    if (typeof made !== "string") save.mutate((rules) => withRule(rules, made));
  };
  return (
    <Dialog
      title={rule ? t`Mudar a regra` : t`Nova regra`}
      onClose={onClose}
      keep={t`Voltar`}
      isAsking
      onSubmit={submit}
      yes={save.isPending ? t`Gravando…` : t`Gravar a regra`}
      isBusy={save.isPending}
    >
      {!isOfOne && (
        <SelectField
          label={t`Coluna`}
          choices={table.columns.map((one) => [one.name, one.display_name])}
          value={draft.column}
          onValue={(name) => setDraft({ ...newDraft(table, name), severity: draft.severity, message: draft.message })}
        />
      )}
      <SelectField
        label={t`O que vale`}
        choices={kinds.map((kind) => [kind, kindLabels()[kind]] as const)}
        {...field("kind")}
      />
      <KindFields table={table} value={draft} onValue={setDraft} />
      {isTried && typeof made === "string" && <Alert>{made}</Alert>}
      <Radios legend={t`O que não a segue`} choices={severityLabels()} {...field("severity")} />
      {typeof made !== "string" && <Broken table={table} rule={made} />}
      {draft.severity === "refuse" && draft.kind !== "unique" && (
        <Check {...field("forNew")}>{t`Valer só para o que for gravado de agora em diante`}</Check>
      )}
      <TextField
        label={t`O que dizer a quem a quebra`}
        hint={t`Sem isto, uma frase pronta`}
        maxLength={500}
        {...field("message")}
      />
      {save.error && <Failure error={save.error} />}
    </Dialog>
  );
}

const SHOWN_EXAMPLES = 3;

/** How many of today's rows a rule would find wrong, and the first of them. */
function Broken({ table, rule }: { table: Table; rule: Rule }) {
  const { data, error } = useBroken(table, [rule]);
  const [check] = data ?? [];
  if (error) return <Failure error={error} />;
  if (!check) return <p role="status">{t`Contando as linhas que a quebram…`}</p>;
  const { broken, rows, examples } = check;
  if (broken === 0) return <p role="status">{t`Nenhuma de ${plural(rows, "linha")} de hoje a quebra`}</p>;
  const [name = ""] = rule.columns;
  const shown = examples.slice(0, SHOWN_EXAMPLES).map((row) => `“${showCell(row[name], columnOf(table, name))}”`);
  return (
    <p role="status" className="mt-note mt-note-warning">
      {t`${plural(broken, "linha a quebra", "linhas a quebram")}, de ${plural(rows, "linha")}: ${shown.join(", ")}`}
    </p>
  );
}
