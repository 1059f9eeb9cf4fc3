import type { ReactNode } from "react";
import { ExportList } from "../grid/ExportList";
import { t } from "../ui/language";

/** Every export of the company, newest first. */
export default function Exports(): ReactNode {
  return (
    <section aria-labelledby="exports-title">
      <h1 id="exports-title">{t`Arquivos exportados`}</h1>
      <ExportList tableId={null} />
    </section>
  );
}
