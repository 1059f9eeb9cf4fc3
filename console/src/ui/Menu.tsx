import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";
import { Button } from "./parts";

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
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = (): void => {
    const box = button.current?.getBoundingClientRect();
    if (!list.current || !box) return;
    const { width, height } = list.current.getBoundingClientRect();
    const below = box.bottom + height <= window.innerHeight;
    list.current.style.left = `${Math.max(Math.min(box.left, window.innerWidth - width - 8), 8)}px`;
    list.current.style.top = `${Math.max(below ? box.bottom : box.top - height, 8)}px`;
    list.current.querySelector("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const items = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Tab") list.current?.hidePopover();
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    items[(at + step + items.length) % items.length]?.focus();
  };
  return (
    <>
      <button
        ref={button}
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
          if (event.newState === "open") place();
        }}
        onKeyDown={onKeyDown}
      >
        {actions.map(([name, run]) => (
          <Button
            key={name}
            kind="quiet"
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
