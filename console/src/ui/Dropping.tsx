import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { isSending, isSent } from "../api/uploads";
import { useCaller, useUploads } from "./context";
import { t } from "./language";
import { useStore } from "./store";

/** Files dropped anywhere are taken: on a table for it, elsewhere for a new one. Says what is on its way, on any screen. */
export function Dropping(): ReactNode {
  const uploads = useUploads();
  const { can } = useCaller();
  const state = useStore(uploads.state);
  const [location, navigate] = useLocation();
  const [isOver, setOver] = useState(false);
  const take = useRef((_files: readonly File[]): void => {});
  take.current = (files) => {
    const table =
      /^\/tabelas\/([0-9a-f]{24})/.exec(location)?.[1] ?? new URLSearchParams(window.location.search).get("tabela");
    if (table) uploads.stage(files);
    else void uploads.begin(files, null, "append");
    navigate(table ? `/enviar?tabela=${table}` : "/enviar");
  };
  const isAllowed = can("upload");
  useEffect(() => {
    let leaving = 0;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // a file that nobody takes would take the page's place
      window.clearTimeout(leaving);
      leaving = window.setTimeout(() => setOver(false), 300); // it comes again and again while something is over
      setOver(isAllowed);
    };
    const drop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      if (isAllowed) take.current([...(event.dataTransfer?.files ?? [])]);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    return () => {
      window.clearTimeout(leaving);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    };
  }, [isAllowed]);
  const isSeen = isSent(state) && location === `/envios/${state.jobId}`;
  useEffect(() => {
    if (isSeen) uploads.reset();
  }, [isSeen]);
  if (isOver) return <p className="mt-over">{t`Solte os arquivos para enviar`}</p>;
  if (location === "/enviar" || location === `/envios/${state.jobId ?? ""}`) return null;
  if (isSending(state)) {
    return (
      <p className="mt-note">
        {t`Enviando arquivos…`} <Link href="/enviar">{t`Ver o envio`}</Link>
      </p>
    );
  }
  return isSent(state) ? (
    <p className="mt-note">
      {t`Arquivos enviados.`} <Link href={`/envios/${state.jobId}`}>{t`Revisar`}</Link>
    </p>
  ) : null;
}
