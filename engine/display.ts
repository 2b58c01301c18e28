/** Where the engine's output goes. */
export interface Display {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly color: "always" | "never";
}

export const terminal: Display = {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  color: process.stdout.isTTY ? "always" : "never",
};
