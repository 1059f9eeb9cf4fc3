import { t } from "../ui/language";
import { Store } from "../ui/store";
import type { Api } from "./session";

// The files on their way: they belong to the page, and not to the screen that began to send them.

const MAX_FILES = 10;
const AT_ONCE = 2;
export const EXTENSIONS = "csv txt tsv xlsx xlsm xls ods json jsonl ndjson parquet gz zip".split(" ");

export type Mode = "append" | "replace" | "upsert";

interface Sending {
  file: File;
  post: PresignedPost;
  sent: number;
  state: "waiting" | "sending" | "sent" | "failed" | "aborted";
  reason?: string;
  expired?: boolean;
}

export interface UploadState {
  /** Files that were dropped on a table, until a person says how they go in. */
  staged: readonly File[];
  files: readonly Sending[];
  jobId: string | null;
  isDeclaring: boolean;
  problem: string | null;
  failure: unknown;
}

const EMPTY = { staged: [], files: [], jobId: null, isDeclaring: false, problem: null, failure: null };

export function isSending({ files, isDeclaring }: UploadState): boolean {
  return isDeclaring || files.some((one) => one.state === "sending" || one.state === "waiting");
}

export function isSent({ files }: UploadState): boolean {
  return files.length > 0 && files.every((one) => one.state === "sent");
}

/** Return what keeps these files from being sent, or null. */
function faultOf(files: readonly File[]): string | null {
  if (files.length > MAX_FILES) return t`São ${files.length} arquivos: envie até ${MAX_FILES} de cada vez`;
  const odd = files.find((file) => !EXTENSIONS.includes(file.name.split(".").at(-1)?.toLowerCase() ?? ""));
  if (odd) return t`“${odd.name}” não é CSV, XLSX, XLS, ODS, JSON, Parquet nem ZIP`;
  const empty = files.find((file) => file.size === 0);
  if (empty) return t`“${empty.name}” está vazio`;
  const names = new Set(files.map((file) => file.name));
  return names.size < files.length ? t`Dois arquivos têm o mesmo nome` : null;
}

/** Sends the files of one upload at a time, two at once; leaving the page while it does asks first. */
export class UploadQueue {
  readonly state = new Store<UploadState>(EMPTY);
  private readonly controllers = new Map<number, AbortController>();

  constructor(private readonly api: Api) {
    this.state.subscribe(() => this.sendNext());
    window.addEventListener("beforeunload", this.warn);
  }

  close(): void {
    window.removeEventListener("beforeunload", this.warn);
    for (const controller of this.controllers.values()) controller.abort();
  }

  /** Keep files until a person says how they go into a table. */
  readonly stage = (files: readonly File[]): void => {
    const problem = faultOf(files);
    this.state.update({ staged: problem ? [] : files, problem });
  };

  readonly begin = async (chosen: readonly File[], tableId: string | null, mode: Mode): Promise<void> => {
    if (chosen.length === 0) return;
    const problem = isSending(this.state.get()) ? t`Espere o envio que está em andamento` : faultOf(chosen);
    this.state.update({ problem, failure: null });
    if (problem) return;
    this.state.set({ ...EMPTY, isDeclaring: true });
    try {
      const answer = await this.declare(tableId, chosen, mode);
      const posts = answer.uploads ?? [];
      const files = chosen.flatMap((file, index) => {
        const post = posts[index];
        return post ? [waiting(file, post)] : [];
      });
      this.state.update({ isDeclaring: false, jobId: answer.job_id, files });
    } catch (failure) {
      this.state.update({ isDeclaring: false, failure });
    }
  };

  readonly abort = (index: number): void => this.controllers.get(index)?.abort();

  readonly retry = (index: number): void => {
    const one = this.state.get().files[index];
    if (one) this.change(index, waiting(one.file, one.post));
  };

  /** Forget the upload; one that has not arrived is cancelled, too. */
  readonly reset = (): void => {
    const { jobId } = this.state.get();
    const isDone = isSent(this.state.get());
    for (const controller of this.controllers.values()) controller.abort();
    this.controllers.clear();
    this.state.set(EMPTY);
    if (!jobId || isDone) return;
    void this.api.DELETE("/upload-jobs/{job_id}", { path: { job_id: jobId } }).catch(() => {});
  };

  private readonly warn = (event: BeforeUnloadEvent): void => {
    if (isSending(this.state.get())) event.preventDefault();
  };

  private declare(tableId: string | null, chosen: readonly File[], mode: Mode) {
    const files = chosen.map((file) => ({ name: file.name, size_bytes: file.size }));
    if (tableId === null) return this.api.POST("/upload", { body: { files } });
    return this.api.POST("/{table_id}/upload", { path: { table_id: tableId }, body: { files, mode } });
  }

  private change(index: number, changes: Partial<Sending>): void {
    const { files } = this.state.get();
    this.state.update({ files: files.map((one, at) => (at === index ? { ...one, ...changes } : one)) });
  }

  private sendNext(): void {
    const { files } = this.state.get();
    const sending = files.filter((one) => one.state === "sending").length;
    const next = files.findIndex((one) => one.state === "waiting");
    if (next >= 0 && sending < AT_ONCE) void this.send(next);
  }

  private async send(index: number): Promise<void> {
    const one = this.state.get().files[index];
    if (!one) return;
    const controller = new AbortController();
    this.controllers.set(index, controller);
    this.change(index, { state: "sending", sent: 0 });
    try {
      await postFile(one.file, one.post, (sent) => this.change(index, { sent }), controller.signal);
      this.change(index, { state: "sent", sent: one.file.size });
    } catch (error) {
      const isAborted = error instanceof DOMException;
      const reason = isAborted ? t`Envio interrompido` : error instanceof Error ? error.message : t`O envio falhou`;
      const expired = error instanceof UploadFailure && error.expired;
      this.change(index, { state: isAborted ? "aborted" : "failed", reason, expired });
    }
  }
}

function waiting(file: File, post: PresignedPost): Sending {
  return { file, post, sent: 0, state: "waiting" };
}

// Straight to the bucket by its presigned POST: XMLHttpRequest, since fetch tells nothing of an upload's progress.
// The bucket gets no Authorization header: the form's fields are what it asks for, and the token is not its concern.

interface PresignedPost {
  url: string;
  fields: Record<string, string>;
}

class UploadFailure extends Error {
  constructor(
    message: string,
    readonly expired: boolean,
  ) {
    super(message);
  }
}

/** Send one file; `onProgress` hears the bytes sent, `signal` aborts. */
function postFile(
  file: File,
  post: PresignedPost,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", post.url);
    request.upload.onprogress = (event) => onProgress(Math.min(event.loaded, file.size));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(refusal(request));
    };
    request.onerror = () => reject(new UploadFailure(t`A conexão caiu durante o envio. Tente de novo`, false));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    form.append("file", file); // last: S3 ignores every field that comes after it
    request.send(form);
  });
}

function refusal(request: XMLHttpRequest): UploadFailure {
  const expired = request.status === 403 && /expired/i.test(request.responseText);
  const reason = expired
    ? t`O prazo deste envio acabou. Envie o arquivo de novo`
    : t`O arquivo não foi aceito. Tente de novo`;
  return new UploadFailure(reason, expired);
}
