import { mount } from "./mount";

interface Config {
  apiUrl: string;
  base: string;
}

/** The page's own start: the token comes in the fragment, once, and is kept in memory alone. */
async function start(): Promise<void> {
  const element = document.getElementById("console");
  if (!element) return;
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  history.replaceState(null, "", location.pathname + location.search);
  if (!token) {
    element.textContent = "Abra esta página pelo endereço que traz o seu acesso (ele termina em #token=…).";
    return;
  }
  const config = (await (await fetch("/config.json", { cache: "no-store" })).json()) as Config;
  mount(element, { ...config, getToken: () => Promise.resolve(token) });
}

void start();
