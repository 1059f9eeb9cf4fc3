import { Calendar, CalendarClock, DecimalsArrowRight, Hash, SquareCheck, Type } from "lucide-react";
import type { ReactNode } from "react";
import type { ColumnType } from "../api/types";

const ICONS = {
  text: Type,
  integer: Hash,
  decimal: DecimalsArrowRight,
  boolean: SquareCheck,
  date: Calendar,
  datetime: CalendarClock,
};

export function TypeIcon({ type }: { type: ColumnType }): ReactNode {
  const Icon = ICONS[type];
  return <Icon />;
}
