import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import type { Permission } from "./api/caller";
import { Tables } from "./screens/Tables";
import { useCaller } from "./ui/context";
import { Dropping } from "./ui/Dropping";
import { useFocusKept } from "./ui/focus";
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

const PLACES: [string, string, RegExp, Permission][] = [
  ["/", "Tabelas", /^\/($|nova|tabelas\/)/, "list"],
  ["/enviar", "Enviar arquivo", /^\/enviar/, "upload"],
  ["/envios", "Envios", /^\/(envios|exportados)/, "list"],
  ["/acesso", "Acesso para BI", /^\/acesso/, "connect"],
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
    <div className="mt">
      <a className="mt-skip" href="#mt-main">
        Ir para o conteúdo
      </a>
      <header className="mt-top">
        <Link href="/" className="mt-brand">
          Meus Dados
        </Link>
        <nav aria-label="Principal">
          {PLACES.filter(([, , , permission]) => caller.can(permission)).map(([path, label, pattern]) => (
            <Link key={path} href={path} {...(pattern.test(location) ? { "aria-current": "page" as const } : {})}>
              {label}
            </Link>
          ))}
        </nav>
        {caller.companyId && (
          <p className="mt-company" title={`Empresa ${caller.companyId}`}>
            Empresa {caller.companyName || caller.companyId}
          </p>
        )}
      </header>
      <Offline />
      <Dropping />
      <main id="mt-main" ref={main} tabIndex={-1}>
        <Suspense fallback={<Loading label="Abrindo" />}>
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
              <Empty title="Esta página não existe">
                <Link href="/">Ver as tabelas</Link>
              </Empty>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}
