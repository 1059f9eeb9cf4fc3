import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef } from "react";
import type { ColumnType } from "../api/types";
import type { EditEnd } from "./model";

export interface CellEditorProps {
  label: string;
  text: string;
  type: ColumnType;
  isNullable: boolean;
  /** Whether the text is what was typed over the cell, and so a change already. */
  isTyped: boolean;
  /** Hears the text, or null where it was not changed. */
  onEnd: (outcome: EditEnd, text: string | null) => void;
}

type FieldElement = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** The field inside a cell: Enter keeps and goes down, Tab to the side, Escape gives up; Alt+Enter breaks a line. */
export function CellEditor({ label, text, type, isNullable, isTyped, onEnd }: CellEditorProps): ReactNode {
  const field = useRef<FieldElement>(null);
  const begun = useRef(""); // as the field shows it: it has line feeds alone
  const isEnded = useRef(false);
  const end = (outcome: EditEnd, element: FieldElement | null): void => {
    if (isEnded.current) return;
    isEnded.current = true;
    const written = element?.value ?? "";
    onEnd(outcome, !isTyped && written === begun.current ? null : asWritten(written, text));
  };
  const latest = useRef(end);
  latest.current = end;
  useEffect(() => {
    const element = field.current;
    begun.current = element?.value ?? "";
    element?.focus({ preventScroll: true });
    if (element && !(element instanceof HTMLSelectElement)) {
      element.setSelectionRange(element.value.length, element.value.length);
    }
    return () => {
      if (element && !element.isConnected) latest.current("blur", element); // its row was scrolled away
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return; // a dead key or an input method: its Enter is not ours
    event.stopPropagation();
    const outcome = outcomeOf(event);
    if (outcome) end(outcome, field.current);
    else if (event.key === "Enter" && event.altKey) breakLine(event.currentTarget);
    else return;
    event.preventDefault();
  };
  const shared = {
    className: "mt-cell-editor",
    "aria-label": label,
    onKeyDown,
    onBlur: () => end("blur", field.current),
  };
  if (type === "boolean") {
    return (
      <select ref={field as RefObject<HTMLSelectElement>} {...shared} defaultValue={choiceOf(text)}>
        {isNullable && <option value="">(vazia)</option>}
        <option value="Sim">Sim</option>
        <option value="Não">Não</option>
      </select>
    );
  }
  if (type === "text") {
    const lines = Math.min(text.split(/\r\n|\r|\n/).length, 8);
    return <textarea ref={field as RefObject<HTMLTextAreaElement>} {...shared} rows={lines} defaultValue={text} />;
  }
  const mode = type === "integer" || type === "decimal" ? "decimal" : "text";
  return <input ref={field as RefObject<HTMLInputElement>} {...shared} defaultValue={text} inputMode={mode} />;
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

function choiceOf(text: string): string {
  if (/^[s1v]/i.test(text)) return "Sim";
  return /^[n0f]/i.test(text) ? "Não" : "";
}
