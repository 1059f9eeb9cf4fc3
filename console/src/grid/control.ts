import { Store } from "../ui/store";
import { type Command, type GridEvent, type GridState, type Sheet, START, step } from "./model";

/** A grid's state and the way events reach it; whoever shows the grid says what it holds, and runs its commands. */
export class GridControl {
  readonly state = new Store<GridState>(START);
  sheet!: Sheet; // said by each drawing of the grid, before any event
  run: (command: Command) => void = () => {};

  /** Take an event; false where it is none of the grid's. */
  readonly dispatch = (event: GridEvent): boolean => {
    const next = step(this.state.get(), event, this.sheet);
    this.state.set(next.state);
    for (const command of next.commands) this.run(command);
    return next.isTaken;
  };
}
