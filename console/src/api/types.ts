import type { components } from "./schema";

type Schemas = components["schemas"];

export type Table = Schemas["TableAnswer"];
export type Column = Schemas["Column"];
export type ColumnType = Column["type"];
export type Job = Schemas["JobAnswer"];
export type InferredSchema = Schemas["InferredSchema"];
export type InferredColumn = Schemas["InferredColumn"];
export type ErrorBody = Schemas["ErrorBody"];
