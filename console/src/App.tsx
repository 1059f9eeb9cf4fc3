import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import type { Permission } from "./api/caller";
import { Tables } from "./screens/Tables";
import { Ask } from "./ui/Ask";
import { useCaller } from "./ui/context";
import { Dropping } from "./ui/Dropping";
import { useFocusKept } from "./ui/focus";
import { chooseLanguage, language, t } from "./ui/language";
import { Offline } from "./ui/Offline";
import { Empty, Loading } from "./ui/parts";

const Upload = lazy(() => import("./screens/Upload"));
const JobScreen = lazy(() => import("./screens/JobScreen"));
const History = lazy(() => import("./screens/History"));
const Exports = lazy(() => import("./screens/Exports"));
const NewTable = lazy(() => import("./screens/NewTable"));
const TableGrid = lazy(() => import("./screens/TableGrid"));
const Structure = lazy(() => import("./screens/Structure"));
const Access = lazy(() => import("./screens/Access"));

const places = (): [string, string, RegExp, Permission][] => [
  ["/", t`Tabelas`, /^\/($|nova|tabelas\/)/, "list"],
  ["/enviar", t`Enviar arquivo`, /^\/enviar/, "upload"],
  ["/envios", t`Envios`, /^\/(envios|exportados)/, "list"],
  ["/acesso", t`Acesso para BI`, /^\/acesso/, "connect"],
];

export interface AppProps {
  onNavigate?: ((path: string) => void) | undefined;
}

export function App({ onNavigate }: AppProps): ReactNode {
  const [location] = useLocation();
  const caller = useCaller();
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    onNavigate?.(location); // what it returns is no cleanup of ours
  }, [location, onNavigate]);
  useFocusKept(main);
  return (
    <div className="mt" lang={language.get()}>
      <a className="mt-skip" href="#mt-main">{t`Ir para o conteúdo`}</a>
      <header className="mt-top">
        <strong>{t`Meus Dados`}</strong>
        <nav aria-label={t`Principal`}>
          {places()
            .filter(([, , , permission]) => caller.can(permission))
            .map(([path, label, pattern]) => (
              <Link key={path} href={path} {...(pattern.test(location) ? { "aria-current": "page" as const } : {})}>
                {label}
              </Link>
            ))}
        </nav>
        <Languages />
        {caller.companyId && (
          <p
            className="mt-company"
            title={t`Empresa ${caller.companyId}`}
          >{t`Empresa ${caller.companyName || caller.companyId}`}</p>
        )}
      </header>
      <Offline />
      <Dropping />
      <main id="mt-main" ref={main} tabIndex={-1}>
        <Suspense fallback={<Loading label={t`Abrindo`} />}>
          <Switch>
            <Route path="/" component={Tables} />
            <Route path="/nova" component={NewTable} />
            <Route path="/enviar" component={Upload} />
            <Route path="/envios" component={History} />
            <Route path="/envios/:job">{({ job }) => <JobScreen jobId={job} />}</Route>
            <Route path="/exportados" component={Exports} />
            <Route path="/tabelas/:table">{({ table }) => <TableGrid tableId={table} />}</Route>
            <Route path="/tabelas/:table/estrutura">{({ table }) => <Structure tableId={table} />}</Route>
            <Route path="/acesso" component={Access} />
            <Route>
              <Empty title={t`Esta página não existe`}>
                <Link href="/">{t`Ver as tabelas`}</Link>
              </Empty>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

function Languages(): ReactNode {
  const other = language.get() === "en" ? "pt-BR" : "en";
  const label = <span lang={other}>{other === "en" ? "English" : "Português"}</span>;
  return <Ask label={label} onGo={() => chooseLanguage(other)} />; // answers are asked for again: they have sentences
}
