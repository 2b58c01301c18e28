/** What a cluster has of the monitoring that ran before the stack; no secret. */
export interface ClusterFacts {
  readonly namespace: string;
  readonly probe: ProbeFact | undefined;
  /** Of the probe's account; its values are not read. */
  readonly account: OwnedFact | undefined;
  readonly alerts: readonly AlertsFact[];
  /** Whether the Prometheus operator's kind of rules is there. */
  readonly hasOperator: boolean;
  readonly groups: GroupsFact;
}

/** An object with the names of the programs that set its fields. */
export interface OwnedFact {
  readonly name: string;
  readonly managers: readonly string[];
}

export interface ProbeFact extends OwnedFact {
  readonly schedule: string;
  readonly image: string;
  /** Variables with a plain value. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Alert rules about the registry, where they stand. */
export interface AlertsFact {
  /** `KIND NAME`. */
  readonly where: string;
  readonly names: readonly string[];
}

/** Groups of a Pushgateway with a label `job` of the probe, or why they could not be read. */
export type GroupsFact =
  | { readonly state: "read"; readonly groups: readonly Readonly<Record<string, string>>[] }
  | { readonly state: "unchecked"; readonly why: string };
