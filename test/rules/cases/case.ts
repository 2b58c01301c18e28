/** When an alert must fire, and when not. Steps are minutes, and time 0 of promtool is the Unix epoch. */
export interface AlertCase {
  /** What the case is about, as a sentence. */
  readonly title: string;
  readonly alert: string;
  /** Series and their values, as promtool writes them. */
  readonly input: Readonly<Record<string, string>>;
  /** First minute at which the expression holds. */
  readonly holdsFromMinute: number;
  /** Labels of the alert, but for alertname and severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** What `{{ $value ... }}` becomes in the summary. */
  readonly value?: string;
  /** What must never fire it, evaluated over the same time. Empty is no series at all. */
  readonly quiet: Readonly<Record<string, string>>;
}

/** Constant values over more time than any case needs. */
export const always = (value: number): string => `${value}+0x3000`;

/** A timestamp that every minute says "now". */
export const fresh = "0+60x3000";
