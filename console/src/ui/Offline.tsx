import { type ReactNode, useSyncExternalStore } from "react";

function subscribe(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

/** Said while the machine has no network at all. */
export function Offline(): ReactNode {
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (isOnline) return null;
  return (
    <p className="mt-note mt-note-warning mt-offline" role="alert">
      ⚠ Sem conexão: o que você vê é de antes, e nada pode ser gravado até ela voltar.
    </p>
  );
}
