/** One way in which the VM will differ from what it is, although the configuration reproduces it as far as it can. */
export interface Deviation {
  /** File, container, port or setting. */
  readonly what: string;
  readonly was: string;
  readonly becomes: string;
  readonly why: string;
}
