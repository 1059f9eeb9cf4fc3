import { useLocation } from "wouter";
import type { Rule, Table } from "../api/types";
import { readView, writeView } from "../grid/view";
import { breaking, Rules } from "../rules/Rules";
import { allOf } from "../table/conditions";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";

/** All rules of a table, beside its structure. */
export function RulesSection({ table }: { table: Table }) {
  const [, navigate] = useLocation();
  const { leaveBy } = useConsole();
  const show = (rule: Rule): void => {
    const query = writeView({ ...readView(""), where: allOf([breaking(rule)]) });
    leaveBy(() => navigate(`/tabelas/${table._id}?${query}`));
  };
  return (
    <section aria-labelledby="rules-title">
      <h2 id="rules-title">{t`Regras`}</h2>
      <Rules table={table} onShow={show} />
    </section>
  );
}
