import { type RefObject, useEffect } from "react";

/**
 * Keep the keyboard's place: where what had the focus has left the document, and nothing else took the focus, it goes
 * to `home` instead of falling to the body, from where Tab would begin anew.
 */
export function useFocusKept(home: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = home.current;
    if (!element) return;
    let last: Element | null = null;
    const remember = (event: FocusEvent): void => {
      last = event.target as Element;
    };
    const observer = new MutationObserver(() => {
      if (last && !last.isConnected && document.activeElement === document.body) element.focus({ preventScroll: true });
    });
    element.addEventListener("focusin", remember);
    observer.observe(element, { childList: true, subtree: true });
    return () => {
      element.removeEventListener("focusin", remember);
      observer.disconnect();
    };
  }, [home]);
}
