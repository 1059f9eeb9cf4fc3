import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "./language";

export function Steps({ now }: { now: 1 | 2 | 3 }): ReactNode {
  return (
    <ol className="mt-steps mt-actions mt-quiet" aria-label={t`Etapas`}>
      {[t`Enviar`, t`Revisar`, t`Importar`].map((name, index) => (
        <li key={name} {...(index + 1 === now ? { "aria-current": "step" as const } : {})}>
          {index + 1 < now ? <Check /> : `${index + 1}.`} {name}
        </li>
      ))}
    </ol>
  );
}
