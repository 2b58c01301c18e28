import { hiddenSecret } from "./plain-value.ts";

const secretName = /TOKEN|PASS|SECRET|WEBHOOK|CREDENTIAL|PRIVATE|ACCESS_KEY|ACCOUNT_KEY/;
/** A shorter value is likely to stand somewhere by chance, and no longer one replaces it. */
const leastLength = hiddenSecret.length;

/**
 * Text without the values of the variables that hold secrets by their name. The engine hides what it knows to be
 * secret; a message of some provider may still repeat the token that it was refused.
 */
export function hideSecrets(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  const values = Object.entries(environment)
    .filter(([name]) => secretName.test(name.toUpperCase()))
    .flatMap(([, value = ""]) => [value, ...value.split("\n")].map((line) => line.trim()))
    .filter((value) => value.length >= leastLength)
    .sort((a, b) => b.length - a.length);
  return values.reduce((shown, value) => shown.replaceAll(value, hiddenSecret), text);
}
