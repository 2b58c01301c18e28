import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory for millions of files, and how to be rid of them. */
export interface Scratch {
  readonly directory: string;
  /** For the reader of the figures. */
  readonly description: string;
  readonly dispose: () => void;
}

/** Sparse: takes what is written to it. */
const imageBytes = 64 * 1024 ** 3;
const inodes = 8_000_000;

/**
 * For root an ext4 of its own, in a file that is gone as soon as it is not mounted any more: to remove a million files
 * one by one takes longer than all measuring, most of all where each freed block is a request to the disk (`discard`).
 * Small files and directories lie in their inodes, as on XFS. For others a directory for temporary files.
 */
export function createScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-bench-"));
  if (process.getuid?.() !== 0)
    return {
      directory,
      description: "in a directory for temporary files (as root: on a file system of its own)",
      dispose: () => rmSync(directory, { recursive: true, force: true }),
    };
  const image = `${directory}.img`;
  const unmount = () => {
    execFileSync("umount", ["--lazy", directory]);
    rmdirSync(directory);
  };
  try {
    writeFileSync(image, "");
    truncateSync(image, imageBytes);
    const features = ["-O", "^has_journal,inline_data", "-I", "512", "-N", String(inodes)];
    execFileSync("mkfs.ext4", ["-q", "-F", ...features, "-E", "nodiscard,lazy_itable_init=1", image]);
    mountImage(image, directory);
  } catch (error) {
    rmdirSync(directory);
    throw error;
  } finally {
    rmSync(image, { force: true });
  }
  const forget = onSignal(unmount);
  const dispose = () => {
    forget();
    unmount();
  };
  mkdirSync(join(directory, "data"));
  return { directory: join(directory, "data"), description: "on an ext4 in a file", dispose };
}

/** Past the page cache of the file, which would hold everything a second time, and without four gigabytes of zeroes. */
function mountImage(image: string, directory: string): void {
  const options = ["--find", "--show", "--direct-io=on", image];
  const device = execFileSync("losetup", options, { encoding: "utf8" }).trim();
  try {
    execFileSync("mount", ["-o", "noatime,noinit_itable", device, directory]);
  } finally {
    // It lasts until it is not mounted any more.
    execFileSync("losetup", ["--detach", device]);
  }
}

/** Otherwise Ctrl-C would leave the mount behind. What this returns takes it back. */
function onSignal(unmount: () => void): () => void {
  const end = () => {
    unmount();
    process.exit(1);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}
