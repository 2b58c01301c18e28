import { lookup } from "node:dns/promises";

/** Whether a name resolves within two seconds: a cheap check before anything that needs the internet. */
export async function resolves(name: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, 2000, false);
  });
  const found = lookup(name).then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([found, tooLate]);
  clearTimeout(timer);
  return answer;
}

/** The registry that an image name is pulled from. Source: distribution/reference, splitDockerDomain. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isDomain = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isDomain ? first.replace(/:\d+$/, "") : "registry-1.docker.io";
}
