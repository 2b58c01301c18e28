import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { describeError, ProgramError } from "../cli/errors.ts";

/**
 * Writes a file whole or not at all: readers see the old text or the new, also after a crash or a full disk.
 *
 * Errors: E_REPORT_UNWRITABLE; the file is then as it was.
 */
export async function writeReportFile(path: string, text: string, what = "report"): Promise<void> {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await writeDurably(temporary, text);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    const message = `Cannot write the ${what} to ${target}: ${describeError(cause)}. What was there is unchanged.`;
    throw new ProgramError("E_REPORT_UNWRITABLE", message, { cause });
  }
  await syncDirectory(dirname(target));
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o644);
  try {
    // Others read it, whatever the mask of the process that writes.
    await file.chmod(0o644);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename last too. The report is in place by then, so a file system that cannot do this is no fault. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r").catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}
