import createClient, { type FetchResponse, type RequestBodyOption } from "openapi-fetch";
import { language, t } from "../ui/language";
import { Store } from "../ui/store";
import type { ErrorBody, Operations } from "./types";

// Who the token speaks of, as far as it says: for what is shown. The API decides what may be done.

export type Permission = "list" | "create" | "update" | "delete" | "upload" | "data-read" | "data-write" | "connect";

export interface Caller {
  companyId: string;
  /** The company's name, where the token has it. */
  companyName: string;
  userId: string;
  can: (permission: Permission) => boolean;
}

/** Read a token's claims, unverified; one that cannot be read shows everything, and the API refuses. */
export function callerOf(token: string): Caller {
  const claims = claimsOf(token);
  const text = (name: string): string => (typeof claims[name] === "string" ? claims[name] : "");
  const granted = claims["permissions"];
  const permissions = new Set(Array.isArray(granted) ? granted : ["managed-tables:*"]);
  return {
    companyId: text("company_id"),
    companyName: text("company_name"),
    userId: text("sub"),
    can: (permission) => permissions.has("managed-tables:*") || permissions.has(`managed-tables:${permission}`),
  };
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (sign) => sign.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const BASE = "/v1/managed-tables";

export interface SessionOptions {
  /** The API's base, to which BASE is appended. */
  apiUrl: string;
  /** Gives a bearer token; `renew` says that the last one was refused. */
  getToken: (renew: boolean) => Promise<string>;
}

/** An answer that is no success: the API's own sentence, its stable code and what it names. */
export class ApiFailure extends Error {
  readonly code: string;
  readonly retryAfterSeconds: number | null;

  constructor(
    readonly status = 0,
    readonly body: Partial<ErrorBody> = {},
    retryAfter: string | null = null,
  ) {
    super((status !== 401 && body.error) || sentenceOfStatus(status));
    this.code = body.code ?? "";
    this.retryAfterSeconds = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  }

  /** Whether the same may go well in a moment: nobody answered, the token is old, or the server asks for patience. */
  get isPassing(): boolean {
    const isUnanswered = this.status === 0 && this.body.error === undefined;
    return isUnanswered || ([401, 429, 502, 503, 504].includes(this.status) && this.code !== "OUTCOME_UNKNOWN");
  }
}

type Detail = NonNullable<ErrorBody["details"]>[number];

/** Return what the API names as wrong in what it was sent. */
export function detailsOf(error: unknown): Detail[] {
  return error instanceof ApiFailure ? (error.body.details ?? []) : [];
}

/** Return why each of the things is wrong that `of` finds named. */
export function faultsBy<Key>(error: unknown, of: (detail: Detail) => Key): Map<Key, string> {
  return new Map(detailsOf(error).map((detail) => [of(detail), detail.reason]));
}

export const isGone = (error: unknown): boolean => error instanceof ApiFailure && error.status === 404;

function sentenceOfStatus(status: number): string {
  if (status === 401)
    // Whatever the reason, the way on is the same: a newer address over this page (main.tsx), or the host's own sign-in.
    return t`O seu acesso venceu ou não vale mais. Entre de novo, nesta mesma aba: o que está escrito aqui não se perde`;
  if (status === 0) return t`Sem conexão com o servidor. Verifique a rede e tente de novo`;
  return t`O servidor respondeu ${status} sem dizer o motivo. Tente de novo em instantes`;
}

type Method = "get" | "post" | "put" | "patch" | "delete";
export type Having<M extends Method> = {
  [Path in keyof Operations]: Operations[Path] extends Record<M, object> ? Path : never;
}[keyof Operations];
export type Asked<Operation> = (Operation extends { parameters: infer Parameters }
  ? Pick<Parameters, Extract<keyof Parameters, "path" | "query">>
  : unknown) &
  RequestBodyOption<Operation> & { signal?: AbortSignal | undefined; headers?: Record<string, string> };
export type Answer<Operation> =
  Operation extends Record<string, unknown>
    ? NonNullable<FetchResponse<Operation, object, "application/json">["data"]>
    : never;
type Call<M extends Method> = <Path extends Having<M>>(
  path: Path,
  ...asked: object extends Asked<Operations[Path][M]>
    ? [asked?: Asked<Operations[Path][M]>]
    : [asked: Asked<Operations[Path][M]>]
) => Promise<Answer<Operations[Path][M]>>;

/** Calls the API by method and path; gives the data of the answer, or throws ApiFailure. */
export type Api = { [M in Method as Uppercase<M>]: Call<M> };

/** Edits that may not be saved: whoever leaves is asked, and a network that is back is told to them. */
export interface UnsavedEdits {
  readonly isUnsaved: boolean;
  /** Try again what waits. */
  resume: () => void;
}

/** What the whole console shares. */
export interface Session {
  api: Api;
  caller: Store<Caller>;
  /** The edits of each table that was opened: what is not saved goes on waiting, whatever is shown instead. */
  sessions: Map<string, UnsavedEdits>;
  /** Whether a form has what was written and is not saved: every way out of it asks. */
  written: Store<boolean>;
  /** The way out that waits for a person's yes. */
  leaving: Store<(() => unknown) | null>;
}

/** Make the typed client: it carries the token, asks for a new one once, and throws ApiFailure. */
export function openSession({ apiUrl, getToken: giveToken }: SessionOptions): Session {
  const caller = new Store(callerOf(""));
  let known = "";
  const getToken = async (isRenewed: boolean): Promise<string> => {
    const token = await giveToken(isRenewed);
    if (token !== known) caller.set(callerOf(token));
    known = token;
    return token;
  };
  // Whose company this is shows on every screen; of a failure hears whoever asks the API next.
  void getToken(false).catch(() => {});
  let renewal: Promise<string> | null = null;
  const renew = (): Promise<string> => {
    renewal ??= getToken(true).finally(() => {
      renewal = null;
    });
    return renewal;
  };
  const send = async (request: Request): Promise<Response> => {
    const again = request.clone();
    const first = await fetchWith(request, await getToken(false));
    return first.status === 401 ? fetchWith(again, await renew()) : first;
  };
  const api = apiOf(`${apiUrl.replace(/\/$/, "")}${BASE}`, send);
  const leaving = new Store<(() => unknown) | null>(null);
  return { api, caller, sessions: new Map(), written: new Store(false), leaving };
}

const tags = new WeakMap<object, string>();

/** Return the ETag that an answer came with, which `If-Match` compares; any where it had none. */
export const tagOf = (answer: object): string => tags.get(answer) ?? "*";

function apiOf(baseUrl: string, send: (request: Request) => Promise<Response>): Api {
  const client = createClient<Record<string, Record<Method, object>>>({ baseUrl, fetch: send });
  const call =
    (method: Method) =>
    async (url: string, { path, query, ...rest }: { path?: object; query?: object } = {}): Promise<unknown> => {
      const { data, error, response } = await client.request(method, url, {
        params: { path, query } as object,
        ...rest,
      });
      const tag = response.headers.get("ETag");
      if (tag !== null && typeof data === "object" && data !== null) tags.set(data, tag);
      if (response.ok) return data;
      const body = typeof error === "object" && error !== null ? (error as Partial<ErrorBody>) : {};
      throw new ApiFailure(response.status, body, response.headers.get("Retry-After"));
    };
  const api = { GET: call("get"), POST: call("post"), PUT: call("put"), PATCH: call("patch"), DELETE: call("delete") };
  return api as unknown as Api;
}

async function fetchWith(request: Request, token: string): Promise<Response> {
  request.headers.set("Authorization", `Bearer ${token}`);
  request.headers.set("Accept-Language", language.get());
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiFailure();
  }
}
