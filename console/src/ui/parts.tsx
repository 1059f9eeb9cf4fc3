import {
  Calendar,
  CalendarClock,
  DecimalsArrowRight,
  Hash,
  SquareCheck,
  Check as Tick,
  TriangleAlert,
  Type,
} from "lucide-react";
import { type ComponentProps, createElement, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { ApiFailure, detailsOf } from "../api/session";
import type { ColumnType } from "../api/types";
import { formatCount } from "../values/numbers";
import { useConsole } from "./context";
import { t } from "./language";
import type { Edited } from "./store";

/** Join the names of classes, without those that do not hold. */
export function classes(...names: readonly (string | false | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

export interface ButtonProps extends ComponentProps<"button"> {
  kind?: "primary" | "plain" | "danger" | "quiet";
  /** What it is about, told to who cannot see where it stands. */
  about?: string | undefined;
}

/** A button; one that is disabled keeps the focus, which the browser's own would lose to the page. */
export function Button({ kind = "plain", className = "", type = "button", disabled = false, ...all }: ButtonProps) {
  const { about, children, ...rest } = all;
  const held: ComponentProps<"button"> = { "aria-disabled": true, onClick: (event) => event.preventDefault() };
  const classNames = `mt-button mt-button-${kind} ${className}`;
  return (
    <button type={type} className={classNames} {...rest} {...(disabled ? held : {})}>
      {children}
      {about && <span className="mt-hidden"> {about}</span>}
    </button>
  );
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean }) => ReactNode;
}

/** A field with its label, its hint and what is wrong with it, all told to who cannot see them. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div className="mt-field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": told && `${id}-told`, "aria-invalid": Boolean(error) })}
      {told && (
        <p id={`${id}-told`} className={error ? "mt-field-error" : "mt-field-hint"}>
          {error && <TriangleAlert />} {told}
        </p>
      )}
    </div>
  );
}

type FormProps = Omit<ComponentProps<"form">, "onSubmit"> & { onSubmit: (form: HTMLFormElement) => void };

/** A form that the page itself takes. */
export function Form({ onSubmit, ...rest }: FormProps) {
  return (
    <form
      {...rest}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(event.currentTarget);
      }}
    />
  );
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** What can be done besides. */
  actions?: ReactNode;
  /** What the way on is called; it is the form's, or else `onYes`. */
  yes?: ReactNode;
  onYes?: () => void;
  kind?: ButtonProps["kind"];
  /** Whether the way on is under way. */
  isBusy?: boolean;
  /** Makes a form of it all. */
  onSubmit?: FormProps["onSubmit"];
  /** Whether closing it asks, once something was written in it. */
  isAsking?: boolean;
  /** What the way back is called. */
  keep?: string;
  /** Whether it stands at the side, as high as the page: for lists. */
  isSide?: boolean;
}

/** The browser's own dialog: it holds the focus, closes by Escape, and gives the focus back. */
export function Dialog({ title, onClose, onSubmit, keep = t`Fechar`, kind = "primary", isSide, ...rest }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const { written, leaveBy } = useConsole();
  const close = rest.isAsking ? () => leaveBy(onClose) : onClose;
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    if (dialog && dialog.scrollTop > 0) dialog.querySelector("h2")?.focus(); // and not a button at its end
    return () => {
      dialog?.close();
      if (rest.isAsking) written.set(false);
      if (before instanceof HTMLElement && before.isConnected) before.focus(); // not given back by one of two that go at once
    };
  }, []);
  const inner = (
    <>
      {rest.children}
      <div className="mt-actions">
        <Button onClick={close}>{keep}</Button>
        {rest.actions}
        {rest.yes && (
          <Button
            kind={kind}
            type={onSubmit ? "submit" : "button"}
            disabled={rest.isBusy ?? false}
            onClick={rest.onYes}
          >
            {rest.yes}
          </Button>
        )}
      </div>
    </>
  );
  return (
    <dialog
      ref={element}
      className={isSide ? "mt-dialog mt-side" : "mt-dialog"}
      aria-labelledby={id}
      onInput={() => rest.isAsking && written.set(true)}
      onClose={({ currentTarget: dialog }) => {
        if (dialog.open) return;
        dialog.showModal(); // it was closed by a second Escape, which the browser lets nobody prevent
        close();
      }}
      onCancel={(event) => {
        event.stopPropagation(); // a dialog around this one would hear it, too
        if (!event.cancelable) return;
        event.preventDefault();
        close();
      }}
    >
      <h2 id={id} tabIndex={-1}>
        {title}
      </h2>
      {onSubmit ? <Form onSubmit={onSubmit}>{inner}</Form> : inner}
    </dialog>
  );
}

/** A sentence about what went wrong. */
export function Alert({ children, kind = "error" }: { children: ReactNode; kind?: "error" | "warning" }) {
  return (
    <p className={`mt-note mt-note-${kind}`} role="alert">
      <TriangleAlert /> {children}
    </p>
  );
}

interface FailureProps {
  error: unknown;
  onRetry?: (() => void) | null | undefined;
  children?: ReactNode;
}

/** What went wrong, in the API's own words, with what can be done. */
export function Failure({ error, onRetry, children }: FailureProps) {
  const failure = error instanceof ApiFailure ? error : null;
  const all = detailsOf(error);
  const counted = all.filter(({ count }) => count !== undefined); // values of a column, each with its rows
  const details = new Set(all.filter((one) => !counted.includes(one)).map((detail) => detailText(detail)));
  // Of a body that a page has made the details say it all; the sentence names its places as programs do.
  const isOfBody = /^INVALID_(REQUEST|SCHEMA)$/.test(failure?.code ?? "") && all.length > 0;
  return (
    <div className="mt-note mt-note-error" role="alert">
      <p>
        <strong>
          <TriangleAlert />{" "}
          {isOfBody ? t`Isto não serve` : failure ? failure.message : t`Algo deu errado nesta página. Tente de novo`}
        </strong>
      </p>
      {details.size > 0 && (
        <ul>
          {[...details].slice(0, 20).map((detail) => (
            <li key={detail}>{detail}</li>
          ))}
        </ul>
      )}
      {counted.length > 0 && <Refused values={counted} />}
      {children}
      {onRetry && <Retry failure={failure} onRetry={onRetry} />}
    </div>
  );
}

/** The values that a column cannot have, the commonest first, and how often each stands in it. */
function Refused({ values }: { values: ReturnType<typeof detailsOf> }) {
  const reasons = new Set(values.map(({ reason }) => reason));
  return [...reasons].map((reason) => (
    <table key={reason} className="mt-compare">
      <caption>{reason}</caption>
      <thead>
        <tr>
          <th scope="col">{t`Valor`}</th>
          <th scope="col">{t`Quantas vezes`}</th>
        </tr>
      </thead>
      <tbody>
        {values
          .filter((one) => one.reason === reason)
          .map(({ value, count }, at) => (
            <tr key={at}>
              <td>{String(value)}</td>
              <td className="mt-number">{formatCount(count ?? 1)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  ));
}

/** The way to try again; where the server asked for a pause it counts down and then tries by itself. */
function Retry({ failure, onRetry }: { failure: ApiFailure | null; onRetry: () => void }) {
  const [left, setLeft] = useState(0);
  useEffect(() => setLeft(failure?.retryAfterSeconds ?? 0), [failure]);
  useEffect(() => {
    if (left <= 0) return;
    const timer = window.setTimeout(() => {
      setLeft(left - 1);
      if (left === 1) onRetry();
    }, 1_000);
    return () => window.clearTimeout(timer);
  }, [left]);
  return <Button onClick={onRetry}>{left > 0 ? t`Tentar de novo (em ${left} s)` : t`Tentar de novo`}</Button>;
}

/** Write a detail as `vendas.csv, linha 3, coluna B (valor): "abc" não é um número`; `letter` is the file's column. */
export function detailText(detail: Partial<Record<string, unknown>>, letter?: string): string {
  const text = (name: string): string => String(detail[name] ?? "");
  const isShown = detail["value"] === null || ["string", "boolean"].includes(typeof detail["value"]);
  const places = [
    text("file"),
    text("sheet") && t`aba ${text("sheet")}`,
    text("line") && t`linha ${text("line")}`,
    text("row") && t`${Number(text("row")) + 1}ª linha enviada`,
    text("column") && (letter ? t`coluna ${letter} (${text("column")})` : t`coluna ${text("column")}`),
    !text("column") && !isShown && text("path"),
  ].filter(Boolean);
  const value = isShown ? `"${text("value")}" ` : ""; // counts, and a key's values, are said by the reason
  return `${places.join(", ")}${places.length > 0 ? ": " : ""}${value}${text("reason")}`;
}

const WAKING_MS = 3_000; // a database that sleeps takes longer than any other answer

interface LoadingProps {
  label: string;
  /** What is said where it takes long; what asks no database says something else. */
  late?: string;
}

export function Loading({ label, late = t`Acordando o banco de dados; pode levar alguns segundos` }: LoadingProps) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), WAKING_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div className="mt-skeleton" role="status">
      <span className="mt-hidden">{label}</span>
      {isLate && navigator.onLine && <span>{late}</span>}
      <i />
      <i />
      <i />
    </div>
  );
}

/** What stands there until an answer comes: that it is on its way, or what it failed by. */
export function Pending({ query, ...said }: LoadingProps & { query: { error: unknown; refetch: () => unknown } }) {
  if (!query.error) return <Loading {...said} />;
  return <Failure error={query.error} onRetry={() => void query.refetch()} />;
}

interface EmptyProps {
  title: string;
  /** What can be done here, and what comes of it. */
  hint?: string;
  children?: ReactNode;
}

export function Empty({ title, hint, children }: EmptyProps) {
  return (
    <div className="mt-empty">
      <p>
        <strong>{title}</strong>
      </p>
      {hint && <p className="mt-quiet">{hint}</p>}
      <div className="mt-actions">{children}</div>
    </div>
  );
}

/** Names, and what stands for each. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="mt-facts">
      {facts.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function ProgressBar({ label, percent }: { label: string; percent: number | null }) {
  return (
    <div className="mt-progress">
      <span>{label}</span>
      <progress aria-label={label} max={100} {...(percent === null ? {} : { value: percent })} />
      <span>{percent === null ? "" : `${Math.floor(percent)} %`}</span>
    </div>
  );
}

export function Steps({ now }: { now: 1 | 2 | 3 }) {
  return (
    <ol className="mt-steps mt-actions mt-quiet" aria-label={t`Etapas`}>
      {[t`Enviar`, t`Revisar`, t`Importar`].map((name, index) => (
        <li key={name} {...(index + 1 === now ? { "aria-current": "step" as const } : {})}>
          {index + 1 < now ? <Tick /> : `${index + 1}.`} {name}
        </li>
      ))}
    </ol>
  );
}

const ICONS = {
  text: Type,
  integer: Hash,
  decimal: DecimalsArrowRight,
  boolean: SquareCheck,
  date: Calendar,
  datetime: CalendarClock,
};

export const TypeIcon = ({ type }: { type: ColumnType }) => createElement(ICONS[type]);

export type Choices<Value extends string = string> = readonly (readonly [value: Value, label: string])[];

type SelectProps<Value extends string> = Omit<ComponentProps<"select">, "value" | "onChange"> &
  Edited<Value> & { choices: Choices<Value> };

/** A drop-down; a value that is none of its choices is shown as it is. */
export function Select<Value extends string>({ choices, value, onValue, ...rest }: SelectProps<Value>) {
  const isKnown = choices.some(([one]) => one === value);
  return (
    <select {...rest} value={value} onChange={(event) => onValue(event.target.value as Value)}>
      {!isKnown && <option value={value}>{value || t`nenhum`}</option>}
      {choices.map(([one, label]) => (
        <option key={one} value={one}>
          {label}
        </option>
      ))}
    </select>
  );
}

type Labelled = Pick<FieldProps, "label" | "hint" | "error">;

export function SelectField<Value extends string>({ label, hint, error, ...rest }: Labelled & SelectProps<Value>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <Select {...ids} {...rest} />}
    </Field>
  );
}

type TextProps = Omit<ComponentProps<"input">, "onChange"> & Pick<Edited<string>, "onValue">;

export function TextField({ label, hint, error, onValue, ...rest }: Labelled & TextProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <input {...ids} {...rest} onChange={(event) => onValue(event.target.value)} />}
    </Field>
  );
}

type CheckProps = Omit<ComponentProps<"input">, "value"> & Edited<boolean>;

export function Check({ value, onValue, children, ...rest }: CheckProps) {
  return (
    <label className="mt-check">
      <input {...rest} type="checkbox" checked={value} onChange={(event) => onValue(event.target.checked)} /> {children}
    </label>
  );
}

type RadiosProps<Value extends string> = Edited<Value> & { legend: string; choices: Choices<Value> };

export function Radios<Value extends string>({ legend, choices, value, onValue }: RadiosProps<Value>) {
  return (
    <fieldset className="mt-choices">
      <legend>{legend}</legend>
      {choices.map(([one, label]) => (
        <label key={one}>
          <input type="radio" name={legend} checked={value === one} onChange={() => onValue(one)} /> {label}
        </label>
      ))}
    </fieldset>
  );
}
