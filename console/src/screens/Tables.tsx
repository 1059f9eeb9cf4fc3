import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue } from "react";
import { Link } from "wouter";
import { useStatus, useTables } from "../api/queries";
import { answered } from "../api/session";
import { pageOf, useAddress } from "../ui/address";
import { useApi, useCaller } from "../ui/context";
import { TextField } from "../ui/fields";
import { Pager } from "../ui/Pager";
import { Button, Empty, Failure, Loading } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";

/** The company's tables: searched, counted, opened. */
export function Tables(): ReactNode {
  const status = useStatus();
  if (status.error) return <Failure error={status.error} onRetry={() => void status.refetch()} />;
  if (!status.data) return <Loading label="Carregando" />;
  return status.data.provisioned ? <List /> : <Activate />;
}

function Activate(): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const provision = useMutation({
    mutationFn: () => answered(api.POST("/v1/managed-tables/provision")),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["status"] }),
  });
  return (
    <Empty title="Meus Dados ainda não está ativo na sua empresa">
      {provision.error && <Failure error={provision.error} />}
      <Button kind="primary" disabled={provision.isPending} onClick={() => provision.mutate()}>
        {provision.isPending ? "Ativando…" : "Ativar Meus Dados"}
      </Button>
    </Empty>
  );
}

function List(): ReactNode {
  const [query, setQuery] = useAddress();
  const search = query.get("q") ?? "";
  const page = pageOf(query);
  const tables = useTables(page, useDeferredValue(search));
  return (
    <section aria-labelledby="tables-title">
      <div className="mt-title-bar">
        <h1 id="tables-title">Tabelas</h1>
        <div className="mt-actions">
          <WaysIn />
        </div>
      </div>
      <TextField label="Procurar tabela" type="search" value={search} onText={(q) => setQuery({ q, pagina: "" })} />
      {tables.error && <Failure error={tables.error} onRetry={() => void tables.refetch()} />}
      {!tables.data && !tables.error && <Loading label="Carregando as tabelas" />}
      {tables.data && <TableList data={tables.data} search={search} onClear={() => setQuery({ q: "", pagina: "" })} />}
      {tables.data && (
        <Pager
          page={page}
          perPage={20}
          total={tables.data.total}
          onPage={(next) => setQuery({ pagina: next > 1 ? String(next) : "" })}
        />
      )}
    </section>
  );
}

function WaysIn(): ReactNode {
  const { can } = useCaller();
  return (
    <>
      {can("upload") && (
        <Link href="/enviar" className="mt-button mt-button-primary">
          Enviar arquivo
        </Link>
      )}
      {can("create") && (
        <Link href="/nova" className="mt-button mt-button-plain">
          Criar tabela
        </Link>
      )}
    </>
  );
}

interface TableListProps {
  data: NonNullable<ReturnType<typeof useTables>["data"]>;
  search: string;
  onClear: () => void;
}

function TableList({ data, search, onClear }: TableListProps): ReactNode {
  if (data.records.length === 0 && search) {
    return (
      <Empty title={`Nenhuma tabela com “${search}” no nome`}>
        <Button onClick={onClear}>Limpar a procura</Button>
      </Empty>
    );
  }
  if (data.records.length === 0) {
    return (
      <Empty title="Nenhuma tabela ainda">
        <WaysIn />
      </Empty>
    );
  }
  return (
    <ul className="mt-cards">
      {data.records.map((table) => (
        <li key={table._id} className="mt-card">
          <h2>
            <Link href={`/tabelas/${table._id}`}>{table.title || table.display_name}</Link>
          </h2>
          {table.title && <p className="mt-quiet">{table.display_name}</p>}
          <p>
            {plural(table.row_count, "linha")} · {plural(table.columns.length, "coluna")}
            {table.status === "inactive" && " · inativa (só leitura)"}
          </p>
          <p className="mt-quiet">Alterada em {formatMoment(table.updated_at)}</p>
        </li>
      ))}
    </ul>
  );
}
