import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from "react";
import { t } from "./language";
import { Field, type FieldProps } from "./parts";

export type Choices<Value extends string = string> = readonly (readonly [value: Value, label: string])[];

export interface SelectProps<Value extends string>
  extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange"> {
  choices: Choices<Value>;
  value: Value;
  onChoose: (value: Value) => void;
}

/** A drop-down; a value that is none of its choices is shown as it is. */
export function Select<Value extends string>({ choices, value, onChoose, ...rest }: SelectProps<Value>): ReactNode {
  const isKnown = choices.some(([one]) => one === value);
  return (
    <select {...rest} value={value} onChange={(event) => onChoose(event.target.value as Value)}>
      {!isKnown && <option value={value}>{value || t`nenhum`}</option>}
      {choices.map(([one, label]) => (
        <option key={one} value={one}>
          {label}
        </option>
      ))}
    </select>
  );
}

type Labelled = Pick<FieldProps, "label" | "hint" | "error" | "className">;

export function SelectField<Value extends string>({
  label,
  hint,
  error,
  ...rest
}: Labelled & SelectProps<Value>): ReactNode {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <Select {...ids} {...rest} />}
    </Field>
  );
}

type TextProps = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> & { onText: (text: string) => void };

export function TextField({ label, hint, error, className, onText, ...rest }: Labelled & TextProps): ReactNode {
  return (
    <Field label={label} hint={hint} error={error} {...(className ? { className } : {})}>
      {(ids) => <input {...ids} {...rest} onChange={(event) => onText(event.target.value)} />}
    </Field>
  );
}

export interface CheckProps {
  isChecked: boolean;
  isDisabled?: boolean;
  onCheck: (isChecked: boolean) => void;
  children: ReactNode;
}

export function Check({ isChecked, isDisabled = false, onCheck, children }: CheckProps): ReactNode {
  return (
    <label className="mt-check">
      <input
        type="checkbox"
        checked={isChecked}
        disabled={isDisabled}
        onChange={(event) => onCheck(event.target.checked)}
      />{" "}
      {children}
    </label>
  );
}

interface RadiosProps<Value extends string> {
  legend: string;
  choices: Choices<Value>;
  value: Value;
  onChoose: (value: Value) => void;
}

export function Radios<Value extends string>({ legend, choices, value, onChoose }: RadiosProps<Value>): ReactNode {
  return (
    <fieldset className="mt-choices">
      <legend>{legend}</legend>
      {choices.map(([one, label]) => (
        <label key={one}>
          <input type="radio" name={legend} checked={value === one} onChange={() => onChoose(one)} /> {label}
        </label>
      ))}
    </fieldset>
  );
}
