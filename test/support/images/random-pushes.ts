import fc from "fast-check";
import { storeAt } from "../store/store.ts";
import { attestation, type Content, digest, dockerList, image, index, signature } from "./oci-content.ts";

/** One push of a random history. */
export interface Push {
  readonly repository: string;
  readonly tag: string;
  readonly content: Content;
}

// Few texts, so that repositories and indexes share what they hold.
const images = fc
  .record({
    text: fc.constantFrom("a", "b", "c"),
    platform: fc.constantFrom("linux/amd64", "linux/arm64/v8", "windows/amd64"),
    generation: fc.constantFrom("oci" as const, "docker" as const),
  })
  .map(({ text, platform, generation }) => image(text, platform, generation));
const indexes = fc
  .tuple(fc.array(images, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([children, isDocker, isAttested, saysMediaType]) => {
    if (isDocker) return dockerList(children);
    return index(isAttested ? [...children, ...children.map((child) => attestation(child))] : children, {
      saysMediaType,
    });
  });
const nested = fc.array(indexes, { minLength: 1, maxLength: 2 }).map((children) => index(children));
const contents: fc.Arbitrary<Content> = fc.oneof(images, indexes, nested);

const pushes = fc
  .record({
    repository: fc.constantFrom("one", "two", "team/three"),
    tag: fc.constantFrom("1", "2", "latest"),
    content: contents,
    isSigned: fc.boolean(),
  })
  .map(({ isSigned, ...push }) => (isSigned ? [push, signatureOf(push)] : [push]));

/** Small healthy histories, as any sequence of pushes leaves them. */
export const randomPushes: fc.Arbitrary<readonly Push[]> = fc
  .array(pushes, { minLength: 1, maxLength: 5 })
  .map((all) => all.flat().map((push) => ({ ...push, [fc.toStringMethod]: () => describePush(push) })));

/** A signature under the tag by which clients find it. Source: cosign, SIGNATURE_SPEC.md. */
function signatureOf({ repository, content }: Push): Push {
  return { repository, tag: `${digest(content).replace(":", "-")}.sig`, content: signature(content) };
}

function describePush({ repository, tag, content }: Push): string {
  const short = (one: Content) => digest(one).slice(7, 15);
  return `${repository}:${tag} ${short(content)} [${content.parts.map(short)}]`;
}

/** Writes the store that the registry would hold after these pushes. */
export async function writePushes(directory: string, pushes: readonly Push[]): Promise<void> {
  const store = storeAt(directory);
  for (const { repository, tag, content } of pushes) await store.push(repository, content, tag);
}
