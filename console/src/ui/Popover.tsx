import { type ReactNode, useId } from "react";
import { Button } from "./parts";

interface PopoverProps {
  label: ReactNode;
  /** What lies over the page; what it is given shuts it. */
  children: (shut: () => void) => ReactNode;
}

/** A button with a panel over everything else, where it was asked for: Escape and a click outside shut it. */
export function Popover({ label, children }: PopoverProps) {
  const id = useId();
  const shut = (): void => document.getElementById(id)?.hidePopover();
  return (
    <>
      <Button popoverTarget={id}>{label}</Button>
      <div id={id} popover="auto" className="mt-menu-list mt-popover">
        {children(shut)}
      </div>
    </>
  );
}
