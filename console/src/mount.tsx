import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { App } from "./App";
import { ApiFailure, openSession, type SessionOptions } from "./api/session";
import { UploadQueue } from "./api/uploads";
import "./styles.css";
import { Announcer } from "./ui/announce";
import { SessionProvider } from "./ui/context";
import { setZone } from "./values/dates";

export interface MountOptions extends SessionOptions {
  /** The path under which the console's own paths lie, such as `/meus-dados`. */
  base?: string;
  /** The deployment's zone: times are shown and typed by its clocks. São Paulo's, if not said. */
  timezone?: string;
  /** Hears the path of each screen. */
  onNavigate?: (path: string) => void;
}

const RETRIES = 2;

/** Show the console inside an element; the function that comes back takes it away, with all that it holds. */
export function mount(element: HTMLElement, options: MountOptions): () => void {
  const queries = new QueryClient({
    defaultOptions: {
      queries: { retry: isWorthRetrying, retryDelay: delayOf, refetchOnWindowFocus: false, staleTime: 5_000 },
    },
  });
  if (options.timezone) setZone(options.timezone);
  const session = openSession(options);
  const uploads = new UploadQueue(session.api);
  void session.meet();
  const root = createRoot(element);
  root.render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <SessionProvider value={{ ...session, uploads }}>
          <Announcer>
            <Router base={options.base ?? ""}>
              <App onNavigate={options.onNavigate} />
            </Router>
          </Announcer>
        </SessionProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
  return () => {
    queries.clear();
    uploads.close();
    root.unmount();
  };
}

function isWorthRetrying(count: number, error: Error): boolean {
  if (!(error instanceof ApiFailure) || count >= RETRIES) return false;
  return error.status === 0 || error.status === 429 || error.status === 503;
}

function delayOf(count: number, error: Error): number {
  const asked = error instanceof ApiFailure ? error.retryAfterSeconds : null;
  return asked === null ? 1_000 * 2 ** count : asked * 1_000;
}
