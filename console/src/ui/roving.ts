import type { FocusEvent, KeyboardEvent } from "react";

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
