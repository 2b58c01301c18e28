import * as v from "valibot";
import type { Backups } from "../remote/write.ts";
import type { SshHost } from "../ssh/host.ts";

/** Property bags as they cross the engine's protocol: plain JSON, secrets unwrapped, unknowns as {@link unknown}. */
export type Bag = Record<string, unknown>;

/** Stands for a value that is not known before the update runs. Source: pulumi sdk/go/common/resource/plugin/rpc.go. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A resource as the engine last recorded it. */
export interface Recorded<Inputs> {
  readonly inputs: Inputs;
  readonly outputs: Bag;
}

/**
 * One type of resource. All functions take and return plain bags. `Inputs` holds what is declared together with what
 * `check` adds: observed fields with the value that they should have (`type: "file"`), so that the engine shows a
 * deviation by name.
 */
export interface ResourceKind<Inputs extends object> {
  readonly schema: v.GenericSchema<unknown, Inputs>;
  /** A change of one of these makes another resource of it. */
  readonly replaceOn: readonly (keyof Inputs & string)[];
  /** The old one must go first, because the two would be in each other's way. */
  readonly deleteBeforeReplace?: boolean;
  /** Inputs that say how a thing is done, not what it is: their change alone is no difference. */
  readonly settings: readonly (keyof Inputs & string)[];
  /**
   * What was recorded, in the terms of what is declared: an import reads without knowing that. Only what cannot be
   * known otherwise may become what is declared.
   */
  readonly inTermsOf?: (old: Inputs, declared: Inputs) => Inputs;
  /** Inputs whose keys may be secret: what differs in one is named by the input alone. */
  readonly opaque?: readonly (keyof Inputs & string)[];
  /** It asks nothing of the host but an answer: what the host has is not checked before. */
  readonly needsAnswerOnly?: boolean;
  create(host: SshHost, inputs: Inputs): Promise<{ id: string; outputs: Bag }>;
  /**
   * Undefined when it is gone. Never when it could not be checked: that throws. Without anything recorded it is an
   * import: then all inputs are what was found.
   */
  read(host: SshHost, id: string, recorded: Partial<Recorded<Inputs>>): Promise<Recorded<Inputs> | undefined>;
  update(host: SshHost, id: string, old: Recorded<Inputs>, inputs: Inputs): Promise<Bag>;
  /** Inputs of an import that finds nothing: such that the update which follows makes it. Undefined: that is an error. */
  readonly missing?: (id: string) => Inputs;
  /** Outputs of a create or update that has not run, unknown where that is so. */
  preview(inputs: Inputs, old: Recorded<Inputs> | undefined): Bag;
  /** Returns a warning when something was left on purpose. */
  remove(host: SshHost, id: string, recorded: Recorded<Inputs>): Promise<string | undefined>;
}

/** The moment of a change for what was found as declared, and never changed by this program. */
export const asFound = "as found";
export const unchanged = { changedAt: asFound, writtenAt: asFound } as const;

/** Now, as an output by which later steps see that this one did something. */
export function changedNow(): { changedAt: string } {
  return { changedAt: new Date().toISOString() };
}

/** The same for a file whose content was written, by which a container that has it mounted is known to have an old one. */
export function writtenNow(): { changedAt: string; writtenAt: string } {
  const { changedAt } = changedNow();
  return { changedAt, writtenAt: changedAt };
}

/** A file whose replaced versions are kept. */
interface Kept {
  readonly mode: string;
  readonly backupDirectory?: string | undefined;
}

/**
 * Which copies are kept of a file that is replaced; `old` is undefined where this program made none before. A file that
 * no other account may read, before or now, is taken for a secret: only what was there before this program is kept.
 */
export function backupsOf({ mode, backupDirectory }: Kept, old: Kept | undefined): Backups | undefined {
  if (backupDirectory === undefined) return undefined;
  const isSecret = [mode, old?.mode].some((each) => each?.endsWith("00"));
  const keep = !isSecret ? "last" : old === undefined ? "first" : "none";
  return { directory: backupDirectory, keep };
}

export const absolutePath = v.pipe(
  v.string("must be a text"),
  v.regex(
    /^\/(?!.*\/\.{1,2}(\/|$))[^\0\n]*[^/\0\n]$/,
    "must be an absolute path without `.` or `..` and not end in `/`",
  ),
);

export const ownership = {
  mode: v.pipe(v.string(), v.regex(/^[0-7]{4}$/, "must be four octal digits, as in 0644")),
  owner: v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*\$?$|^[0-9]+$/, "must be a user name or id")),
  group: v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*\$?$|^[0-9]+$/, "must be a group name or id")),
};
