/** What the environment of a process holds. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What an option says, else the variable beside it. An empty text is how many tools spell one that is not set. */
export function optionOrVariable(
  option: string | undefined,
  variable: string | undefined,
): string | undefined {
  const given = option ?? variable;
  return given === "" ? undefined : given;
}
