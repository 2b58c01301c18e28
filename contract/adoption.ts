import { backupDirectory } from "./host-paths.ts";

/**
 * A VM that ran a registry before this stack: what the `adopt` command reads and writes into the configuration, what the
 * first update keeps, and what the way back puts back.
 */

/** Kinds of what was on the VM before the stack: each is a kind of the host provider that can be imported. */
export const existingKinds = ["directory", "file", "unit", "image", "project"] as const;
export type ExistingKind = (typeof existingKinds)[number];

/** Where the first update keeps all that was there before it: never written twice, for root alone. */
export const formerDirectory = `${backupDirectory}/adopted`;

/** Begins a line of a crontab that was disabled; the line follows as it was. */
export const disabledMarker = "#regwarden-disabled: ";

/** One line of a crontab, or of a unit of the administrator's. */
export interface JobLine {
  /** Absolute path. */
  readonly file: string;
  /** The complete line. */
  readonly line: string;
}

/** The service that a file is the unit of, where its lines may be made comments; undefined for a crontab. */
export function serviceOf(file: string): string | undefined {
  return /^\/etc\/systemd\/system\/([\w.-]+\.service)$/.exec(file)?.[1];
}
