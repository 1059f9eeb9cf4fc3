import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { t } from "./language";
import { Button, type ButtonProps, Dialog, Failure } from "./parts";

interface AskProps {
  label: ReactNode;
  kind?: NonNullable<ButtonProps["kind"]>;
  /** What is asked; without it nothing is. */
  title?: string;
  keep?: string;
  /** What the yes says, where that is more than the label. */
  yes?: ReactNode;
  onGo: () => unknown;
  children?: ReactNode;
}

/** A button that shows what it failed by, and asks before it does what cannot simply be taken back. */
export function Ask({
  label,
  kind = "quiet",
  title,
  keep = t`Manter`,
  yes = label,
  onGo,
  children,
}: AskProps): ReactNode {
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
      <Button kind={kind} disabled={run.isPending} onClick={() => (title ? setAsked(true) : go())}>
        {label}
      </Button>
      {!title && failure}
      {isAsked && title && (
        <Dialog
          title={title}
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>{keep}</Button>
              <Button kind="danger" disabled={run.isPending} onClick={go}>
                {yes}
              </Button>
            </>
          }
        >
          {children}
          {failure}
        </Dialog>
      )}
    </>
  );
}
