import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";

const Announce = createContext<(text: string) => void>(() => {});

/** Say something to who cannot see it; the last of several within a moment is said. */
export function useAnnounce(): (text: string) => void {
  return useContext(Announce);
}

/** One polite live region for the whole console, which also shows what it says. */
export function Announcer({ children }: { children: ReactNode }): ReactNode {
  const [text, setText] = useState("");
  const timer = useRef(0);
  const announce = useCallback((said: string) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setText(said), 150);
  }, []);
  return (
    <Announce value={announce}>
      {children}
      <p className="mt-live" role="status" aria-live="polite">
        {text}
      </p>
    </Announce>
  );
}
