import { useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { t } from "../ui/language";
import { useStore } from "../ui/store";
import { GridControl, type GridParts, rangeIn } from "./control";
import { DataRow } from "./DataRow";
import { FootRow } from "./FootRow";
import { HeaderRow } from "./HeaderRow";
import { NEW_ROW } from "./rows";
import { type SheetParts, useParts } from "./sheet";
import { shownColumns } from "./view";
import { ROW_HEIGHT, useViewport } from "./viewport";

const ROWS_BEFORE_THE_FIRST_ANSWER = 20;

/** A grid of any number of rows: only what shows is in the document, one cell has the focus. */
export function Grid() {
  const parts = useParts();
  const { table, view, rows, isEditable } = parts;
  const room = window.innerWidth / 2; // else those that stay would cover all others on a phone
  const columns = useMemo(() => shownColumns(table, view, room), [table, view, room]);
  const shownBefore = useRef(ROWS_BEFORE_THE_FIRST_ANSWER);
  if (rows.total !== null) shownBefore.current = rows.total;
  const dataCount = shownBefore.current;
  const rowCount = dataCount + (isEditable && rows.total !== null ? 1 : 0);
  const widths = columns.map((column) => column.width);
  const frozen = columns.filter((column) => column.left !== null).length;
  const port = useViewport(rowCount, widths, frozen, Math.max(view.row_height, ROW_HEIGHT));
  const control = useMemo(() => new GridControl(), []);
  const state = useStore(control.state);
  const focus = useFocus(parts, control, port.scroller, rowCount);
  const [first, end] = port.rows;
  const grid: GridParts = { sheet: parts, columns, rows: rowCount, data: dataCount, port, state, control };
  control.drawn = grid;

  useEffect(() => rows.show(first, Math.min(end, dataCount)), [rows.show, first, end, dataCount]);

  return (
    <div
      ref={port.scroller}
      className="mt-grid"
      role="grid"
      aria-label={t`Linhas de ${table.title || table.display_name}`}
      aria-rowcount={rowCount + 2}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-busy={rows.total === null}
      onScroll={port.onScroll}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing || event.target instanceof HTMLSelectElement) return;
        if (control.press(event)) event.preventDefault();
      }}
      onPaste={(event) => {
        if (state.editing || state.active.row < 0) return;
        event.preventDefault();
        const text = event.clipboardData.getData("text/plain");
        if (text !== "") void control.paste(rangeIn(state), text); // a picture is no empty text
      }}
      onBlur={(event) => focus.left(event.currentTarget.contains(event.relatedTarget))}
      onFocus={focus.came}
    >
      <div className="mt-grid-extent" style={port.whole}>
        <div className="mt-grid-window" style={{ height: port.height, width: port.whole.width }}>
          <HeaderRow grid={grid} />
          <div role="rowgroup" className="mt-grid-body">
            {Array.from({ length: end - first }, (_, place) => first + place).map((index) => (
              <DataRow key={index} index={index} grid={grid} />
            ))}
          </div>
          <FootRow rowIndex={rowCount + 2} grid={grid} />
        </div>
      </div>
    </div>
  );
}

/** The focus of a grid: in one cell, with its row when rows come again elsewhere, and back when its row was gone. */
function useFocus(
  { rows: { rowAt, indexOf, total }, isEditable, onRow, wanted, setWanted }: SheetParts,
  control: GridControl,
  scroller: React.RefObject<HTMLDivElement | null>,
  rowCount: number,
) {
  const { active, anchor, editing } = control.state.get();
  const has = useRef(false); // whether a cell has the focus, or had it when its row went
  const heldId = useRef<string | null>(null);
  const held = useRef(active);
  const foot = isEditable ? total : null;
  const activeId = active.row === foot ? NEW_ROW.id : (rowAt(active.row)?.id ?? null);
  const wantedAt = wanted === null ? -1 : indexOf(wanted);

  useEffect(() => {
    const { current: id } = heldId;
    const isMoved = held.current === active && id !== null && id !== activeId;
    const now = isMoved ? (id === NEW_ROW.id ? (foot ?? -1) : indexOf(id)) : -1;
    const row = now >= 0 ? now : Math.min(active.row, rowCount - 1);
    if (row !== active.row && rowCount > 0) {
      control.wantsFocus = has.current;
      const moved = anchor && { ...anchor, row: anchor.row + row - active.row };
      control.state.update({ active: { ...active, row }, anchor: moved }); // to where they are now
      return;
    }
    if (held.current !== active || activeId !== null) heldId.current = activeId; // its row may not be here yet
    held.current = active;
    onRow(activeId);
  }, [activeId, active, rowCount]);

  useEffect(() => {
    if (wantedAt < 0 || control.state.get().editing) return; // as it is now: a key may have come since this was drawn
    setWanted(null); // from here on the focus is the person's
    if (activeId !== NEW_ROW.id && !control.isAtWork) control.focus({ row: wantedAt, column: 0 });
    else if (activeId === NEW_ROW.id && control.coming?.id === wanted)
      control.focus({ ...active, row: wantedAt }, false, has.current);
  }, [wantedAt, editing]);

  useLayoutEffect(() => {
    if (!control.wantsFocus || editing) return;
    const cell = scroller.current?.querySelector<HTMLElement>('[data-active="true"]');
    if (cell && cell !== document.activeElement) cell.focus({ preventScroll: true });
    control.wantsFocus = false;
  });

  const left = (isWithin: boolean): void => {
    if (isWithin) return;
    has.current = false;
    control.isAtWork = false;
    if (document.hasFocus()) control.coming = null; // and not the window alone was left
    onRow(null);
  };
  const came = (): void => {
    has.current = true;
    onRow(activeId);
  };
  return { left, came };
}
