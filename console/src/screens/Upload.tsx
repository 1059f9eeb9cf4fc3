import { useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { EXTENSIONS, isSending, isSent, type Mode, type UploadQueue, type UploadState } from "../api/uploads";
import { useConsole, useRecipe, useTable } from "../ui/context";
import { t } from "../ui/language";
import { Button, Failure, ProgressBar, Radios, Steps } from "../ui/parts";
import { useStore } from "../ui/store";
import { formatBytes } from "../values/numbers";
import { modes } from "../values/words";
import { SampleFile } from "./SampleFile";

/** Files straight to the bucket, a bar each; then the review. */
export default function Upload() {
  const table = new URLSearchParams(useSearch()).get("tabela") || null;
  const [, navigate] = useLocation();
  const { announce, uploads } = useConsole();
  const queries = useQueryClient();
  const state = useStore(uploads.state);
  const target = useTable(table ?? "", table !== null);
  const recipe = useRecipe(table ?? "", table !== null).data;
  const [chosen, setMode] = useState<Mode>();
  const mode = chosen ?? (recipe?.auto_confirm === "unchanged" ? recipe.mode : undefined); // nobody is asked later
  const begin = (files: readonly File[]): void => void uploads.begin(files, table, mode);
  const isDone = isSent(state);
  useEffect(() => {
    if (!isDone || !state.jobId) return;
    announce(t`Arquivos enviados`);
    void queries.invalidateQueries({ queryKey: ["/upload-jobs"] });
    navigate(`/envios/${state.jobId}`, { replace: true }); // there it is done with
  }, [isDone]);
  return (
    <section aria-labelledby="upload-title">
      <h1 id="upload-title">{t`Enviar arquivo`}</h1>
      <Steps now={1} />
      {table && (
        <>
          <Radios
            legend={t`Para a tabela ${target.data?.title || target.data?.display_name || "…"}`}
            choices={target.data?.key ? modes() : modes().slice(0, 2)}
            value={mode ?? "append"}
            onValue={setMode}
          />
          <p className="mt-quiet">
            {t`De uma planilha exportada para editar entra só o que mudou nela, e você vê antes o que muda.`}
          </p>
        </>
      )}
      {state.failure !== null && (
        <Failure error={state.failure} onRetry={state.staged.length > 0 ? () => begin(state.staged) : null} />
      )}
      {state.staged.length > 0 && (
        <div className="mt-actions">
          <Button kind="primary" onClick={() => begin(state.staged)}>
            {t`Enviar`} {state.staged.map((file) => file.name).join(", ")}
          </Button>
          <Button onClick={() => uploads.stage([])}>{t`Não enviar`}</Button>
        </div>
      )}
      {state.files.length === 0 ? (
        <DropZone disabled={state.isDeclaring} onFiles={begin}>
          {table === null && <SampleFile />}
        </DropZone>
      ) : (
        <Bars uploads={uploads} state={state} />
      )}
    </section>
  );
}

interface DropZoneProps {
  onFiles: (files: File[]) => void;
  disabled: boolean;
  children: ReactNode;
}

function DropZone({ onFiles, disabled, children }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="mt-drop">
      <p>
        {t`Arraste arquivos para qualquer lugar da página ou`}{" "}
        <Button
          kind="primary"
          disabled={disabled}
          onClick={() => input.current?.click()}
        >{t`escolha no computador`}</Button>
      </p>
      <p className="mt-quiet">{t`CSV, XLSX, XLS, ODS, JSON, Parquet ou ZIP · até 10 arquivos de uma mesma tabela`}</p>
      {children}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t`Arquivos`}
        accept={EXTENSIONS.map((name) => `.${name}`).join(",")}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </div>
  );
}

function Bars({ uploads, state }: { uploads: UploadQueue; state: UploadState }) {
  return (
    <>
      <ul className="mt-bars">
        {state.files.map((one, index) => (
          <li key={one.file.name}>
            <ProgressBar
              label={`${one.file.name} (${formatBytes(one.file.size)})`}
              percent={one.file.size ? (one.sent / one.file.size) * 100 : 0}
            />
            {one.reason && (
              <p className="mt-field-error" role="alert">
                <TriangleAlert /> {one.reason}
              </p>
            )}
            {one.state === "sending" && (
              <Button kind="quiet" about={one.file.name} onClick={() => uploads.abort(index)}>{t`Interromper`}</Button>
            )}
            {one.state === "failed" && (
              <Button about={one.file.name} onClick={() => uploads.retry(index)}>{t`Tentar de novo`}</Button>
            )}
          </li>
        ))}
      </ul>
      {!isSending(state) && <Button onClick={uploads.reset}>{t`Começar de novo`}</Button>}
    </>
  );
}
