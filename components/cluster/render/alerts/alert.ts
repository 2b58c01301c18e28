/** One alert, as the rules, the runbook and the tests know it. */
export interface Alert {
  readonly name: string;
  /** PromQL. */
  readonly expr: string;
  /** How long the expression must hold. */
  readonly for: string;
  readonly severity: "critical" | "warning" | "info";
  /** One line; many receivers show nothing else, so it says where. */
  readonly summary: string;
  /** What it means for people. What to do stands in the runbook. */
  readonly description: string;
}

/** What the alerts must know of the stack. */
export interface AlertScope {
  /** The registry's public HOST:PORT: an absent series has no labels to take it from. */
  readonly instance: string;
  /** Name of the Pulumi stack. */
  readonly stack: string;
  /** The registry whose images in use are checked, as images name it; without it, none are. */
  readonly imagesOf?: string | undefined;
  /** Whether collections remove what no tag needs, or only plan. */
  readonly collects: boolean;
  /** Whether the store is copied to another machine. */
  readonly backsUp: boolean;
  /** Whether images are copied out of the store. */
  readonly breaksGlass: boolean;
  /** Names of the synchronised sites. */
  readonly sites: readonly string[];
}

export const minutes = (count: number): number => count * 60;
export const hours = (count: number): number => count * 3600;
export const days = (count: number): number => hours(24 * count);
