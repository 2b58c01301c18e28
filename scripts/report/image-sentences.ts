import { shortDigest } from "../registry/digest.ts";
import type { Described, Sentences } from "./describe-finding.ts";

/** What is said of an image that was asked for by its name; undefined for any other finding. */
export function imageSentences(finding: Described): Sentences | undefined {
  switch (finding.cause) {
    case "absent":
      return absent(finding);
    case "tag-moved":
      return moved(finding);
    case "platform-missing":
      return finding.platform === null ? noPlatform(finding) : missingPlatform(finding);
    case "platform-mismatch":
      return mismatch(finding);
    default:
      return undefined;
  }
}

function absent({ detail: { reference } }: Described): Sentences {
  return {
    message: `${reference} is not in the registry, which answers 404: it cannot be pulled.`,
    hint:
      "see in the log of the push that it ended well and went to this very name; else push again, or give a slow " +
      "registry more time by --wait.",
  };
}

function moved({ digest, detail: { reference } }: Described): Sentences {
  return {
    message: `${reference}: the tag leads to ${digest} instead. Another push has moved it, or the push did not end.`,
    hint: "see which pipelines push this tag, and push again.",
  };
}

function noPlatform({ detail: { reference } }: Described): Sentences {
  return {
    message: `${reference} is an index that names no image, so no client can run it.`,
    hint:
      `see with docker buildx imagetools inspect --raw ${reference} what was pushed, build it for at least one ` +
      "platform, and push again.",
  };
}

function missingPlatform({ platform, detail: { reference, offered = [] } }: Described): Sentences {
  const others = offered.length === 0 ? "no platform by name" : [...new Set(offered)].sort().join(", ");
  const all = [...new Set([...offered, platform])].sort().join(",");
  return {
    message: `${reference} is not there for ${platform}; it offers ${others}.`,
    hint: `build for it as well: docker buildx build --platform ${all} --push .`,
  };
}

function mismatch({ digest, platform, detail: { reference, actual } }: Described): Sentences {
  return {
    message:
      `${reference}: the index says that ${shortDigest(digest ?? "")} is for ${platform}, and the image itself says ` +
      `${actual}: on ${platform} it ends with "exec format error".`,
    hint: "see which build or which tool wrote the index, and push again.",
  };
}
