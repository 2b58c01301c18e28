/** Why an image is not copied. */
export interface Fault {
  /** `damaged`: the store has no complete image. `unknown`: something could not be read or written. */
  readonly kind: "damaged" | "unknown";
  /** Half a sentence that names what it is about. */
  readonly text: string;
}

export function damaged(text: string): Fault {
  return { kind: "damaged", text };
}

export function unreadable(text: string): Fault {
  return { kind: "unknown", text };
}
