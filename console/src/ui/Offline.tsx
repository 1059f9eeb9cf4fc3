import { onlineManager } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useSyncExternalStore } from "react";
import { t } from "./language";

/** Said while the machine has no network at all. */
export function Offline(): ReactNode {
  const isOnline = useSyncExternalStore(onlineManager.subscribe, () => onlineManager.isOnline());
  if (isOnline) return null;
  return (
    <p className="mt-note mt-note-warning" role="alert">
      <TriangleAlert /> {t`Sem conexão: o que você vê é de antes, e nada pode ser gravado até ela voltar.`}
    </p>
  );
}
