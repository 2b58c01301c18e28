/**
 * What a VM that runs a registry has, as data: everything that a configuration is made from, and everything that the
 * stack will not manage. Secrets are not among it: no password, no hash, no private key leaves the host.
 */
export interface HostFacts {
  readonly system: SystemFacts;
  /** Where the registry's files lie, absolute. */
  readonly directory: string;
  /** Mount point below `directory` that the private registry's data lies on; undefined where it is on the root disk. */
  readonly dataMount: string | undefined;
  readonly entries: readonly EntryFact[];
  /** By path; values of passwords are hidden. */
  readonly texts: ReadonlyMap<string, string>;
  /** Names in password files, by path. */
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** PEM text by path, certificates only. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly containers: readonly ContainerFact[];
  readonly images: readonly ImageFact[];
  /** Lines of all crontabs that are no comment and no variable. */
  readonly cronLines: readonly CronLineFact[];
  /** Harmful jobs elsewhere than in crontabs. */
  readonly otherJobs: readonly JobFact[];
  readonly units: readonly UnitFact[];
  readonly timers: readonly string[];
  readonly ports: readonly PortFact[];
  readonly dns: DnsFacts;
}

export interface SystemFacts {
  /** As os-release has it. */
  readonly os: string;
  readonly hostname: string;
  readonly timeZone: string;
  readonly engine: string;
  readonly compose: string;
}

/** What lies in the registry's directory, stores left out. */
export interface EntryFact {
  readonly path: string;
  /** As `find -printf %y`: `f`, `d`, `l` or another. */
  readonly type: string;
  /** Octal, four digits. */
  readonly mode: string;
  readonly owner: string;
  readonly sizeBytes: number;
}

export interface MountFact {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface ContainerFact {
  readonly name: string;
  /** The reference that it was made from. */
  readonly image: string;
  readonly imageId: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly MountFact[];
  /** `HOST PORT:CONTAINER PORT`. */
  readonly ports: readonly string[];
  readonly isReadOnly: boolean;
  readonly droppedCapabilities: readonly string[];
  /** 0 without a limit. */
  readonly memoryBytes: number;
  readonly networks: readonly string[];
  /** The few variables that say what a UI shows. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ImageFact {
  readonly id: string;
  /** References by tag. */
  readonly tags: readonly string[];
  /** `NAME@sha256:...`, as registries know it. */
  readonly digests: readonly string[];
}

export interface CronLineFact {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  readonly line: string;
  /** Why it must not run beside a registry; undefined where it may. */
  readonly harm: string | undefined;
}

/** A line that must not run beside a registry, in a unit or in a script that something scheduled runs. */
export interface JobFact {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** As it stands there. */
  readonly line: string;
  /** Whether the line alone is the command; else it goes on in the next. */
  readonly isOneLine: boolean;
  readonly harm: string;
}

export interface UnitFact {
  readonly name: string;
  /** Text of its file; empty where it has none. */
  readonly text: string;
  readonly isEnabled: boolean;
  readonly isActive: boolean;
}

export interface PortFact {
  readonly port: number;
  readonly program: string;
}

export interface DnsFacts {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
  /** Files that set them. */
  readonly files: readonly string[];
}
