import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Ask } from "../ui/Ask";
import { useAnnounce } from "../ui/announce";
import { useApi, useCaller } from "../ui/context";
import { Check, type Choices, Select, TextField } from "../ui/fields";
import { t } from "../ui/language";
import { Button, Dialog, Failure } from "../ui/parts";
import { useParts } from "./parts";
import { bodyOf } from "./saved";

const MOST = 100;
const heights = (): Choices => [
  ["32", t`Linhas baixas`],
  ["64", t`Linhas médias`],
  ["128", t`Linhas altas`],
];

/** The views of a table that have a name, and the way to give the present one a name. */
export function Views(): ReactNode {
  const { table, handle } = useParts();
  const api = useApi();
  const { saved, isChanged, open } = handle;
  const [isSaving, setSaving] = useState(false);
  const views = useQuery({
    queryKey: ["views", table._id],
    queryFn: ({ signal }) =>
      api.GET("/{table_id}/views", { path: { table_id: table._id }, query: { per_page: MOST }, signal }),
  });
  const known = views.data?.records ?? (saved ? [saved] : []);
  return (
    <>
      <Select
        aria-label={t`Visão`}
        choices={[
          ["", t`Toda a tabela`],
          ...known.map((one) => [one._id, one.shared ? t`${one.name} (de todos)` : one.name] as const),
        ]}
        value={saved?._id ?? ""}
        onChoose={open}
      />
      <Select
        aria-label={t`Altura das linhas`}
        choices={heights()}
        value={String(handle.view.rowHeight)}
        onChoose={(height) => handle.change({ rowHeight: Number(height) })}
      />
      <Button onClick={() => setSaving(true)}>{saved && isChanged ? t`Gravar a visão mudada` : t`Gravar visão`}</Button>
      {isSaving && <SaveView onClose={() => setSaving(false)} />}
    </>
  );
}

function SaveView({ onClose }: { onClose: () => void }): ReactNode {
  const { table, handle } = useParts();
  const api = useApi();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const { userId } = useCaller();
  const { saved, view, open } = handle;
  const own = saved?.user_id === userId ? saved : null;
  const [name, setName] = useState(saved?.name ?? "");
  const [shared, setShared] = useState(own?.shared ?? false);
  const done = (said: string, id: string): void => {
    announce(said);
    onClose();
    open(id);
  };
  const save = useMutation({
    mutationFn: (id: string | null) => {
      const body = { ...bodyOf(table, view), name, shared };
      const path = { table_id: table._id };
      return id === null
        ? api.POST("/{table_id}/views", { path, body })
        : api.PUT("/{table_id}/views/{view_id}", { path: { ...path, view_id: id }, body });
    },
    onSuccess: (kept) => {
      queries.setQueryData(["view", table._id, kept._id], kept);
      done(t`Visão gravada`, kept._id);
    },
  });
  const remove = async (id: string): Promise<void> => {
    await api.DELETE("/{table_id}/views/{view_id}", { path: { table_id: table._id, view_id: id } });
    done(t`Visão apagada`, "");
  };
  return (
    <Dialog
      title={t`Gravar visão`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t`Fechar`}</Button>
          {own && (
            <Ask label={t`Apagar visão`} title={t`Apagar a visão ${own.name}?`} onGo={() => remove(own._id)}>
              <p>{t`As linhas da tabela ficam como estão.`}</p>
            </Ask>
          )}
          <Button disabled={save.isPending} kind={own ? "plain" : "primary"} onClick={() => save.mutate(null)}>
            {own ? t`Gravar como nova` : t`Gravar`}
          </Button>
          {own && (
            <Button
              kind="primary"
              disabled={save.isPending}
              onClick={() => save.mutate(own._id)}
            >{t`Gravar em ${own.name}`}</Button>
          )}
        </>
      }
    >
      <p className="mt-quiet">{t`Filtros, procura, ordem, rodapé, e quais colunas aparecem, onde e com que largura.`}</p>
      {save.error && <Failure error={save.error} />}
      <TextField label={t`Nome da visão`} value={name} maxLength={200} onText={setName} />
      <Check isChecked={shared} onCheck={setShared}>{t`Mostrar também aos colegas`}</Check>
    </Dialog>
  );
}
