import type { ReactNode } from "react";
import { Dialog } from "../ui/parts";

const KEYS: [string, string][] = [
  ["Setas, Home, End, Page Up, Page Down", "andar; com Ctrl até o fim; com Shift marcar"],
  ["Enter ou F2", "editar a célula; Enter grava e desce, Tab grava e vai ao lado, Esc desiste"],
  ["Alt+Enter", "quebrar a linha dentro da célula"],
  ["Delete", "esvaziar"],
  ["Ctrl+C, Ctrl+X, Ctrl+V", "copiar, recortar, colar"],
  ["Ctrl+D", "repetir para baixo o que está na primeira linha marcada"],
  ["Ctrl+A", "marcar tudo"],
  ["Ctrl+Z, Ctrl+Y", "desfazer, refazer"],
  ["Espaço", "selecionar a linha; com Shift, todas até ela"],
  ["/", "procurar"],
  ["Botão direito ou tecla de menu", "de onde veio a célula, e o que foi mudado nela"],
  ["No cabeçalho: Enter", "ordenar; com Shift, ao lado das outras ordenações"],
  ["No cabeçalho: Alt e seta para baixo", "opções da coluna"],
  ["No cabeçalho: Alt e setas aos lados", "alargar ou estreitar"],
];

export function KeysDialog({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <Dialog title="Teclas" onClose={onClose}>
      <dl className="mt-facts">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
