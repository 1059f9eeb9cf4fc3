import { ApiFailure, callerOf } from "./api/session";
import { openHost } from "./frame";
import { mount } from "./mount";
import { language, preferredLanguage, speak, t } from "./ui/language";

interface Config {
  apiUrl: string;
  base: string;
  /** The deployment's zone, for times without one. */
  timezone?: string;
  /** Origins of the consoles that may show this page in a frame, and give it a token. */
  hosts?: string[];
  /** Whether the token may come in the fragment of the address: then a link can bring somebody else's. */
  tokenInAddress?: boolean;
  /** Whether a token of the address is kept until its tab is closed, so that loading the page again asks for none. */
  tokenInTab?: boolean;
}

/** The page's own start: the token comes from the host of a frame, or by the address where that is allowed. */
async function start(element: HTMLElement): Promise<void> {
  const token = takeToken();
  language.subscribe(() => {
    document.documentElement.lang = language.get();
  });
  await speak(preferredLanguage()).catch(() => {});
  const config = (await (await fetch("/config.json", { cache: "no-store" })).json()) as Config;
  const keep = config.tokenInAddress && config.tokenInTab ? keptOfTab() : null;
  const known = token ?? keep?.getItem(KEPT) ?? null;
  if (known && config.tokenInAddress) mountByAddress(element, config, known, keep);
  else if (window.parent !== window && config.hosts?.length) mountInFrame(element, config, config.hosts);
  else if (config.tokenInAddress) {
    window.addEventListener("hashchange", () => location.reload()); // it was opened over this page
    element.textContent = t`Abra esta página pelo endereço que você recebeu: é ele que traz o seu acesso.`;
  } else element.textContent = t`Abra esta página pelo sistema da sua empresa: é ele que traz o seu acesso.`;
}

const KEPT = "managed-tables:token";

/** The tab's own memory, which no other tab reads and which ends with it; none where a browser forbids it. */
function keptOfTab(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** Take the token out of the address, so that it is neither shown nor kept by the browser. */
function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** A newer address opened over the page brings a newer token: what is on the screen stays, if it is of one person. */
function mountByAddress(element: HTMLElement, config: Config, first: string, keep: Storage | null): void {
  let token = first;
  keep?.setItem(KEPT, token);
  window.addEventListener("hashchange", () => {
    const next = takeToken();
    if (!next) return;
    if ((["companyId", "userId"] as const).some((of) => callerOf(next)[of] !== callerOf(token)[of])) {
      const isAsked = !dispatchEvent(new Event("beforeunload", { cancelable: true }));
      // By another query, so that the page is loaded; where a person stays instead, the address has no token.
      if (isAsked) return location.replace(`${location.pathname}${location.search ? "" : "?"}#token=${next}`);
      history.replaceState(null, "", `${location.pathname}#token=${next}`); // that alone would load nothing
      location.reload(); // and no other page: the one before would have the first person's, and no token
    } else {
      token = next;
      keep?.setItem(KEPT, token);
    }
  });
  mount(element, { ...config, getToken: () => Promise.resolve(token) });
}

function mountInFrame(element: HTMLElement, config: Config, origins: readonly string[]): void {
  const host = openHost(origins);
  const unmount = mount(element, { ...config, getToken: host.getToken, onNavigate: host.navigated });
  host.onSignedOut(() => {
    unmount();
    element.textContent = t`Você saiu. Entre de novo para continuar.`;
  });
}

const element = document.getElementById("console");
if (element) {
  start(element).catch(() => {
    element.textContent = new ApiFailure().message;
  });
}
