import type { components, paths } from "./schema";

type Schemas = components["schemas"];
type Body<Path extends keyof paths, Method extends keyof paths[Path]> = paths[Path][Method] extends {
  requestBody: { content: { "application/json": infer Content } };
}
  ? Content
  : never;

export type Table = Schemas["TableAnswer"];
export type Column = Schemas["Column"];
export type ColumnType = Column["type"];
export type ColumnFormat = NonNullable<Column["format"]>;
export type Job = Schemas["JobAnswer"];
export type Export = Schemas["ExportAnswer"];
export type InferredSchema = Schemas["InferredSchema"];
export type InferredColumn = Schemas["InferredColumn"];
export type ErrorBody = Schemas["ErrorBody"];
export type Query = Body<"/v1/managed-tables/{table_id}/data/query", "post">;
export type Where = NonNullable<Query["where"]>;
export type Difference = NonNullable<Job["recipe"]>["differences"][number];
export type Recipe = Schemas["Recipe"];
export type RowChange = Schemas["RowChange"];
export type DeletedRow = Schemas["DeletedRow"];
/** A row, with its `_version` where that was asked for. */
export type RecordOfRow = Schemas["Row"];
export type SavedView = Schemas["ViewAnswer"];
export type ViewBody = Body<"/v1/managed-tables/{table_id}/views", "post">;
export type ExportBody = Body<"/v1/managed-tables/{table_id}/exports", "post">;
export type Reanalysis = Body<"/v1/managed-tables/upload-jobs/{job_id}/reanalyze", "post">;
export type StatedTable = NonNullable<Reanalysis["tables"]>[number];
export type Confirmation = Body<"/v1/managed-tables/upload-jobs/{job_id}/confirm", "post">;

/** A cell as the API answers it with `numbers=string`. */
export type Cell = string | number | boolean | null | undefined;

export function fileNames(job: Job): string {
  return job.files.map((file) => file.original_name).join(", ");
}
