import type { ReactNode } from "react";
import { t } from "./language";

export function Steps({ now }: { now: 1 | 2 | 3 }): ReactNode {
  return (
    <ol className="mt-steps" aria-label={t`Etapas`}>
      {[t`Enviar`, t`Revisar`, t`Importar`].map((name, index) => (
        <li key={name} {...(index + 1 === now ? { "aria-current": "step" as const } : {})}>
          {index + 1 < now ? "✓ " : `${index + 1}. `}
          {name}
        </li>
      ))}
    </ol>
  );
}
