import { t } from "../ui/language";
import { Store } from "../ui/store";
import { type Api, ApiFailure } from "./session";
import type { PresignedUpload } from "./types";

// The files on their way: they belong to the page, and not to the screen that began to send them.

const MAX_FILES = 10;
const AT_ONCE = 2;
export const EXTENSIONS = "csv txt tsv xlsx xlsm xls ods json jsonl ndjson parquet gz zip".split(" ");

export type Mode = "append" | "replace" | "upsert";

interface Sending {
  file: File;
  post: PresignedUpload;
  sent: number;
  /** `expired`: the bucket takes it no more, and only a new upload helps. */
  state: "waiting" | "sending" | "sent" | "failed" | "expired";
  /** Why it failed. */
  reason: string;
  stop: AbortController;
}

export interface UploadState {
  /** Files that were dropped on a table, until a person says how they go in; or that could not be sent, until one tries again. */
  staged: readonly File[];
  files: readonly Sending[];
  jobId: string | null;
  isDeclaring: boolean;
  failure: unknown;
}

const EMPTY: UploadState = { staged: [], files: [], jobId: null, isDeclaring: false, failure: null };

export function isSending({ files, isDeclaring }: UploadState): boolean {
  return isDeclaring || files.some((one) => one.state === "sending" || one.state === "waiting");
}

export function isSent({ files }: UploadState): boolean {
  return files.length > 0 && files.every((one) => one.state === "sent");
}

/** Return what keeps these files from being sent, or null. */
function faultOf(files: readonly File[]): ApiFailure | null {
  const odd = files.find((file) => !EXTENSIONS.includes(file.name.split(".").at(-1)?.toLowerCase() ?? ""));
  const empty = files.find((file) => file.size === 0);
  let fault = "";
  if (files.length > MAX_FILES) fault = t`São ${files.length} arquivos: envie até ${MAX_FILES} de cada vez`;
  else if (odd) fault = t`“${odd.name}” não é CSV, XLSX, XLS, ODS, JSON, Parquet nem ZIP`;
  else if (empty) fault = t`“${empty.name}” está vazio`;
  else if (new Set(files.map((file) => file.name)).size < files.length) fault = t`Dois arquivos têm o mesmo nome`;
  return fault ? new ApiFailure(0, { error: fault }) : null;
}

/** Sends the files of one upload at a time, two at once. */
export class UploadQueue {
  readonly state = new Store<UploadState>(EMPTY);

  constructor(private readonly api: Api) {
    this.state.subscribe(() => this.sendNext());
  }

  /** Keep files until a person says how they go into a table. */
  readonly stage = (files: readonly File[]): void => {
    const failure = faultOf(files);
    this.state.update({ staged: failure ? [] : files, failure });
  };

  readonly begin = async (chosen: readonly File[], tableId: string | null, mode?: Mode): Promise<void> => {
    if (chosen.length === 0) return;
    const busy = new ApiFailure(0, { error: t`Espere o envio que está em andamento` });
    const failure = isSending(this.state.get()) ? busy : faultOf(chosen);
    this.state.update({ failure });
    if (failure) return;
    this.state.set({ ...EMPTY, isDeclaring: true });
    try {
      const { job_id: jobId, uploads } = await this.declare(tableId, chosen, mode);
      const files = (uploads ?? []).map((post, index) => waiting(chosen[index] as File, post));
      this.state.set({ ...EMPTY, files, jobId });
    } catch (failure) {
      this.state.set({ ...EMPTY, staged: chosen, failure });
    }
  };

  readonly abort = (index: number): void => this.state.get().files[index]?.stop.abort();

  readonly retry = (index: number): void => {
    const one = this.state.get().files[index];
    if (one) this.change(index, waiting(one.file, one.post));
  };

  /** Forget the upload; one that has not arrived is cancelled, too. */
  readonly reset = (): void => {
    const state = this.state.get();
    this.abortAll();
    this.state.set(EMPTY);
    if (state.jobId === null || isSent(state)) return;
    void this.api.DELETE("/upload-jobs/{job_id}", { path: { job_id: state.jobId } }).catch(() => {});
  };

  abortAll(): void {
    for (const one of this.state.get().files) one.stop.abort();
  }

  /** Without a mode rows are added, and a workbook that went out for editing is merged. */
  private declare(tableId: string | null, chosen: readonly File[], mode: Mode | undefined) {
    const files = chosen.map((file) => ({ name: file.name, size_bytes: file.size }));
    if (tableId === null) return this.api.POST("/upload", { body: { files } });
    return this.api.POST("/{table_id}/upload", { path: { table_id: tableId }, body: { files, ...(mode && { mode }) } });
  }

  private change(index: number, changes: Partial<Sending>): void {
    const { files } = this.state.get();
    this.state.update({ files: files.map((one, at) => (at === index ? { ...one, ...changes } : one)) });
  }

  private sendNext(): void {
    const { files } = this.state.get();
    const sending = files.filter((one) => one.state === "sending").length;
    const next = files.findIndex((one) => one.state === "waiting" && !one.stop.signal.aborted);
    if (next >= 0 && sending < AT_ONCE) void this.send(next);
  }

  private async send(index: number): Promise<void> {
    const one = this.state.get().files[index];
    if (!one) return;
    this.change(index, { state: "sending" });
    this.change(index, await postFile(one, (sent) => this.change(index, { sent })));
  }
}

function waiting(file: File, post: PresignedUpload): Sending {
  return { file, post, sent: 0, state: "waiting", reason: "", stop: new AbortController() };
}

/**
 * Send one file straight to the bucket, and return how that ended: by XMLHttpRequest, since fetch tells nothing of an
 * upload's progress. The bucket gets no Authorization header: the form's fields are what it asks for.
 */
function postFile({ file, post, stop }: Sending, onProgress: (sent: number) => void): Promise<Partial<Sending>> {
  return new Promise((end) => {
    const fail = (reason: string) => end({ state: "failed", reason });
    const request = new XMLHttpRequest();
    request.open("POST", post.url);
    request.upload.onprogress = (event) => onProgress(Math.min(event.loaded, file.size));
    request.onload = () => {
      const isExpired = request.status === 403 && /expired/i.test(request.responseText);
      if (request.status >= 200 && request.status < 300) end({ state: "sent", sent: file.size });
      else if (isExpired) end({ state: "expired", reason: t`O prazo deste envio acabou. Envie o arquivo de novo` });
      else fail(t`O arquivo não foi aceito. Tente de novo`);
    };
    request.onerror = () => fail(t`A conexão caiu durante o envio. Tente de novo`);
    request.onabort = () => fail(t`Envio interrompido`);
    stop.signal.addEventListener("abort", () => request.abort(), { once: true });
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    form.append("file", file); // last: S3 ignores every field that comes after it
    request.send(form);
  });
}
