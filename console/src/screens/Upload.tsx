import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { useTable } from "../api/queries";
import { answered } from "../api/session";
import { type PresignedPost, postFile, UploadFailure } from "../api/upload";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Failure, ProgressBar } from "../ui/parts";
import { Steps } from "../ui/Steps";
import { formatBytes } from "../values/numbers";

const MAX_FILES = 10;
const MAX_BYTES = 100 * 1024 * 1024;
const EXTENSIONS = ["csv", "txt", "tsv", "xlsx", "xlsm", "xls", "ods", "zip"];
const AT_ONCE = 2;

interface Sending {
  file: File;
  post: PresignedPost;
  sent: number;
  state: "waiting" | "sending" | "sent" | "failed" | "aborted";
  reason?: string;
  expired?: boolean;
}

type Mode = "append" | "replace" | "upsert";

/** Files straight to the bucket, a bar each; then the review. */
export default function Upload(): ReactNode {
  const table = new URLSearchParams(useSearch()).get("tabela");
  const [, navigate] = useLocation();
  const uploads = useUploads(table, (job) => navigate(`/envios/${job}`, { replace: true }));
  const [mode, setMode] = useState<Mode>("append");
  return (
    <section aria-labelledby="upload-title">
      <h1 id="upload-title">Enviar arquivo</h1>
      <Steps now={1} />
      {table && <TargetTable tableId={table} mode={mode} onMode={setMode} />}
      {uploads.problem && (
        <p className="mt-note mt-note-error" role="alert">
          ⚠ {uploads.problem}
        </p>
      )}
      {uploads.failure !== null && <Failure error={uploads.failure} />}
      {uploads.files.length === 0 ? (
        <DropZone disabled={uploads.isDeclaring} onFiles={(files) => void uploads.begin(files, mode)} />
      ) : (
        <Bars uploads={uploads} />
      )}
    </section>
  );
}

function TargetTable({
  tableId,
  mode,
  onMode,
}: {
  tableId: string;
  mode: Mode;
  onMode: (mode: Mode) => void;
}): ReactNode {
  const table = useTable(tableId);
  const hasKey = Boolean(table.data?.key?.length);
  const choices: [Mode, string][] = [
    ["append", "Acrescentar as linhas do arquivo"],
    ["replace", "Substituir todas as linhas pelas do arquivo (dá para desfazer)"],
  ];
  if (hasKey) choices.push(["upsert", `Atualizar pela chave (${table.data?.key?.join(", ")}) e acrescentar as novas`]);
  return (
    <fieldset className="mt-choices">
      <legend>Para a tabela {table.data?.display_name ?? "…"}</legend>
      {choices.map(([value, label]) => (
        <label key={value}>
          <input type="radio" name="mode" checked={mode === value} onChange={() => onMode(value)} /> {label}
        </label>
      ))}
    </fieldset>
  );
}

function DropZone({ onFiles, disabled }: { onFiles: (files: File[]) => void; disabled: boolean }): ReactNode {
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <div
      className={isOver ? "mt-drop mt-drop-over" : "mt-drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      <p>
        Arraste arquivos aqui ou{" "}
        <Button kind="primary" disabled={disabled} onClick={() => input.current?.click()}>
          escolha no computador
        </Button>
      </p>
      <p className="mt-quiet">CSV, XLSX, XLS, ODS ou ZIP · até 10 arquivos de uma mesma tabela · 100 MB no total</p>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Arquivos"
        accept={EXTENSIONS.map((name) => `.${name}`).join(",")}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </div>
  );
}

function Bars({ uploads }: { uploads: Uploads }): ReactNode {
  const isOver = uploads.files.every((one) => one.state !== "waiting" && one.state !== "sending");
  return (
    <>
      <ul className="mt-bars">
        {uploads.files.map((one, index) => (
          <li key={one.file.name}>
            <ProgressBar
              label={`${one.file.name} (${formatBytes(one.file.size)})`}
              percent={one.file.size ? (one.sent / one.file.size) * 100 : 0}
            />
            {one.reason && <p className="mt-field-error">⚠ {one.reason}</p>}
            {one.state === "sending" && (
              <Button kind="quiet" onClick={() => uploads.abort(index)}>
                Interromper <span className="mt-hidden">{one.file.name}</span>
              </Button>
            )}
            {(one.state === "failed" || one.state === "aborted") && !one.expired && (
              <Button onClick={() => uploads.retry(index)}>
                Tentar de novo <span className="mt-hidden">{one.file.name}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      {isOver && <Button onClick={uploads.reset}>Começar de novo</Button>}
    </>
  );
}

/** Return what keeps these files from being sent, or null. */
export function faultOf(files: readonly File[]): string | null {
  if (files.length > MAX_FILES) return `São ${files.length} arquivos: envie até ${MAX_FILES} de cada vez`;
  const odd = files.find((file) => !EXTENSIONS.includes(file.name.split(".").at(-1)?.toLowerCase() ?? ""));
  if (odd) return `“${odd.name}” não é CSV, XLSX, XLS, ODS nem ZIP`;
  const empty = files.find((file) => file.size === 0);
  if (empty) return `“${empty.name}” está vazio`;
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total > MAX_BYTES) return `Os arquivos somam ${formatBytes(total)}: o limite é de 100 MB por envio`;
  const names = new Set(files.map((file) => file.name));
  return names.size < files.length ? "Dois arquivos têm o mesmo nome" : null;
}

interface Uploads {
  files: readonly Sending[];
  isDeclaring: boolean;
  problem: string | null;
  failure: unknown;
  begin: (files: File[], mode: Mode) => Promise<void>;
  abort: (index: number) => void;
  retry: (index: number) => void;
  reset: () => void;
}

function useUploads(tableId: string | null, onSent: (jobId: string) => void): Uploads {
  const api = useApi();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [files, setFiles] = useState<readonly Sending[]>([]);
  const [jobId, setJobId] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [isDeclaring, setDeclaring] = useState(false);
  const controllers = useRef(new Map<number, AbortController>());

  const change = (index: number, changes: Partial<Sending>): void =>
    setFiles((before) => before.map((one, at) => (at === index ? { ...one, ...changes } : one)));

  useEffect(() => {
    const sending = files.filter((one) => one.state === "sending").length;
    const next = files.findIndex((one) => one.state === "waiting");
    if (next >= 0 && sending < AT_ONCE) void send(next);
    if (jobId && files.length > 0 && files.every((one) => one.state === "sent")) {
      announce("Arquivos enviados");
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      onSent(jobId);
    }
  }, [files, jobId]);

  useEffect(() => {
    const isUnsent = files.some((one) => one.state === "sending" || one.state === "waiting");
    if (!isUnsent) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [files]);

  const send = async (index: number): Promise<void> => {
    const one = files[index];
    if (!one) return;
    const controller = new AbortController();
    controllers.current.set(index, controller);
    change(index, { state: "sending", sent: 0 });
    try {
      await postFile(one.file, one.post, (sent) => change(index, { sent }), controller.signal);
      change(index, { state: "sent", sent: one.file.size });
    } catch (error) {
      const aborted = error instanceof DOMException;
      const reason = aborted ? "Envio interrompido" : error instanceof Error ? error.message : "O envio falhou";
      const expired = error instanceof UploadFailure && error.expired;
      change(index, { state: aborted ? "aborted" : "failed", reason, expired });
      announce(`${one.file.name}: ${reason}`);
    }
  };

  const begin = async (chosen: File[], mode: Mode): Promise<void> => {
    if (chosen.length === 0) return;
    const fault = faultOf(chosen);
    setProblem(fault);
    setFailure(null);
    if (fault) return;
    setDeclaring(true);
    try {
      const declared = chosen.map((file) => ({ name: file.name, size_bytes: file.size }));
      const answer = await declare(api, tableId, declared, mode);
      const posts = answer.uploads ?? [];
      setJobId(answer.job_id);
      setFiles(
        chosen.flatMap((file, index) => {
          const post = posts[index];
          return post ? [{ file, post, sent: 0, state: "waiting" as const }] : [];
        }),
      );
    } catch (error) {
      setFailure(error);
    } finally {
      setDeclaring(false);
    }
  };

  return {
    files,
    isDeclaring,
    problem,
    failure,
    begin,
    abort: (index) => controllers.current.get(index)?.abort(),
    retry: (index) => setFiles((before) => before.map((one, at) => (at === index ? waiting(one) : one))),
    reset: () => {
      for (const controller of controllers.current.values()) controller.abort();
      if (jobId) void withdraw(api, jobId).finally(() => queries.invalidateQueries({ queryKey: ["jobs"] }));
      setFiles([]);
      setJobId(null);
    },
  };
}

function waiting({ file, post }: Sending): Sending {
  return { file, post, sent: 0, state: "waiting" };
}

/** Cancel a job whose files will not come; one that has gone on meanwhile stays in the history. */
async function withdraw(api: ReturnType<typeof useApi>, jobId: string): Promise<void> {
  await answered(api.DELETE("/v1/managed-tables/upload-jobs/{job_id}", { params: { path: { job_id: jobId } } })).catch(
    () => {},
  );
}

function declare(
  api: ReturnType<typeof useApi>,
  tableId: string | null,
  files: { name: string; size_bytes: number }[],
  mode: Mode,
) {
  if (tableId === null) return answered(api.POST("/v1/managed-tables/upload", { body: { files } as never }));
  return answered(
    api.POST("/v1/managed-tables/{table_id}/upload", {
      params: { path: { table_id: tableId } },
      body: { files, mode } as never,
    }),
  );
}
