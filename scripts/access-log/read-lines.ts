import { createReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";

/** Longer lines are none of ours: nginx takes no request line of more than 32 KiB. */
const lineLimit = 256 * 1024;

/**
 * The complete lines of a file, plain or .gz, many at a time, in little memory. A last line without its end is still being
 * written, and is left out; of a line beyond the limit only its end is handed out.
 *
 * Errors: those of the file system, and of a .gz that is damaged or cut off.
 */
export async function* readLines(path: string): AsyncGenerator<readonly string[]> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const content = path.endsWith(".gz") ? unzip(file) : file;
  const decoder = new StringDecoder("utf8");
  let begun = "";
  for await (const chunk of content) {
    const lines = (begun + decoder.write(chunk as Buffer)).split("\n");
    begun = lines.pop() ?? "";
    if (begun.length > lineLimit) begun = begun.slice(-lineLimit);
    if (lines.length > 0) yield lines;
  }
}

function unzip(file: ReturnType<typeof createReadStream>) {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  file.on("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

/** The first complete line of a file; undefined where there is none. Errors: as {@link readLines}. */
export async function readFirstLine(path: string): Promise<string | undefined> {
  for await (const lines of readLines(path)) return lines[0];
  return undefined;
}
