import type { VerifiedImage, VerifiedPlatform, VerifyReport } from "../../contract/verify-report.ts";
import { shortDigest } from "../registry/digest.ts";
import { renderSentences } from "../report/finding-list.ts";
import { counted, warningOf } from "../report/phrases.ts";

/** The report as people read it: each image with its platforms, and below it what is wrong. */
export function renderVerifyReport(report: VerifyReport): string {
  const { images, requests, durationSeconds, complete } = report;
  const sound = images.filter(({ findings }) => findings.length === 0).length;
  const sum = `${warningOf(complete)}${sound} of ${counted(images.length, "image")} complete; ${counted(requests, "request")} in ${durationSeconds} s.\n`;
  return `${images.map(renderImage).join("\n")}\n${sum}`;
}

function renderImage(image: VerifiedImage): string {
  const { reference, digest, manifests, blobs, referrers, checks, findings } = image;
  const again = checks > 1 ? `, at check ${checks}` : "";
  const seen = [counted(manifests, "manifest"), counted(blobs, "blob"), counted(referrers, "referrer")].join(
    ", ",
  );
  const checked = digest === null ? "no manifest" : `${digest}: ${seen}`;
  const messages = findings.map((finding) => `  ${finding.severity}: ${renderSentences(finding, "    ")}\n`);
  return [
    `${reference}  ${findings.length === 0 ? "complete" : "NOT COMPLETE"}\n`,
    `  ${checked}${again}\n`,
    ...renderPlatforms(image),
    ...messages,
  ].join("");
}

function renderPlatforms({ platforms, findings }: VerifiedImage): readonly string[] {
  const names = platforms.map(({ platform, isAttestation }) =>
    isAttestation ? "attestation" : (platform ?? "no platform"),
  );
  const width = Math.max(0, ...names.map((name) => name.length));
  return platforms.map((platform, at) => {
    const own = findings.filter((finding) => isAbout(finding, platform)).length;
    const state = own === 0 ? "ok" : counted(own, "fault");
    const name = (names[at] ?? "").padEnd(width);
    return `  ${name}  ${shortDigest(platform.digest)}  ${counted(platform.blobs, "blob")}  ${state}\n`;
  });
}

/** Whether a finding is about one image of an index. */
export function isAbout(
  { digest, parent }: VerifiedImage["findings"][number],
  platform: VerifiedPlatform,
): boolean {
  return digest === platform.digest || parent === platform.digest;
}
