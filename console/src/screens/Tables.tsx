import { Link } from "wouter";
import { fileNames, type Table } from "../api/types";
import { useConsole, useGet } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { Listing, useAddress } from "../ui/Listing";
import { t } from "../ui/language";
import { Button, Empty, Pending, TextField } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { SampleFile } from "./SampleFile";

/** The company's tables: searched, counted, opened. */
export function Tables() {
  const { api } = useConsole();
  const status = useGet("/status", {});
  if (!status.data) return <Pending query={status} label={t`Carregando`} />;
  if (status.data.provisioned) return <List />;
  return (
    <Empty title={t`Meus Dados ainda não está ativo na sua empresa`}>
      <Ask label={t`Ativar Meus Dados`} kind="primary" onGo={() => api.POST("/provision")} />
    </Empty>
  );
}

function List() {
  const { api, can } = useConsole();
  const { query, change, at } = useAddress();
  const search = query.get("q") ?? "";
  return (
    <section aria-labelledby="tables-title">
      <div className="mt-title-bar">
        <h1 id="tables-title">{t`Tabelas`}</h1>
        <div className="mt-actions">
          <WaysIn />
        </div>
      </div>
      <TextField label={t`Procurar tabela`} type="search" value={search} onValue={(q) => change({ q, pagina: "" })} />
      <Listing
        queryKey={["tables", search]}
        at={at}
        load={(page, signal) => api.GET("", { query: { page, per_page: 20, ...(search && { search }) }, signal })}
        empty={
          search === "" ? (
            <div className="mt-start">
              <Empty
                title={t`Nenhuma tabela ainda`}
                hint={t`Envie uma planilha ou um CSV como está: você confere como foi lido, e as linhas ficam prontas para filtrar, editar e usar no BI.`}
              >
                <WaysIn />
                {can("upload") && <SampleFile />}
              </Empty>
            </div>
          ) : (
            <Empty title={t`Nenhuma tabela com “${search}” no nome`}>
              <Button onClick={() => change({ q: "", pagina: "" })}>{t`Limpar a procura`}</Button>
            </Empty>
          )
        }
      >
        {(table) => <TableCard key={table._id} table={table} />}
      </Listing>
    </section>
  );
}

function WaysIn() {
  const { can } = useConsole();
  return (
    <>
      {can("upload") && <Link href="/enviar" className="mt-button mt-button-primary">{t`Enviar arquivo`}</Link>}
      {can("create") && <Link href="/nova" className="mt-button mt-button-plain">{t`Criar tabela`}</Link>}
    </>
  );
}

function TableCard({ table }: { table: Table }) {
  const { who } = useConsole();
  const loads = useGet("/upload-jobs", { query: { status: "done", per_page: 100 } }); // of all tables, newest first
  const load = loads.data?.records.find((job) => job.user_table_id === table._id && !job.undone_at);
  return (
    <li className="mt-record">
      <Link href={`/tabelas/${table._id}`}>{table.title || table.display_name}</Link>
      <span>
        {plural(table.row_count, "linha")} · {plural(table.columns.length, "coluna")}
        {table.status === "inactive" && t` · inativa (só leitura)`}
      </span>
      <span className="mt-quiet">
        {table.created_by_user_id && t`${who(table.created_by_user_id)} criou · `}
        {t`Alterada em ${formatMoment(table.updated_at)}`}
      </span>
      {load && (
        <Link href={`/envios/${load._id}`}>
          {t`Último envio: ${fileNames(load)}, em ${formatMoment(load.updated_at)}`}
        </Link>
      )}
    </li>
  );
}
