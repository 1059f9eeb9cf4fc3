import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { useStore } from "../ui/store";
import { formatCell } from "../values/cells";
import { GridControl } from "./control";
import { DataRow } from "./DataRow";
import { FootRow } from "./FootRow";
import { HeaderRow } from "./HeaderRow";
import { rangeIn } from "./model";
import type { GridProps } from "./types";
import { useViewport } from "./viewport";

/** A grid of any number of rows: only what shows is in the document, one cell has the focus. */
export function Grid(props: GridProps): ReactNode {
  const { columns } = props;
  const rowCount = props.rowCount + (props.hasNewRow ? 1 : 0);
  const widths = columns.map((column) => column.width);
  const frozen = columns.filter((column) => column.left !== null).length;
  const port = useViewport(rowCount, widths, frozen, props.rowHeight);
  const control = useMemo(() => new GridControl(), []);
  const state = useStore(control.state);
  const focus = useFocus(props, control, port.scroller, rowCount);
  const range = rangeIn(state);
  const [first, end] = port.rows;

  control.sheet = {
    rows: rowCount,
    data: props.rowCount,
    columns: columns.length,
    page: Math.max(Math.floor(port.extent.viewport / port.rowHeight) - 1, 1),
    isEditable: ({ column }) => columns[column]?.isEditable === true,
    textAt: (place) => textOf(props, place.row, place.column),
  };
  control.run = (command) => {
    if (command.do === "reveal") {
      focus.wants.current = true;
      port.reveal(command.place);
    } else props.onCommand(command);
  };

  const { onVisible } = props;
  useEffect(() => onVisible(first, Math.min(end, props.rowCount)), [onVisible, first, end, props.rowCount]);

  return (
    <div
      ref={port.scroller}
      className="mt-grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rowCount + 2}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-busy={props.isBusy}
      onScroll={port.onScroll}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing || event.target instanceof HTMLSelectElement) return;
        const { key, shiftKey: shift, altKey: alt } = event;
        const press = { key, shift, alt, control: event.ctrlKey || event.metaKey };
        if (control.dispatch({ kind: "key", ...press })) event.preventDefault();
      }}
      onPaste={(event) => {
        if (state.editing || state.active.row < 0) return;
        event.preventDefault();
        props.onCommand({ do: "paste", range, text: event.clipboardData.getData("text/plain") });
      }}
      onBlur={(event) => focus.left(event.currentTarget.contains(event.relatedTarget))}
      onFocus={focus.came}
    >
      <div className="mt-grid-extent" style={port.whole}>
        <div className="mt-grid-window" style={{ height: port.height, width: port.whole.width }}>
          <HeaderRow grid={props} shown={port.columns} active={state.active} dispatch={control.dispatch} />
          <div role="rowgroup" className="mt-grid-body">
            {Array.from({ length: end - first }, (_, place) => first + place).map((index) => (
              <DataRow
                key={index}
                index={index}
                y={index * port.rowHeight - port.top}
                height={port.rowHeight}
                shown={port.columns}
                state={state}
                grid={props}
                dispatch={control.dispatch}
              />
            ))}
          </div>
          <FootRow
            rowIndex={rowCount + 2}
            columns={columns}
            shown={port.columns}
            totals={props.totals}
            onTotal={props.onTotal}
          />
        </div>
      </div>
    </div>
  );
}

/** What a cell shows, and what its editor begins with; null where its row is not here. */
function textOf({ columns, rowAt, cellState, rowCount }: GridProps, index: number, place: number): string | null {
  const column = columns[place];
  if (index === rowCount) return "";
  const row = rowAt(index);
  if (!row || !column) return null;
  return cellState(row, column.name)?.text ?? formatCell(row[column.name], column.type);
}

/** The focus of a grid: in one cell, with its row when rows come again elsewhere, and back when its row was gone. */
function useFocus(
  { rowAt, indexOf, onRow, wanted }: GridProps,
  control: GridControl,
  scroller: React.RefObject<HTMLDivElement | null>,
  rowCount: number,
) {
  const { active, editing } = control.state.get();
  const wants = useRef(false);
  const has = useRef(false); // whether a cell has the focus, or had it when its row went
  const heldId = useRef<string | null>(null);
  const held = useRef(active);
  const activeId = active.row < 0 ? null : (rowAt(active.row)?.id ?? null);
  const wantedAt = wanted === null ? -1 : indexOf(wanted);

  useEffect(() => {
    const isMoved = held.current === active && heldId.current !== null && heldId.current !== activeId;
    const now = isMoved && heldId.current !== null ? indexOf(heldId.current) : -1;
    const row = now >= 0 ? now : Math.min(active.row, rowCount - 1);
    if (row !== active.row && rowCount > 0) {
      wants.current = has.current;
      control.dispatch({ kind: "moved", row });
      return;
    }
    if (held.current !== active || activeId !== null) heldId.current = activeId; // its row may not be here yet
    held.current = active;
    onRow(activeId);
  }, [activeId, active, rowCount]);

  useEffect(() => {
    if (wantedAt >= 0) control.dispatch({ kind: "focus", place: { row: wantedAt, column: 0 }, extend: false });
  }, [wanted, wantedAt]);

  useLayoutEffect(() => {
    if (!wants.current || editing) return;
    const cell = scroller.current?.querySelector<HTMLElement>('[data-active="true"]');
    if (cell && cell !== document.activeElement) cell.focus({ preventScroll: true });
    wants.current = false;
  });

  const left = (isWithin: boolean): void => {
    if (isWithin) return;
    has.current = false;
    onRow(null);
  };
  const came = (): void => {
    has.current = true;
    onRow(activeId);
  };
  return { wants, left, came };
}
