import { describe, expect, test } from "vitest";
import { hostKeyOf } from "../../../config/known-hosts.ts";

describe("the host key of a known_hosts entry", () => {
  test.each<[string, string, string | undefined]>([
    ["one line", "10.0.20.10 ssh-ed25519 AAAAC3Nz", "ssh-ed25519 AAAAC3Nz"],
    ["a comment and a line end", "10.0.20.10 ssh-ed25519 AAAAC3Nz root@vm\n", "ssh-ed25519 AAAAC3Nz"],
    ["a port", "[10.0.20.10]:2222 ecdsa-sha2-nistp256 AAAAE2Vj==", "ecdsa-sha2-nistp256 AAAAE2Vj=="],
    ["no other type than ssh-rsa", "10.0.20.10 ssh-rsa AAAAB3Nz==", undefined],
    ["several keys", "a ssh-rsa AAAAB3Nz\na ssh-ed25519 AAAAC3Nz", "ssh-ed25519 AAAAC3Nz"],
    ["a revoked key", "@revoked a ssh-ed25519 AAAAC3Nz", undefined],
    ["a comment line", "# 10.0.20.10 ssh-ed25519 AAAAC3Nz", undefined],
    ["a key without name", "ssh-ed25519 AAAAC3Nz", undefined],
    ["nothing", "", undefined],
  ])("is found in %s", (_, entry, key) => {
    expect(hostKeyOf(entry)).toBe(key);
  });
});
