import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue } from "react";
import { Link } from "wouter";
import { useStatus } from "../api/queries";
import { fileNames, type Table } from "../api/types";
import { useApi, useCaller, useWho } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { Listing, pageOf, useAddress } from "../ui/Listing";
import { t } from "../ui/language";
import { Button, Empty, Failure, Loading, TextField } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";

const MOST_LOADS = 100; // of all tables, newest first

/** The company's tables: searched, counted, opened. */
export function Tables(): ReactNode {
  const status = useStatus();
  if (status.error) return <Failure error={status.error} onRetry={() => void status.refetch()} />;
  if (!status.data) return <Loading label={t`Carregando`} />;
  return status.data.provisioned ? <List /> : <Activate />;
}

function Activate(): ReactNode {
  const api = useApi();
  return (
    <Empty title={t`Meus Dados ainda não está ativo na sua empresa`}>
      <Ask label={t`Ativar Meus Dados`} kind="primary" onGo={() => api.POST("/provision")} />
    </Empty>
  );
}

function List(): ReactNode {
  const api = useApi();
  const address = useAddress();
  const [query, setQuery] = address;
  const search = query.get("q") ?? "";
  const searched = useDeferredValue(search);
  return (
    <section aria-labelledby="tables-title">
      <div className="mt-title-bar">
        <h1 id="tables-title">{t`Tabelas`}</h1>
        <div className="mt-actions">
          <WaysIn />
        </div>
      </div>
      <TextField label={t`Procurar tabela`} type="search" value={search} onText={(q) => setQuery({ q, pagina: "" })} />
      <Listing
        queryKey={["tables", searched]}
        at={pageOf(address)}
        load={(page, signal) =>
          api.GET("", { query: { page, per_page: 20, ...(searched && { search: searched }) }, signal })
        }
        empty={<NoTables search={search} onClear={() => setQuery({ q: "", pagina: "" })} />}
      >
        {(tables) => <TableList tables={tables} />}
      </Listing>
    </section>
  );
}

function WaysIn(): ReactNode {
  const { can } = useCaller();
  return (
    <>
      {can("upload") && <Link href="/enviar" className="mt-button mt-button-primary">{t`Enviar arquivo`}</Link>}
      {can("create") && <Link href="/nova" className="mt-button mt-button-plain">{t`Criar tabela`}</Link>}
    </>
  );
}

function NoTables({ search, onClear }: { search: string; onClear: () => void }): ReactNode {
  if (search === "") {
    return (
      <Empty title={t`Nenhuma tabela ainda`}>
        <WaysIn />
      </Empty>
    );
  }
  return (
    <Empty title={t`Nenhuma tabela com “${search}” no nome`}>
      <Button onClick={onClear}>{t`Limpar a procura`}</Button>
    </Empty>
  );
}

function TableList({ tables }: { tables: readonly Table[] }): ReactNode {
  const api = useApi();
  const who = useWho();
  const loads = useQuery({
    queryKey: ["jobs", "latest loads"],
    queryFn: ({ signal }) => api.GET("/upload-jobs", { query: { status: "done", per_page: MOST_LOADS }, signal }),
  });
  return (
    <ul className="mt-list">
      {tables.map((table) => (
        <li key={table._id} className="mt-record">
          <Link href={`/tabelas/${table._id}`}>{table.title || table.display_name}</Link>
          <span>
            {plural(table.row_count, "linha")} · {plural(table.columns.length, "coluna")}
            {table.status === "inactive" && t` · inativa (só leitura)`}
          </span>
          <span className="mt-quiet">
            {table.created_by_user_id && t`${who(table.created_by_user_id)} criou · `}
            {t`Alterada em ${formatMoment(table.updated_at)}`}
          </span>
          {loads.data?.records
            .filter((job) => job.user_table_id === table._id && !job.undone_at)
            .slice(0, 1)
            .map((job) => (
              <Link key={job._id} href={`/envios/${job._id}`}>
                {t`Último envio: ${fileNames(job)}, em ${formatMoment(job.updated_at)}`}
              </Link>
            ))}
        </li>
      ))}
    </ul>
  );
}
