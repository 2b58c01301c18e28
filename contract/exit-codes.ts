/**
 * Exit status of every program, in the order of weight: a run that could not check something reports that, whatever
 * else it found.
 */
export const exitCodes = {
  /** Nothing is wrong, or the work is done. */
  clean: 0,
  /** Something is wrong, and the output says what. */
  findings: 1,
  /** The command line or a configuration file is not usable; nothing was done. */
  usage: 2,
  /** Something could not be read or reached: the check of it did not happen. */
  couldNotCheck: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
