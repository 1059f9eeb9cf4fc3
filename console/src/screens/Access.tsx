import { useState } from "react";
import { useConsole, useGet } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Facts, Pending } from "../ui/parts";
import { putOnClipboard } from "../values/cells";

/** The read-only login for BI tools. */
export default function Access() {
  const { api, announce } = useConsole();
  const [isShown, setShown] = useState(false);
  const connection = useGet("/connection", {});
  const rotate = async (): Promise<void> => {
    await api.POST("/connection/rotate");
    announce(t`Senha nova gerada`);
  };
  const copy = async (text: string): Promise<void> =>
    announce((await putOnClipboard(text)) ? t`Senha copiada` : t`O navegador não deixa copiar daqui`);
  if (!connection.data) return <Pending query={connection} label={t`Carregando o acesso`} />;
  const { host, port, database, user, password, sslmode } = connection.data;
  const rows: [string, string][] = [
    [t`Servidor`, host],
    [t`Porta`, String(port)],
    [t`Banco de dados`, database],
    [t`Usuário`, user],
    [t`Senha`, isShown ? password : "••••••••••••"],
    ["SSL", sslmode],
  ];
  return (
    <section aria-labelledby="access-title">
      <h1 id="access-title">{t`Acesso para BI`}</h1>
      <p>{t`Somente leitura: serve para Power BI, Metabase, Excel e outros programas que leem PostgreSQL.`}</p>
      <Facts facts={rows.map(([name, value]) => [name, <code key={name}>{value}</code>])} />
      <div className="mt-actions">
        <Button aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? t`Esconder senha` : t`Mostrar senha`}
        </Button>
        <Ask label={t`Copiar senha`} kind="plain" onGo={() => copy(password)} />
        <Ask
          label={t`Gerar nova senha`}
          kind="plain"
          title={t`Gerar uma senha nova?`}
          keep={t`Manter a atual`}
          onGo={rotate}
        >
          <p>{t`A senha atual para de funcionar na hora: troque-a em cada programa que a usa.`}</p>
        </Ask>
      </div>
    </section>
  );
}
