import { useLocation } from "wouter";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";

/** A way to see what becomes of a file, for whoever has none at hand; it comes when it is asked for. */
export function SampleFile() {
  const { uploads } = useConsole();
  const [, navigate] = useLocation();
  const send = async (): Promise<void> => {
    const { sampleFile } = await import("./sample");
    void uploads.begin([sampleFile()], null);
    navigate("/enviar");
  };
  return <Ask label={t`Experimentar com um arquivo de exemplo`} onGo={send} />;
}
