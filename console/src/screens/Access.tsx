import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { answered } from "../api/session";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Dialog, Failure, Loading } from "../ui/parts";

/** The read-only login for BI tools. */
export default function Access(): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [isShown, setShown] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const connection = useQuery({
    queryKey: ["connection"],
    queryFn: ({ signal }) => answered(api.GET("/v1/managed-tables/connection", { signal })),
  });
  const rotate = useMutation({
    mutationFn: () => answered(api.POST("/v1/managed-tables/connection/rotate")),
    onSuccess: async () => {
      setAsked(false);
      announce("Senha nova gerada");
      await queries.invalidateQueries({ queryKey: ["connection"] });
    },
  });
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
        <Button onClick={() => setAsked(true)}>Gerar nova senha</Button>
      </div>
      {isAsked && (
        <Dialog
          title="Gerar uma senha nova?"
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>Manter a atual</Button>
              <Button kind="danger" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
                Gerar nova senha
              </Button>
            </>
          }
        >
          <p>A senha atual para de funcionar na hora: troque-a em cada programa que a usa.</p>
          {rotate.error && <Failure error={rotate.error} />}
        </Dialog>
      )}
    </section>
  );
}
