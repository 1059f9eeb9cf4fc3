import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";
import { Button, Failure, Form, TextField } from "../ui/parts";
import { toName } from "../values/words";
import { ColumnFields, type DraftColumn, emptyDraft, faultsByColumn, toColumns } from "./columns";

/** A table by hand: its name, its columns. */
export default function NewTable() {
  const { api } = useConsole();
  const [, navigate] = useLocation();
  const [title, setTitle] = useState("");
  const [name, setName] = useState("");
  const [columns, setColumns] = useState<readonly DraftColumn[]>([emptyDraft()]);
  const create = useMutation({
    mutationFn: () => {
      const titled = title && title !== name ? { title } : {};
      return api.POST("", { body: { display_name: name, columns: toColumns(columns), ...titled } });
    },
    onSuccess: (table) => navigate(`/tabelas/${table._id}`),
  });
  return (
    <Form onSubmit={() => create.mutate()} aria-labelledby="new-title">
      <h1 id="new-title">{t`Criar tabela`}</h1>
      {create.error && <Failure error={create.error} />}
      <TextField
        label={t`Título`}
        value={title}
        maxLength={200}
        onText={(text) => {
          if (name === "" || name === toName(title)) setName(toName(text));
          setTitle(text);
        }}
      />
      <TextField
        label={t`Nome da tabela`}
        hint={t`Letras minúsculas, números e _; é o nome que programas de BI veem`}
        required
        value={name}
        spellCheck={false}
        onText={setName}
      />
      <h2>{t`Colunas`}</h2>
      <ColumnFields columns={columns} onChange={setColumns} faults={faultsByColumn(create.error)} />
      <div className="mt-actions">
        <Button onClick={() => setColumns([...columns, emptyDraft()])}>{t`Acrescentar coluna`}</Button>
        <Button kind="primary" type="submit" disabled={create.isPending}>
          {create.isPending ? t`Criando…` : t`Criar tabela`}
        </Button>
      </div>
    </Form>
  );
}
