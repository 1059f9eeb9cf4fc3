import type { Rule } from "../api/types";
import { breaking, Rules } from "../rules/Rules";
import { columnOf } from "../table/columns";
import { allOf, filtersOf } from "../table/conditions";
import { t } from "../ui/language";
import { Dialog } from "../ui/parts";
import { useParts } from "./sheet";

/** The rules of a column of the grid. */
export function RulesDialog({ name }: { name: string }) {
  const { table, view, onView, onClose } = useParts();
  const show = (rule: Rule): void => {
    onView({ where: allOf([...filtersOf(view.where), breaking(rule)]) });
    onClose();
  };
  return (
    <Dialog title={t`Regras de ${columnOf(table, name).display_name}`} onClose={onClose}>
      <Rules table={table} column={name} onShow={show} />
    </Dialog>
  );
}
