import { type Context, useContext, useEffect, useEffectEvent, useState, useSyncExternalStore } from "react";

/** A state that lives outside React: whoever reads it by `useStore` is drawn again when it changes. */
export class Store<State> {
  private readonly listeners = new Set<() => void>();

  constructor(private state: State) {}

  readonly get = (): State => this.state;

  readonly set = (next: State): void => {
    if (Object.is(next, this.state)) return;
    this.state = next;
    for (const listener of this.listeners) listener();
  };

  readonly update = (changes: Partial<State>): void => this.set({ ...this.state, ...changes });

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** Hear events of the window, wherever they happen. */
export function useWindowEvents<Kind extends keyof WindowEventMap>(
  kinds: readonly Kind[],
  hear: (event: WindowEventMap[Kind]) => void,
): void {
  const heard = useEffectEvent(hear);
  useEffect(() => {
    const left = new AbortController();
    for (const kind of kinds) window.addEventListener(kind, (event) => heard(event), { signal: left.signal });
    return () => left.abort();
  }, []);
}

/** Return what is being written once it has not changed for a moment. */
export function useSettled<Value>(written: Value, milliseconds: number): Value {
  const [settled, setSettled] = useState(written);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(() => written), milliseconds);
    return () => window.clearTimeout(timer);
  }, [written, milliseconds]);
  return settled;
}

export function useStore<State>(store: Store<State>): State {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** Return what a context shares; throws `missing` where nothing around provides it. */
export function useShared<Shared>(context: Context<Shared | null>, missing: string): Shared {
  const shared = useContext(context);
  if (!shared) throw new Error(missing);
  return shared;
}

/** What a field is of: its value, and who hears another one. */
export interface Edited<Value> {
  value: Value;
  onValue: (value: Value) => void;
}

/** Return how a field shows a part of a draft, and changes it: `<Check {...field("nullable")}>`. */
export function fieldsOf<Draft extends object>(draft: Draft, change: (changes: Partial<Draft>) => void) {
  return <Part extends keyof Draft>(part: Part) => ({
    value: draft[part],
    onValue: (value: Draft[Part]): void => change({ [part]: value } as unknown as Partial<Draft>),
  });
}
