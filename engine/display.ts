/** Where the engine's output goes. */
export interface Display {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly color: "always" | "never";
}

/**
 * The process's own streams. A reader that is gone, a closed terminal or a CI agent that died, ends a run as the signal
 * of a closed terminal does: unheard, the fault of each write would go to the Pulumi SDK, which reports it by the next.
 */
function processDisplay(): Display {
  let isGone = false;
  const onFault = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!isGone) process.kill(process.pid, "SIGHUP");
    isGone = true;
  };
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onFault);
  return {
    write: (text) => void (isGone || process.stdout.write(text)),
    writeError: (text) => void (isGone || process.stderr.write(text)),
    color: process.stdout.isTTY ? "always" : "never",
  };
}

export const terminal = processDisplay();
