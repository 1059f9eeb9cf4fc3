import { t } from "../ui/language";
import { Dialog, Facts } from "../ui/parts";
import { useParts } from "./sheet";

const keys = (): [string, string][] => [
  [t`Setas, Home, End, Page Up, Page Down`, t`andar; com Ctrl até o fim; com Shift marcar`],
  [t`Enter ou F2`, t`editar a célula; Enter grava e desce, Tab grava e vai ao lado, Esc desiste`],
  ["Alt+Enter", t`quebrar a linha dentro da célula`],
  ["Delete", t`esvaziar`],
  ["Ctrl+C, Ctrl+X, Ctrl+V", t`copiar, recortar, colar`],
  ["Ctrl+D", t`repetir para baixo o que está na primeira linha marcada`],
  ["Ctrl+A", t`marcar tudo`],
  ["Ctrl+Z, Ctrl+Y", t`desfazer, refazer`],
  [t`Espaço`, t`marcar ou desmarcar a caixa; em outras células, selecionar a linha; com Shift, todas até ela`],
  [t`Clique no número da linha`, t`selecionar só ela; com Ctrl, ela também; com Shift, todas até ela`],
  ["/", t`procurar`],
  [t`Botão direito ou tecla de menu`, t`de onde veio a célula, e o que foi mudado nela`],
  [t`No cabeçalho: Enter`, t`ordenar; com Shift, ao lado das outras ordenações`],
  [t`No cabeçalho: Alt e seta para baixo`, t`opções da coluna`],
];

export function KeysDialog() {
  const { onClose } = useParts();
  return (
    <Dialog title={t`Teclas`} onClose={onClose}>
      <Facts facts={keys()} />
    </Dialog>
  );
}
