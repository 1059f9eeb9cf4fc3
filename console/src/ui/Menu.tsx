import { type ReactNode, useId, useRef } from "react";
import { Button } from "./parts";
import { roving } from "./roving";

export interface MenuProps {
  /** What the button says to who cannot see it. */
  label: string;
  children: ReactNode;
  actions: readonly [string, () => void][];
  isDisabled?: boolean;
  className?: string;
  tabIndex?: number;
}

/** A button with a list of actions over everything else: nothing around it can cut it off. */
export function Menu({ label, children, actions, isDisabled = false, className = "", ...rest }: MenuProps): ReactNode {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  return (
    <>
      <button
        type="button"
        data-rove
        className={`mt-menu-button ${className}`}
        aria-label={label}
        aria-haspopup="menu"
        tabIndex={rest.tabIndex ?? 0}
        aria-disabled={isDisabled} // not disabled: the focus would be lost
        popoverTarget={isDisabled ? undefined : id}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        className="mt-menu-list"
        onToggle={(event) => {
          if (event.newState === "open") list.current?.querySelector("button")?.focus();
        }}
        onFocus={(event) => event.stopPropagation()} // a menu within a group keeps its own place
        onKeyDown={(event) => {
          event.stopPropagation();
          roving.onKeyDown(event);
          if (event.key === "Tab") list.current?.hidePopover();
        }}
      >
        {actions.map(([name, run]) => (
          <Button
            key={name}
            kind="quiet"
            data-rove
            onClick={() => {
              list.current?.hidePopover();
              run();
            }}
          >
            {name}
          </Button>
        ))}
      </div>
    </>
  );
}
