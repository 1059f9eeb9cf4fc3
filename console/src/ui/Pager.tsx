import type { ReactNode } from "react";
import { formatCount } from "../values/numbers";
import { Button } from "./parts";

export interface PagerProps {
  page: number;
  perPage: number;
  total: number;
  onPage: (page: number) => void;
}

export function Pager({ page, perPage, total, onPage }: PagerProps): ReactNode {
  const last = Math.max(Math.ceil(total / perPage), 1);
  if (last === 1) return null;
  const first = (page - 1) * perPage + 1;
  return (
    <nav className="mt-pager" aria-label="Páginas">
      <Button disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Anterior
      </Button>
      <span>
        {formatCount(first)}–{formatCount(Math.min(page * perPage, total))} de {formatCount(total)}
      </span>
      <Button disabled={page >= last} onClick={() => onPage(page + 1)}>
        Próxima
      </Button>
    </nav>
  );
}
