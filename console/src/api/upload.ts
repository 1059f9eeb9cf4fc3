// Straight to the bucket by its presigned POST: XMLHttpRequest, since fetch tells nothing of an upload's progress.
// The bucket gets no Authorization header: the form's fields are what it asks for, and the token is not its concern.

import { t } from "../ui/language";

export interface PresignedPost {
  url: string;
  fields: Record<string, string>;
}

export class UploadFailure extends Error {
  readonly expired: boolean;

  constructor(message: string, expired: boolean) {
    super(message);
    this.expired = expired;
  }
}

/** Send one file; `onProgress` hears the bytes sent, `signal` aborts. */
export function postFile(
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
    request.send(formOf(file, post));
  });
}

function formOf(file: File, post: PresignedPost): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
  form.append("file", file); // last: S3 ignores every field that comes after it
  return form;
}

function refusal(request: XMLHttpRequest): UploadFailure {
  const expired = request.status === 403 && /expired/i.test(request.responseText);
  const reason = expired
    ? t`O prazo deste envio acabou. Envie o arquivo de novo`
    : t`O arquivo não foi aceito. Tente de novo`;
  return new UploadFailure(reason, expired);
}
