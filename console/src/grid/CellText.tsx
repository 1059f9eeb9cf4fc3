import type { Column } from "../api/types";
import { listOf } from "../rules/choices";
import { useParts } from "./sheet";
import { ROW_HEIGHT } from "./viewport";

const MOST_SHOWN = 500; // characters of a cell
const COLOURS = 8;

/** What a cell says: a value of a list in its colour, an address as a link. */
export function CellText({ column, text }: { column: Column; text: string }) {
  const { table, view } = useParts();
  const shown = text.slice(0, MOST_SHOWN).replace(/\r\n|\r|\n/g, view.row_height > ROW_HEIGHT ? "\n" : " ↵ ");
  const place = listOf(table, column.name)?.indexOf(text) ?? -1;
  if (place >= 0) return <span className={`mt-choice mt-choice-${place % COLOURS}`}>{shown}</span>;
  const address = column.type === "text" ? addressOf(text) : null;
  if (address === null) return shown;
  return (
    <a href={address} target="_blank" rel="noreferrer" tabIndex={-1}>
      {shown}
    </a>
  );
}

/** Return where a text that is an address leads to; null for any other. */
export function addressOf(text: string): string | null {
  if (/^https?:\/\/[^\s"<>]+$/i.test(text)) return text;
  return /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(text) ? `mailto:${text}` : null;
}
