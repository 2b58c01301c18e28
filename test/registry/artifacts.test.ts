import { rename, truncate } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VerifyReport } from "../../contract/verify-report.ts";
import { checkImage } from "../../scripts/in-use/check-image.ts";
import { digestOf, isDigestOfNothing } from "../../scripts/registry/digest.ts";
import { blobDataPath } from "../../scripts/registry/paths.ts";
import { httpRegistry } from "../../scripts/source/http/registry.ts";
import { artifacts, detachedSignature, signatureTag } from "../support/images/artifacts.ts";
import { type Content, digest, signature, withParts } from "../support/images/oci-content.ts";
import { regwarden, withReport } from "../support/program.ts";
import { probeStore, scanStore } from "../support/registry/findings.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

/** A repository for each, named by its position. */
const cases = Object.entries(artifacts).map(([what, content], at) => ({
  what,
  content,
  repository: `r${at}`,
}));
const signed = artifacts["an index"] as Content;

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  for (const { content, repository } of cases) await registry.upload(content, repository, "1");
  await registry.upload(signed, "signed", "1");
  await registry.upload(detachedSignature(signed), "signed", signatureTag(signed));
  await registry.upload(signature(signed), "signed");
});
afterAll(() => registry.dispose());

async function verify(repository: string, reference: string) {
  const { host } = new URL(registry.url);
  const argv = ["verify", "--json", "--wait", "0", `${host}/${repository}${reference}`];
  const { exitCode, report } = withReport<VerifyReport>(await regwarden(argv));
  return { exitCode, findings: report.images.flatMap(({ findings }) => findings) };
}

/** What in-use says of it, for a workload that may run on nodes of any of these platforms. */
async function reasonInUse(repository: string) {
  const source = httpRegistry({
    name: "r.example",
    origin: registry.url,
    account: undefined,
    concurrency: 4,
  });
  const use = {
    image: `r.example/${repository}:1`,
    workload: { namespace: "shop", kind: "Deployment", name: "web" },
    platforms: ["linux/amd64", "linux/arm64", "linux/s390x", "windows/amd64"],
    needsAll: false,
    isNeeded: true,
  };
  const { verdicts } = await checkImage(source, { repository, tag: "1", digest: null }, [use], 4);
  return verdicts[0]?.reason;
}

const dataOf = ({ bytes }: Content) => blobDataPath(registry.directory, digestOf(bytes));

describe("as long as it is complete", () => {
  test.each(cases)(
    "$what verifies without any platform, by tag and by digest",
    async ({ content, repository }) => {
      for (const reference of [":1", `@${digest(content)}`])
        expect(await verify(repository, reference)).toEqual({ exitCode: 0, findings: [] });
    },
  );

  test("a signed index verifies with its signatures", async () => {
    expect(await verify("signed", ":1")).toEqual({ exitCode: 0, findings: [] });
  });

  test.each(cases)(
    "a node could pull $what, unless it offers no image at all",
    async ({ content, repository }) => {
      const hasImage =
        content.descriptor.mediaType.includes("manifest.v") ||
        content.parts.some(({ parts }) => parts.length > 0);
      expect(await reasonInUse(repository)).toBe(hasImage ? null : "platform");
      const [part] = withParts(content).slice(-1) as [Content];
      await rename(dataOf(part), `${dataOf(part)}.away`);
      const damaged = await reasonInUse(repository);
      await rename(`${dataOf(part)}.away`, dataOf(part));
      if (part.descriptor.mediaType === "application/vnd.in-toto+json") expect(damaged).toBeNull();
      else expect(["broken", ...(hasImage ? [] : ["platform"])]).toContain(damaged);
    },
  );

  test("none is a finding of probe or scan", async () => {
    expect(await probeStore(registry.url)).toEqual([]);
    expect(await scanStore(registry.directory)).toEqual([]);
  });
});

describe("what was taken from it is found by verify", () => {
  test.each(cases)("in $what", async ({ content, repository }) => {
    for (const part of withParts(content)) {
      await rename(dataOf(part), `${dataOf(part)}.away`);
      const [byTag, byDigest] = [
        await verify(repository, ":1"),
        await verify(repository, `@${digest(content)}`),
      ];
      await rename(`${dataOf(part)}.away`, dataOf(part));
      expect([byTag.exitCode, byDigest.exitCode]).toEqual([1, 1]);
      // A tag whose manifest is missing leads nowhere.
      const expected = part === content ? null : digest(part);
      expect(byTag.findings.map((finding) => finding.digest)).toEqual([expected]);
      expect(byDigest.findings.map((finding) => finding.digest)).toEqual([digest(part)]);
    }
  });

  test("in a signature, as a warning", async () => {
    const own = detachedSignature(signed);
    const [, payload] = own.parts as [Content, Content];
    const expected = [
      // Its tag is still listed, and leads nowhere.
      [own, { cause: "link-missing", digest: null }],
      [payload, { cause: "blob-missing", digest: digest(payload) }],
    ] as const;
    for (const [part, what] of expected) {
      await rename(dataOf(part), `${dataOf(part)}.away`);
      const { exitCode, findings } = await verify("signed", ":1");
      await rename(`${dataOf(part)}.away`, dataOf(part));
      expect(exitCode).toBe(1);
      expect(findings).toMatchObject([{ kind: "referrer", severity: "warning", ...what }]);
    }
  });
});

test("what was cut short is found by probe and scan in each repository, and nothing else", async () => {
  const isCut = ({ descriptor }: Content) => !isDigestOfNothing(descriptor.digest);
  const cut = new Set(cases.flatMap(({ content }) => withParts(content).findLast(isCut) ?? []).map(digest));
  const all = [...cases, { content: signed, repository: "signed" }];
  const expected = all.flatMap(({ content, repository }) =>
    withParts(content)
      .filter((part) => cut.has(digest(part)))
      .map((part) => `${repository} ${digest(part)}`),
  );
  const lines = (findings: Awaited<ReturnType<typeof probeStore>>) =>
    findings.map(({ repository, digest }) => `${repository} ${digest}`).sort();
  const parts = new Map(
    cases.flatMap(({ content }) => withParts(content)).map((part) => [dataOf(part), part]),
  );
  for (const [path, part] of parts)
    if (cut.has(digest(part))) await truncate(path, part.bytes.byteLength - 1);
  expect(lines(await probeStore(registry.url))).toEqual([...new Set(expected)].sort());
  expect(lines(await scanStore(registry.directory))).toEqual([...new Set(expected)].sort());
});
