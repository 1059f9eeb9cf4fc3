import { useState } from "react";
import type { Rule, RuleCheck, Table } from "../api/types";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Failure } from "../ui/parts";
import { plural } from "../values/numbers";
import { useBroken, useSaveRules, useTables } from "./keeping";
import { Proposals } from "./Proposals";
import { RuleForm } from "./RuleForm";
import { ruleWords } from "./words";

/** The condition of the rows that break a rule. */
export const breaking = ({ id = "" }: Rule) => ({ rule: id, op: "breaks" as const });

interface RulesProps {
  table: Table;
  /** The column that they are of; without it, all of them. */
  column?: string;
  onShow: (rule: Rule) => void;
}

/** What is right in a table, in sentences, how many rows break it, and the ways to say otherwise. */
export function Rules({ table, column, onShow }: RulesProps) {
  const { can, leaveBy } = useConsole();
  const [written, setWritten] = useState<Rule | "new" | null>(null);
  const rules = table.rules.filter(({ columns }) => column === undefined || columns.includes(column));
  const tables = useTables(rules.some(({ kind }) => kind === "in_table"));
  const broken = useBroken(table, rules);
  const isChangeable = can("update") && table.status === "active";
  const write = (rule: Rule | "new"): void => leaveBy(() => setWritten(rule)); // a form around asks, and is read again
  return (
    <>
      {rules.length === 0 && <p className="mt-quiet">{t`Ainda não há regras: tudo o que serve para o tipo entra.`}</p>}
      {broken.error && <Failure error={broken.error} onRetry={() => void broken.refetch()} />}
      <ul className="mt-list">
        {rules.map((rule, index) => (
          <RuleItem
            key={rule.id}
            table={table}
            rule={rule}
            words={ruleWords(rule, table, tables)}
            check={broken.data?.[index]}
            onShow={onShow}
            onWrite={isChangeable ? write : null}
          />
        ))}
      </ul>
      {isChangeable && <Button onClick={() => write("new")}>{t`Acrescentar regra`}</Button>}
      {isChangeable && <Proposals table={table} {...(column === undefined ? {} : { column })} />}
      {written && (
        <RuleForm
          table={table}
          column={column ?? table.columns[0]?.name ?? ""}
          isOfOne={column !== undefined}
          {...(written === "new" ? {} : { rule: written })}
          onClose={() => setWritten(null)}
        />
      )}
    </>
  );
}

interface RuleItemProps extends Pick<RulesProps, "table" | "onShow"> {
  rule: Rule;
  words: string;
  check: RuleCheck | undefined;
  /** Null where it may not be changed. */
  onWrite: ((rule: Rule) => void) | null;
}

function RuleItem({ table, rule, words, check, onShow, onWrite }: RuleItemProps) {
  const save = useSaveRules(table);
  const remove = (): Promise<unknown> => save.mutateAsync((rules) => rules.filter(({ id }) => id !== rule.id));
  return (
    <li>
      <p>
        {words}{" "}
        <span className="mt-badge">
          {rule.severity === "warn" ? t`só marca` : rule.for_new ? t`recusa o que é novo` : t`recusa`}
        </span>
      </p>
      {rule.message && <p className="mt-quiet">{t`Diz: “${rule.message}”`}</p>}
      <div className="mt-actions">
        {check && check.broken > 0 ? (
          <Button kind="quiet" onClick={() => onShow(rule)}>
            {t`Ver ${plural(check.broken, "linha que a quebra", "linhas que a quebram")}`}
          </Button>
        ) : (
          check && <span className="mt-quiet">{t`Nenhuma linha a quebra`}</span>
        )}
        {onWrite && <Button kind="quiet" about={words} onClick={() => onWrite(rule)}>{t`Mudar`}</Button>}
        {onWrite && (
          <Ask label={t`Tirar`} about={words} title={t`Tirar esta regra?`} yes={t`Tirar a regra`} onGo={remove}>
            <p>{words}</p>
            <p>{t`Depois disso entra também o que ela não deixava entrar. As linhas ficam como estão.`}</p>
          </Ask>
        )}
      </div>
    </li>
  );
}
