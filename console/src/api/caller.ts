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
  const text = (name: string): string => (typeof claims?.[name] === "string" ? (claims[name] as string) : "");
  const granted: unknown = claims?.["permissions"];
  const permissions = new Set(Array.isArray(granted) ? granted : ["managed-tables:*"]);
  return {
    companyId: text("company_id"),
    companyName: text("company_name"),
    userId: text("sub"),
    can: (permission) => permissions.has("managed-tables:*") || permissions.has(`managed-tables:${permission}`),
  };
}

function claimsOf(token: string): Record<string, unknown> | null {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (sign) => sign.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
