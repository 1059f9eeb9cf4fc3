import { onlineManager, useQuery } from "@tanstack/react-query";
import { type ComponentType, type RefObject, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Link, Route, Router, Switch, useLocation } from "wouter";
import { ApiFailure, type Permission } from "./api/session";
import { isSending, isSent } from "./api/uploads";
import { Tables } from "./screens/Tables";
import { useConsole } from "./ui/context";
import { Ask } from "./ui/dialogs";
import { chooseLanguage, language, t } from "./ui/language";
import { Alert, Dialog, Empty, Failure, Loading } from "./ui/parts";
import { useStore, useWindowEvents } from "./ui/store";

const Upload = later("upload", () => import("./screens/Upload"));
const JobScreen = later("job", () => import("./screens/JobScreen"));
const History = later("history", () => import("./screens/History"));
const Exports = later("exports", () => import("./grid/Exports"));
const NewTable = later("new", async () => ({ default: (await import("./screens/Structure")).StructureForm }));
const TableGrid = later("grid", () => import("./screens/TableGrid"));
const Structure = later("structure", () => import("./screens/Structure"));
const Access = later("access", () => import("./screens/Access"));

/** A screen whose code comes when it is first shown, and the network is there: a browser asks for code only once. */
function later<Props extends object>(name: string, load: () => Promise<{ default: ComponentType<Props> }>) {
  const queryFn = () => load().catch(() => Promise.reject(new ApiFailure()));
  return (props: Props) => {
    const { data: code, error } = useQuery({ queryKey: ["code", name], queryFn, retry: false, staleTime: "static" });
    if (error) return <Failure error={error} onRetry={() => location.reload()} />;
    return code ? (
      <code.default {...props} />
    ) : (
      <Loading label={t`Abrindo`} late={t`Abrindo a página; a rede está lenta`} />
    );
  };
}

const places = (): [string, string, RegExp, Permission][] => [
  ["/", t`Tabelas`, /^\/($|nova|tabelas\/)/, "list"],
  ["/enviar", t`Enviar arquivo`, /^\/enviar/, "upload"],
  ["/envios", t`Envios`, /^\/(envios|exportados)/, "list"],
  ["/acesso", t`Acesso para BI`, /^\/acesso/, "connect"],
];

export interface AppProps {
  onNavigate?: ((path: string) => void) | undefined;
}

export function App({ onNavigate }: AppProps) {
  const [location] = useLocation();
  const { can, companyId, companyName, sessions, written, leaving, leaveBy } = useConsole();
  const isOnline = useSyncExternalStore(onlineManager.subscribe, () => onlineManager.isOnline());
  const other = language.get() === "en" ? "pt-BR" : "en";
  const main = useRef<HTMLElement>(null);
  const leave = useStore(leaving);
  useEffect(() => {
    onNavigate?.(location); // what it returns is no cleanup of ours
    leaving.set(null); // where a browser cannot be held back
    for (const edits of sessions.values()) edits.resume(); // none of its screen's buttons is in sight
  }, [location, onNavigate]);
  const isWritten = useStore(written);
  const question = {
    title: t`Sair sem gravar?`,
    keep: t`Ficar nesta página`,
    yes: t`Sair sem gravar`,
    children: <p>{t`O que você escreveu nesta página se perde.`}</p>,
  };
  useFocusKept(main);
  useHeldBack();
  return (
    <Router aroundNav={(navigate, ...to) => leaveBy(() => navigate(...to))}>
      <div className="mt" lang={language.get()}>
        <a className="mt-skip" href="#mt-main">{t`Ir para o conteúdo`}</a>
        <header className="mt-top">
          <strong>{t`Meus Dados`}</strong>
          <nav aria-label={t`Principal`}>
            {places()
              .filter(([, , , permission]) => can(permission))
              .map(([path, label, pattern]) => (
                <Link key={path} href={path} {...(pattern.test(location) ? { "aria-current": "page" as const } : {})}>
                  {label}
                </Link>
              ))}
          </nav>
          <Ask
            key={String(isWritten)} // a question whose form is gone is not another one's
            label={<span lang={other}>{other === "en" ? "English" : "Português"}</span>}
            {...(isWritten ? question : {})}
            onGo={() => chooseLanguage(other)} // answers are asked for again: they have sentences
          />
          {companyId && (
            <p className="mt-company" title={t`Empresa ${companyId}`}>
              {t`Empresa ${companyName || companyId}`}
            </p>
          )}
        </header>
        {!isOnline && (
          <Alert kind="warning">
            {t`Sem conexão: o que você vê é de antes, e o que você muda nas linhas será gravado quando ela voltar.`}
          </Alert>
        )}
        <Dropping />
        <main id="mt-main" ref={main} tabIndex={-1}>
          <Switch>
            <Route path="/" component={Tables} />
            <Route path="/nova">{() => <NewTable />}</Route>
            <Route path="/enviar" component={Upload} />
            <Route path="/envios" component={History} />
            <Route path="/envios/:job">{({ job }) => <JobScreen key={job} jobId={job} />}</Route>
            <Route path="/exportados" component={Exports} />
            <Route path="/tabelas/:table">{({ table }) => <TableGrid tableId={table} />}</Route>
            <Route path="/tabelas/:table/estrutura">{({ table }) => <Structure key={table} tableId={table} />}</Route>
            <Route path="/acesso" component={Access} />
            <Route>
              <Empty title={t`Esta página não existe`}>
                <Link href="/">{t`Ver as tabelas`}</Link>
              </Empty>
            </Route>
          </Switch>
        </main>
        {leave && (
          <Dialog
            {...question}
            onClose={() => leaving.set(null)}
            kind="danger"
            onYes={() => {
              leaving.set(null);
              written.set(false);
              leave();
            }}
          />
        )}
      </div>
    </Router>
  );
}

/** The browser's own list of pages, where it has that: TypeScript knows it from 6.0 on. */
declare const navigation: (EventTarget & { traverseTo: (key: string) => unknown }) | undefined;

/** Have the browser's Back and Forward ask, as a link does, where something is written and not saved. */
function useHeldBack(): void {
  const { written, leaveBy } = useConsole();
  useEffect(() => {
    const pages = typeof navigation === "undefined" ? null : navigation;
    const hold = (event: Event & { navigationType?: string; destination?: { key: string } }): void => {
      const { navigationType, destination } = event;
      if (navigationType !== "traverse" || !event.cancelable || !destination || !written.get()) return;
      event.preventDefault();
      leaveBy(() => pages?.traverseTo(destination.key));
    };
    pages?.addEventListener("navigate", hold);
    return () => pages?.removeEventListener("navigate", hold);
  }, [written, leaveBy]);
}

/** Files dropped anywhere are taken: on a table for it, elsewhere for a new one. Says what is on its way, on any screen. */
function Dropping() {
  const { uploads, can, leaveBy } = useConsole();
  const state = useStore(uploads.state);
  const [location, navigate] = useLocation();
  const [isOver, setOver] = useState(false);
  const leaving = useRef(0);
  const take = (files: readonly File[]): void => {
    const table =
      /^\/tabelas\/([0-9a-f]{24})/.exec(location)?.[1] ?? new URLSearchParams(window.location.search).get("tabela");
    leaveBy(() => {
      if (table) uploads.stage(files);
      else void uploads.begin(files, null);
      navigate(table ? `/enviar?tabela=${table}` : "/enviar");
    });
  };
  useWindowEvents(["dragover", "drop"], (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // a file that nobody takes would take the page's place
    const isOverNow = event.type === "dragover" && can("upload");
    window.clearTimeout(leaving.current);
    setOver(isOverNow);
    if (isOverNow)
      leaving.current = window.setTimeout(() => setOver(false), 300); // it comes again and again
    else if (can("upload")) take([...event.dataTransfer.files]);
  });
  const isSeen = isSent(state) && location === `/envios/${state.jobId}`;
  useEffect(() => {
    if (isSeen) uploads.reset();
  }, [isSeen]);
  if (isOver) return <p className="mt-over">{t`Solte os arquivos para enviar`}</p>;
  if (location === "/enviar" || location === `/envios/${state.jobId ?? ""}`) return null;
  const isOnItsWay = isSending(state);
  if (!isOnItsWay && !isSent(state)) return null;
  return (
    <p className="mt-note">
      {isOnItsWay ? t`Enviando arquivos…` : t`Arquivos enviados.`}{" "}
      <Link href={isOnItsWay ? "/enviar" : `/envios/${state.jobId}`}>{isOnItsWay ? t`Ver o envio` : t`Revisar`}</Link>
    </p>
  );
}

/**
 * Keep the keyboard's place: where what had the focus has left the document, and nothing else took the focus, it goes
 * to the next of a list in a dialog, to the dialog that is open, or to `home`, instead of falling to the body, from where
 * Tab would begin anew.
 */
function useFocusKept(home: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = home.current;
    if (!element) return;
    let last: Element | null = null;
    const remember = (event: FocusEvent): void => {
      last = event.target as Element;
    };
    const observer = new MutationObserver((changes) => {
      if (!last || last.isConnected || document.activeElement !== document.body) return;
      const gone = changes.find(({ removedNodes }) => [...removedNodes].some((node) => node.contains(last)));
      const besides = [gone?.nextSibling, gone?.previousSibling].map((one) =>
        one instanceof HTMLLIElement && one.closest("dialog") ? one.querySelector("button") : null,
      );
      const inner = [...element.querySelectorAll<HTMLElement>("dialog:modal > h2")].at(-1);
      (besides.find((one) => one !== null) ?? inner ?? element).focus({ preventScroll: true });
    });
    element.addEventListener("focusin", remember);
    observer.observe(element, { childList: true, subtree: true });
    return () => {
      element.removeEventListener("focusin", remember);
      observer.disconnect();
    };
  }, [home]);
}
