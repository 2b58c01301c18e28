import { spawn } from "node:child_process";
import type { ServerChannel } from "ssh2";

/** Runs what an SSH client asked for on this machine, as sshd does: its streams and its exit code are the channel's. */
export function runInShell(command: string, channel: ServerChannel): void {
  const child = spawn("sh", ["-c", command]);
  channel.pipe(child.stdin);
  // A command may end before it has read all.
  child.stdin.on("error", () => {});
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
}
