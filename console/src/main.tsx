import { openHost } from "./frame";
import { mount } from "./mount";

interface Config {
  apiUrl: string;
  base: string;
  /** Origins of the consoles that may show this page in a frame, and give it a token. */
  hosts?: string[];
}

/** The page's own start: the token comes in the fragment, once, or from the host of a frame; it is kept in memory. */
async function start(): Promise<void> {
  const element = document.getElementById("console");
  if (!element) return;
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", location.pathname + location.search);
  const config = (await (await fetch("/config.json", { cache: "no-store" })).json()) as Config;
  if (token) mount(element, { ...config, getToken: () => Promise.resolve(token) });
  else if (window.parent !== window && config.hosts?.length) mountInFrame(element, config, config.hosts);
  else element.textContent = "Abra esta página pelo endereço que traz o seu acesso (ele termina em #token=…).";
}

function mountInFrame(element: HTMLElement, config: Config, origins: readonly string[]): void {
  const host = openHost(origins);
  const unmount = mount(element, { ...config, getToken: host.getToken, onNavigate: host.navigated });
  host.onSignedOut(() => {
    unmount();
    element.textContent = "Você saiu. Entre de novo para continuar.";
  });
}

void start();
