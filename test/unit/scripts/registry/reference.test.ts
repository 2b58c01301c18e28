import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import {
  formatReference,
  isRepositoryName,
  parseReference,
  withDefaultHost,
} from "../../../../scripts/registry/reference.ts";

const digest = digestOf(new Uint8Array());

describe("a reference", () => {
  test.each([
    ["r.example/app:1", { host: "r.example", repository: "app", tag: "1", digest: null }],
    ["r.example:5050/team/app", { host: "r.example:5050", repository: "team/app", tag: null, digest: null }],
    [`localhost/app@${digest}`, { host: "localhost", repository: "app", tag: null, digest }],
    [`127.0.0.1:5000/app:1@${digest}`, { host: "127.0.0.1:5000", repository: "app", tag: "1", digest }],
    ["[::1]:5000/app:1", { host: "[::1]:5000", repository: "app", tag: "1", digest: null }],
    ["Registry/app:1", { host: "Registry", repository: "app", tag: "1", digest: null }],
    ["nginx", { host: null, repository: "nginx", tag: null, digest: null }],
    ["library/nginx:1", { host: null, repository: "library/nginx", tag: "1", digest: null }],
    ["r.example/a__b/c-_d", "a__b/c-_d is no name of a repository"],
    ["r.example/a___b:1", "a___b is no name of a repository"],
    ["r.example/App:1", "App is no name of a repository"],
    ["r.example/", "no repository is named"],
    ["", "no repository is named"],
    ["r.example/app:", "the tag is empty"],
    [`r.example/app:${"x".repeat(129)}`, `${"x".repeat(129)} is no tag`],
    ["r.example/app:1/2", "1/2 is no tag"],
    ["r.example/app@sha256:abc", "what stands after the @ is no digest"],
    [`r.example/app@${digest}\n`, "what stands after the @ is no digest"],
    ["https://r.example/app:1", "https: is no host with a port"],
    ["-r.example/app", "-r.example is no host with a port"],
    [`r.example/${"a/".repeat(127)}ab`, `${"a/".repeat(127)}ab is no name of a repository`],
  ])("%s", (text, expected) => {
    expect(parseReference(text)).toEqual(typeof expected === "string" ? { reason: expected } : expected);
  });

  test("without a host is Docker Hub's", () => {
    const name = (text: string) => {
      const parsed = parseReference(text);
      return "reason" in parsed ? parsed.reason : formatReference(withDefaultHost(parsed));
    };
    expect(name("nginx:1")).toBe("docker.io/library/nginx:1");
    expect(name("team/app")).toBe("docker.io/team/app");
    expect(name("index.docker.io/nginx")).toBe("docker.io/library/nginx");
    expect(name("r.example/nginx")).toBe("r.example/nginx");
  });
});

const part = fc.stringMatching(/^[a-z0-9]{1,6}([._]|__|-{1,3})?[a-z0-9]{1,6}$/);
const repository = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const host = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z0-9]{1,5}(:[0-9]{1,5})?$/),
  fc.stringMatching(/^[a-z0-9]{1,8}:[0-9]{1,5}$/),
  fc.constantFrom("localhost", "[::1]:5000", "10.0.20.10"),
);
const references = fc.record({
  host,
  repository,
  tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}$/)),
  digest: fc.option(fc.uint8Array().map(digestOf)),
});

describe("for all references", () => {
  test("what is written is what is read", () => {
    fc.assert(
      fc.property(references, (reference) => {
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  test("whatever text is read without a fault is written as it was", () => {
    const near = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."aB0.:/@_-[]"), maxLength: 24 }),
      fc
        .tuple(references.map(formatReference), fc.nat(), fc.constantFrom(..."aB0.:/@_-\n "))
        .map(([text, at, letter]) => {
          const place = at % (text.length + 1);
          return `${text.slice(0, place)}${letter}${text.slice(place)}`;
        }),
    );
    fc.assert(
      fc.property(near, (text) => {
        const parsed = parseReference(text);
        if ("reason" in parsed) return;
        expect(formatReference(parsed)).toBe(text);
        expect(isRepositoryName(parsed.repository)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
