import { useMutation } from "@tanstack/react-query";
import { type FocusEvent, type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { t } from "./language";
import { Button, type ButtonProps, Dialog, Failure } from "./parts";

const ITEM = "[data-rove]";

/** Keys and focus of a group that is one stop of Tab: arrows move between what is marked `data-rove` in it. */
export const roving = {
  onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const target = event.target;
    if (!(target instanceof HTMLElement) || !target.matches(ITEM)) return;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>(ITEM)];
    const items = all.filter((item) => item.checkVisibility()); // those of a menu that is shut are not
    items[items.indexOf(target) + step]?.focus();
  },
  onFocus(event: FocusEvent<HTMLElement>): void {
    const target = event.target;
    if (!(target instanceof HTMLElement) || !target.matches(ITEM)) return;
    for (const item of event.currentTarget.querySelectorAll<HTMLElement>(ITEM)) item.tabIndex = -1;
    target.tabIndex = 0;
  },
};

interface AskProps extends Pick<ButtonProps, "kind" | "about"> {
  label: ReactNode;
  /** What is asked; without it nothing is. */
  title?: string | undefined;
  keep?: string;
  /** What the yes says, where that is more than the label. */
  yes?: ReactNode;
  onGo: () => unknown;
  children?: ReactNode;
}

/** A button that shows what it failed by, and asks before it does what cannot simply be taken back. */
export function Ask({ label, about, kind = "quiet", title, keep = t`Manter`, yes = label, ...rest }: AskProps) {
  const { onGo, children } = rest;
  const [isAsked, setAsked] = useState(false);
  const run = useMutation({ mutationFn: (work: Promise<unknown>) => work, onSuccess: () => setAsked(false) });
  const go = (): void => {
    const work = onGo();
    if (work instanceof Promise) run.mutate(work);
    else setAsked(false); // what is done at once changes nothing elsewhere, and nothing is asked for again
  };
  const failure = run.error && <Failure error={run.error} />;
  return (
    <>
      <Button kind={kind} about={about} disabled={run.isPending} onClick={() => (title ? setAsked(true) : go())}>
        {label}
      </Button>
      {!title && failure}
      {isAsked && title && (
        <Dialog
          title={title}
          onClose={() => setAsked(false)}
          keep={keep}
          yes={yes}
          kind="danger"
          isBusy={run.isPending}
          onYes={go}
        >
          {children}
          {failure}
        </Dialog>
      )}
    </>
  );
}

interface MenuProps {
  /** What the button says to who cannot see it. */
  label: string;
  children: ReactNode;
  actions: readonly [string, () => void][];
  isDisabled?: boolean;
  className?: string;
  tabIndex?: number;
}

/** A button with a list of actions over everything else: nothing around it can cut it off. */
export function Menu({ label, children, actions, isDisabled = false, className = "", tabIndex = 0 }: MenuProps) {
  const id = useId();
  return (
    <>
      <button
        type="button"
        data-rove
        className={`mt-menu-button ${className}`}
        aria-label={label}
        aria-haspopup="menu"
        tabIndex={tabIndex}
        aria-disabled={isDisabled} // not disabled: the focus would be lost
        popoverTarget={isDisabled ? undefined : id}
      >
        {children}
      </button>
      <div
        id={id}
        popover="auto"
        className="mt-menu-list"
        onToggle={(event) => {
          if (event.newState === "open") event.currentTarget.querySelector("button")?.focus();
        }}
        onFocus={(event) => event.stopPropagation()} // a menu within a group keeps its own place
        onKeyDown={(event) => {
          event.stopPropagation();
          roving.onKeyDown(event);
          if (event.key === "Tab") event.currentTarget.hidePopover();
        }}
      >
        {actions.map(([name, run]) => (
          <Button
            key={name}
            kind="quiet"
            data-rove
            onClick={(event) => {
              event.currentTarget.parentElement?.hidePopover(); // first: the focus goes back to the button
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
