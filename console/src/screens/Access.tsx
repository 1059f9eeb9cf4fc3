import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { answered } from "../api/session";
import { Ask } from "../ui/Ask";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Failure, Loading } from "../ui/parts";

/** The read-only login for BI tools. */
export default function Access(): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [isShown, setShown] = useState(false);
  const connection = useQuery({
    queryKey: ["connection"],
    queryFn: ({ signal }) => answered(api.GET("/v1/managed-tables/connection", { signal })),
  });
  const rotate = async (): Promise<void> => {
    await answered(api.POST("/v1/managed-tables/connection/rotate"));
    announce("Senha nova gerada");
    void queries.invalidateQueries({ queryKey: ["connection"] });
  };
  if (connection.error) return <Failure error={connection.error} onRetry={() => void connection.refetch()} />;
  if (!connection.data) return <Loading label="Carregando o acesso" />;
  const { host, port, database, user, password, sslmode } = connection.data;
  const rows: [string, string][] = [
    ["Servidor", host],
    ["Porta", String(port)],
    ["Banco de dados", database],
    ["Usuário", user],
    ["Senha", isShown ? password : "••••••••••••"],
    ["SSL", sslmode],
  ];
  return (
    <section aria-labelledby="access-title">
      <h1 id="access-title">Acesso para BI</h1>
      <p>Somente leitura: serve para Power BI, Metabase, Excel e outros programas que leem PostgreSQL.</p>
      <dl className="mt-facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
            </dd>
          </div>
        ))}
      </dl>
      <div className="mt-actions">
        <Button aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? "Esconder senha" : "Mostrar senha"}
        </Button>
        <Button
          onClick={() => {
            void navigator.clipboard?.writeText(password);
            announce("Senha copiada");
          }}
        >
          Copiar senha
        </Button>
        <Ask
          label="Gerar nova senha"
          kind="plain"
          title="Gerar uma senha nova?"
          keep="Manter a atual"
          go="Gerar nova senha"
          onGo={rotate}
        >
          <p>A senha atual para de funcionar na hora: troque-a em cada programa que a usa.</p>
        </Ask>
      </div>
    </section>
  );
}
