import { Lightbulb } from "lucide-react";
import { useState } from "react";
import type { Proposal, Table } from "../api/types";
import { useConsole, useGet } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Pending } from "../ui/parts";
import { plural } from "../values/numbers";
import { useSaveRules, useTables, withRule } from "./keeping";
import { ruleWords } from "./words";

/** What the rows keep without being asked to: shown when it is wanted, for it is sought over many rows. */
export function Proposals({ table, column }: { table: Table; column?: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t`Regras que os dados já seguem`}</summary>
      {isOpen && <Cards table={table} {...(column === undefined ? {} : { column })} />}
    </details>
  );
}

function Cards({ table, column }: { table: Table; column?: string }) {
  const { can } = useConsole();
  const found = useGet(
    "/{table_id}/rules/proposals",
    { path: { table_id: table._id } },
    { enabled: can("data-read"), retry: false },
  );
  const all = found.data?.records ?? [];
  const tables = useTables(all.some(({ rule }) => rule.kind === "in_table"));
  if (!found.data) return <Pending query={found} label={t`Procurando regras`} />;
  const shown = all.filter(({ rule }) => column === undefined || rule.columns.includes(column));
  if (shown.length === 0) return <p className="mt-quiet">{t`Nada a propor por enquanto: vem com mais envios.`}</p>;
  return (
    <ul className="mt-columns">
      {shown.map((proposal) => (
        <Card
          key={JSON.stringify([proposal.rule.kind, proposal.rule.columns])}
          table={table}
          proposal={proposal}
          words={ruleWords(proposal.rule, table, tables)}
        />
      ))}
    </ul>
  );
}

/** One proposal with its grounds: it holds for nobody before somebody accepts it. */
function Card({ table, proposal, words }: { table: Table; proposal: Proposal; words: string }) {
  const { api, announce } = useConsole();
  const save = useSaveRules(table, () => announce(t`Regra gravada`));
  const dismiss = (): Promise<unknown> =>
    api.POST("/{table_id}/rules/proposals/dismiss", {
      path: { table_id: table._id },
      body: { rule: proposal.rule },
    });
  return (
    <li className="mt-panel">
      <p>
        <strong>
          <Lightbulb /> {words}
        </strong>
      </p>
      <p className="mt-quiet">{proposal.evidence}</p>
      <p className="mt-quiet">{t`Vale em ${plural(proposal.rows, "linha")}, de ${plural(proposal.loads, "envio")}`}</p>
      <div className="mt-actions">
        <Ask
          label={t`Aceitar`}
          about={words}
          kind="plain"
          onGo={() => save.mutateAsync((rules) => withRule(rules, proposal.rule))}
        />
        <Ask label={t`Dispensar`} about={words} onGo={dismiss} />
      </div>
    </li>
  );
}
