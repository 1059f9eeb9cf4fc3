import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import type { ColumnType } from "../api/types";

/** How an edit ends: kept and moving on, kept where the focus went elsewhere, or given up. */
export type EditEnd = "cancel" | "down" | "right" | "left" | "blur";

export interface CellEditorProps {
  label: string;
  text: string;
  type: ColumnType;
  onEnd: (outcome: EditEnd, text: string) => void;
}

/** The field inside a cell: Enter keeps and goes down, Tab to the side, Escape gives up. */
export function CellEditor({ label, text, type, onEnd }: CellEditorProps): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => {
    field.current?.focus({ preventScroll: true });
    const end = field.current?.value.length ?? 0;
    field.current?.setSelectionRange(end, end);
  }, []);
  const end = (outcome: EditEnd): void => {
    if (ended.current) return;
    ended.current = true;
    onEnd(outcome, field.current?.value ?? "");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return; // a dead key or an input method: its Enter is not ours
    event.stopPropagation();
    if (event.key === "Escape") end("cancel");
    else if (event.key === "Enter") end("down");
    else if (event.key === "Tab") end(event.shiftKey ? "left" : "right");
    else return;
    event.preventDefault();
  };
  const isNumber = type === "integer" || type === "decimal";
  return (
    <input
      ref={field}
      className="mt-cell-editor"
      aria-label={label}
      defaultValue={text}
      inputMode={isNumber ? "decimal" : "text"}
      onKeyDown={onKeyDown}
      onBlur={() => end("blur")}
    />
  );
}
