import type { CSSProperties } from "react";
import type { Column } from "../api/types";
import { placeInList } from "../rules/choices";
import { useParts } from "./sheet";
import { ROW_HEIGHT } from "./viewport";

const MOST_SHOWN = 500; // characters of a cell
const HUES = [210, 130, 40, 0, 280, 175, 320, 80]; // of the values of a list, in turn

/** What a cell says: a value of a list in its colour, an address as a link. */
export function CellText({ column, text }: { column: Column; text: string }) {
  const { table, view } = useParts();
  const shown = text.slice(0, MOST_SHOWN).replace(/\r\n|\r|\n/g, view.row_height > ROW_HEIGHT ? "\n" : " ↵ ");
  const place = placeInList(table, column.name, text);
  if (place !== undefined) {
    const hue = { "--mt-hue": HUES[place % HUES.length] } as CSSProperties;
    return (
      <span className="mt-choice" style={hue}>
        {shown}
      </span>
    );
  }
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
