import { describe, expect, test } from "vitest";
import { fingerprintOf, verifiedHostKey } from "../../../adopt/host-key.ts";
import { HOST_KEY } from "../../support/program-stack/raw-config.ts";

const host = { address: "10.0.20.10", port: 22 };
const fingerprint = fingerprintOf(HOST_KEY);
const shown = async () => HOST_KEY;
const never = async (): Promise<never> => {
  throw new Error("asked");
};

test("a fingerprint is as ssh-keygen prints it", () => {
  expect(fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});

describe("a host key", () => {
  test("that was given is taken without asking the host", async () => {
    expect(await verifiedHostKey(host, HOST_KEY, never, never)).toBe(HOST_KEY);
  });

  test("of the fingerprint that was given is taken", async () => {
    expect(await verifiedHostKey(host, fingerprint, never, shown)).toBe(HOST_KEY);
    expect(await verifiedHostKey(host, `${fingerprint}=`, never, shown)).toBe(HOST_KEY);
  });

  test("of another fingerprint is refused, and both are named", async () => {
    const other = `SHA256:${"A".repeat(43)}`;
    await expect(verifiedHostKey(host, other, never, shown)).rejects.toThrow(
      `Expected ${other}, got ${fingerprint}`,
    );
  });

  test("is taken when it is confirmed, and only then", async () => {
    expect(await verifiedHostKey(host, undefined, async (text) => text === fingerprint, shown)).toBe(
      HOST_KEY,
    );
    await expect(verifiedHostKey(host, undefined, async () => false, shown)).rejects.toThrow(
      "was not confirmed",
    );
  });
});
