import type { components, paths } from "./schema";

type Schemas = components["schemas"];
/** The operations of each path, without the base that all share. */
export type Operations = {
  [Path in keyof paths as Path extends `/v1/managed-tables${infer Rest}` ? Rest : never]: paths[Path];
};
type Body<Path extends keyof Operations, Method extends keyof Operations[Path]> = Operations[Path][Method] extends {
  requestBody: { content: { "application/json": infer Content } };
}
  ? Content
  : never;

export type Table = Schemas["TableAnswer"];
export type TableChanges = Body<"/{table_id}", "put">;
export type Column = Schemas["Column"];
export type ColumnType = Column["type"];
export type ColumnFormat = NonNullable<Column["format"]>;
export type Job = Schemas["JobAnswer"];
export type Export = Schemas["ExportAnswer"];
export type InferredSchema = Schemas["InferredSchema"];
export type InferredColumn = Schemas["InferredColumn"];
export type ErrorBody = Schemas["ErrorBody"];
export type Query = Body<"/{table_id}/data/query", "post">;
export type Where = NonNullable<Query["where"]>;
export type Proof = NonNullable<Job["proofs"]>[number];
export type Difference = NonNullable<Job["recipe"]>["differences"][number];
export type ShownPicture = NonNullable<Difference["pictures"]>["after"];
export type Recipe = Schemas["Recipe"];
export type Rule = Schemas["Rule"];
export type RuleKind = Rule["kind"];
/** How many of a file's rows break a rule. */
export type FileRuleCheck = Job["checks"][number];
/** How many of a table's rows do. */
export type RuleCheck = Schemas["RuleChecksAnswer"]["records"][number];
export type Proposal = Schemas["Proposal"];
export type RowChange = Schemas["RowChange"];
export type RuleChange = Schemas["RuleChange"];
export type DeletedRow = Schemas["DeletedRow"];
/** A row, with its `_version` where that was asked for. */
export type RecordOfRow = Schemas["Row"];
export type SavedView = Schemas["ViewAnswer"];
export type ExportBody = Body<"/{table_id}/exports", "post">;
export type Reanalysis = Body<"/upload-jobs/{job_id}/reanalyze", "post">;
export type StatedTable = NonNullable<Reanalysis["tables"]>[number];
export type PresignedUpload = Schemas["PresignedUpload"];
export type MergePlan = Schemas["MergePlan"];
export type MergeConflict = Schemas["MergeConflict"];
export type Misfits = Schemas["MisfitsAnswer"];
export type Misfit = Misfits["records"][number];
export type Confirmation = Body<"/upload-jobs/{job_id}/confirm", "post">;

/** A cell as the API answers it with `numbers=string`. */
export type Cell = string | number | boolean | null | undefined;

export function fileNames(job: Job): string {
  return job.files.map((file) => file.original_name).join(", ");
}
