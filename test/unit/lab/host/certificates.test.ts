import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alternativeNames, needsRenewal } from "../../../../lab/host/certificates.ts";
import { addressesOf } from "../../../../lab/machine/instances.ts";

const names = alternativeNames(addressesOf("test"));
const dayMilliseconds = 86_400_000;
let directory: string;
let pem: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-tls-"));
  const subjects = names.map((name) => name.replace("IP Address:", "IP:")).join(",");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem"];
  const request = [
    "req",
    "-x509",
    ...key,
    "-days",
    "100",
    "-subj",
    "/CN=x",
    "-addext",
    `subjectAltName=${subjects}`,
  ];
  execFileSync("openssl", [...request, "-out", "cert.pem"], { cwd: directory, stdio: "ignore" });
  pem = readFileSync(join(directory, "cert.pem"), "utf8");
});
afterAll(() => rmSync(directory, { recursive: true }));

function inDays(days: number): Date {
  return new Date(Date.now() + days * dayMilliseconds);
}

test("the certificate covers name, loopback addresses and the host's own address", () => {
  expect(names).toEqual([
    "DNS:registry.lab.test",
    "IP Address:127.77.0.3",
    "IP Address:127.0.0.1",
    "IP Address:172.31.73.20",
  ]);
});

test("a certificate stays until thirty days before its end", () => {
  expect(needsRenewal(pem, names, inDays(0))).toBe(false);
  expect(needsRenewal(pem, names, inDays(69))).toBe(false);
  expect(needsRenewal(pem, names, inDays(71))).toBe(true);
  expect(needsRenewal(pem, names, inDays(200))).toBe(true);
});

test("other names, a broken file and no file ask for a new one", () => {
  expect(needsRenewal(pem, [...names, "DNS:other.test"], inDays(0))).toBe(true);
  expect(needsRenewal("-----BEGIN CERTIFICATE-----", names, inDays(0))).toBe(true);
  expect(needsRenewal(undefined, names, inDays(0))).toBe(true);
});
