import { MutationCache, notifyManager, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, Suspense, use } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { App, type AppProps } from "./App";
import { ApiFailure, openSession, type SessionOptions } from "./api/session";
import { UploadQueue } from "./api/uploads";
import "./styles.css";
import { ConsoleProvider } from "./ui/context";
import { type Language, language, preferredLanguage, speak } from "./ui/language";
import { Failure } from "./ui/parts";
import { useStore } from "./ui/store";
import { setZone } from "./values/dates";

export interface MountOptions extends SessionOptions {
  /** The path under which the console's own paths lie, such as `/meus-dados`. */
  base?: string;
  /** The deployment's zone: times are shown and typed by its clocks. São Paulo's, if not said. */
  timezone?: string;
  /** What is spoken at first; else what was chosen before, or what the browser asks for. */
  language?: Language;
  /** Hears the path of each screen. */
  onNavigate?: (path: string) => void;
}

const RETRIES = 2;

/** Show the console inside an element; the function that comes back takes it away, with all that it holds. */
export function mount(element: HTMLElement, options: MountOptions): () => void {
  notifyManager.setScheduler(queueMicrotask); // a button that has begun holds before a second click comes
  // What was done may show anywhere, and what failed may be done all the same; a mutation that `asksItself` asks for it.
  const askAgain: MutationCache["config"]["onSuccess"] = (_data, _variables, _before, { meta }) =>
    meta?.["asksItself"] || queries.invalidateQueries();
  const queries = new QueryClient({
    mutationCache: new MutationCache({ onSuccess: askAgain, onError: (...all) => void askAgain(...all) }),
    defaultOptions: {
      mutations: { networkMode: "always" }, // without a network it fails, and says so
      queries: { retry: isWorthRetrying, retryDelay: delayOf, refetchOnWindowFocus: false, staleTime: 5_000 },
    },
  });
  if (options.timezone) setZone(options.timezone);
  const session = openSession(options);
  const uploads = new UploadQueue(session.api);
  const ready = speak(options.language ?? preferredLanguage()).catch(() => {}); // Portuguese, where English did not come
  const root = createRoot(element, {
    onUncaughtError: (error) => {
      queries.clear(); // so that trying again asks again
      root.render(<Failure error={error} onRetry={show} />); // in place of a white page
    },
  });
  const show = (): void =>
    root.render(
      <StrictMode>
        <QueryClientProvider client={queries}>
          <ConsoleProvider session={session} uploads={uploads}>
            <Router base={options.base ?? ""}>
              <Suspense>
                <Spoken ready={ready} onNavigate={options.onNavigate} />
              </Suspense>
            </Router>
          </ConsoleProvider>
        </QueryClientProvider>
      </StrictMode>,
    );
  show();
  return () => {
    queries.clear();
    uploads.abortAll();
    root.unmount();
  };
}

/** The console in the language that is chosen; another one begins every screen again. */
function Spoken({ ready, onNavigate }: AppProps & { ready: Promise<void> }) {
  use(ready);
  const spoken = useStore(language);
  return <App key={spoken} onNavigate={onNavigate} />;
}

function isWorthRetrying(count: number, error: Error): boolean {
  return count < RETRIES && error instanceof ApiFailure && error.isPassing && error.status !== 401;
}

function delayOf(count: number, error: Error): number {
  const asked = error instanceof ApiFailure ? error.retryAfterSeconds : null;
  return asked === null ? 1_000 * 2 ** count : asked * 1_000;
}
