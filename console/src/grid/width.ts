const PADDING = 20;
const HEADER_EXTRAS = 72; // the sign of the type, the sort and the menu
const WIDEST = 640;

/** Return the width that shows a label and the cells that are in sight in full. */
export function fittingWidth(label: string, cells: readonly Element[]): number {
  const context = document.createElement("canvas").getContext("2d");
  const [sample] = cells;
  if (!context || !sample) return WIDEST / 4;
  context.font = getComputedStyle(sample).font;
  const widths = cells.map((cell) => context.measureText(cell.textContent ?? "").width + PADDING);
  return Math.ceil(Math.min(Math.max(context.measureText(label).width + HEADER_EXTRAS, ...widths), WIDEST));
}
