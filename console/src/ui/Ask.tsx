import { type ReactNode, useState } from "react";
import { Button, type ButtonProps, Dialog, Failure } from "./parts";

interface AskProps {
  label: ReactNode;
  kind?: NonNullable<ButtonProps["kind"]>;
  /** What is asked; without it nothing is. */
  title?: string;
  keep?: string;
  go?: string;
  onGo: () => unknown;
  children?: ReactNode;
}

/** A button that shows what it failed by, and asks before it does what cannot simply be taken back. */
export function Ask({ label, kind = "quiet", title, keep, go, onGo, children }: AskProps): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (): Promise<void> => {
    setPending(true);
    setError(null);
    try {
      await onGo();
      setAsked(false);
    } catch (fault) {
      setError(fault);
    } finally {
      setPending(false);
    }
  };
  return (
    <>
      <Button kind={kind} disabled={isPending} onClick={() => (title ? setAsked(true) : void run())}>
        {label}
      </Button>
      {!title && error !== null && <Failure error={error} />}
      {isAsked && title && (
        <Dialog
          title={title}
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>{keep}</Button>
              <Button kind="danger" disabled={isPending} onClick={() => void run()}>
                {go}
              </Button>
            </>
          }
        >
          {children}
          {error !== null && <Failure error={error} />}
        </Dialog>
      )}
    </>
  );
}
