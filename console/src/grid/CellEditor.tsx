import { type KeyboardEvent, useEffect, useEffectEvent, useRef } from "react";
import type { Column } from "../api/types";
import { CellField, type FieldElement } from "./CellField";
import type { EditEnd, Editing } from "./editing";

type CellEditorProps = { column: Column; editing: Editing; onEnd: (end: EditEnd, text: string | null) => void };

/** The field inside a cell: Enter keeps and goes down, Tab to the side, Escape gives up; Alt+Enter breaks a line. */
export function CellEditor({ column, editing, onEnd }: CellEditorProps) {
  const { text, isTyped } = editing;
  const field = useRef<FieldElement>(null);
  const begun = useRef(""); // as the field shows it: it has line feeds alone
  const isEnded = useRef(false);
  const end = (outcome: EditEnd, element: FieldElement | null): void => {
    if (isEnded.current) return;
    isEnded.current = true;
    const written = element?.value ?? "";
    onEnd(outcome, !isTyped && written === begun.current ? null : asWritten(written, text));
  };
  const leave = useEffectEvent(end);
  useEffect(() => {
    const element = field.current;
    begun.current = element?.value ?? "";
    element?.focus({ preventScroll: true });
    if (element && !(element instanceof HTMLSelectElement)) {
      element.setSelectionRange(element.value.length, element.value.length);
    }
    return () => {
      if (element && !element.isConnected) leave("blur", element); // its row was scrolled away
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return; // a dead key or an input method: its Enter is not ours
    event.stopPropagation();
    const outcome = outcomeOf(event);
    if (outcome) end(outcome, field.current);
    else if (event.key === "Enter" && event.altKey) breakLine(event.target);
    else return;
    event.preventDefault();
  };
  return (
    <span
      className="mt-cell-line"
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) end("blur", field.current); // and not to its calendar
      }}
    >
      <CellField
        column={column}
        text={text}
        isNullable={column.nullable}
        field={field}
        className="mt-cell-editor"
        aria-label={column.display_name}
      />
    </span>
  );
}

function outcomeOf({ key, shiftKey, altKey }: KeyboardEvent): EditEnd | null {
  if (key === "Escape") return "cancel";
  if (key === "Enter" && !altKey) return shiftKey ? "up" : "down";
  if (key === "Tab") return shiftKey ? "left" : "right";
  return null;
}

function breakLine(element: EventTarget): void {
  if (!(element instanceof HTMLTextAreaElement)) return;
  element.setRangeText("\n", element.selectionStart, element.selectionEnd, "end");
}

/** A field has line feeds alone: what a text had goes back in. */
function asWritten(written: string, before: string): string {
  const lineEnd = /\r\n|\r|\n/.exec(before)?.[0] ?? "\n";
  return lineEnd === "\n" ? written : written.replaceAll("\n", lineEnd);
}
