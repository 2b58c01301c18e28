import { table } from "../lab/machine/screen.ts";
import { rateOfCrane } from "./crane.ts";
import { medianOf } from "./measure.ts";
import { rateOfCurl } from "./one-by-one.ts";
import { type ServedStore, withStore } from "./served-store.ts";
import { measureWays, type WayToAsk } from "./ways-to-ask.ts";
import { rateOfWrk } from "./wrk.ts";

const runs = 3;
/** Tags that are enough for those that start a process for each. */
const peerTags = 25;

/** What one process of ours did, from its start to its end. */
export interface Rate {
  readonly requestsPerSecond: number;
  readonly imagesPerSecond: number;
}

export interface Comparison {
  /** The command, as the rows name it. */
  readonly name: string;
  readonly tags: number;
  readonly measure: (store: ServedStore, inFlight: number) => Promise<Rate>;
}

/**
 * A command of ours against a real registry on the same machine, without and with a cache of blob descriptors. Beside it,
 * in the same run: wrk, which asks the same URLs and costs nearly nothing, so that it shows what the server can do; one
 * `curl` a request; `crane validate --fast --remote`, a process an image. Below, the client alone, asking for all blobs by
 * HEAD and by one byte.
 */
export async function compareOnRegistry(comparison: Comparison): Promise<string> {
  const rows: string[][] = [];
  for (const cachesBlobs of [false, true]) {
    const own = await withStore({ tags: comparison.tags, cachesBlobs }, (store) => rowsOf(store, comparison));
    rows.push([cachesBlobs ? "with a descriptor cache" : "without, as deployed"], ...own);
  }
  const head = ["", "requests/s", "images/s", "CPU ms/request", "ratio"];
  return `${comparison.tags} tags, median of ${runs}\n${table([head, ...rows])}\n`;
}

async function rowsOf(store: ServedStore, { name, measure }: Comparison): Promise<readonly string[][]> {
  const { wrk, many } = await besideWrk(store, measure);
  const [some, one] = [await medianRate(store, measure, 8), await medianRate(store, measure, 1)];
  const curl = await rateOfCurl(store, peerTags);
  const crane = await rateOfCrane(store, peerTags);
  const { head, byte } = await measureWays(store);
  return [
    ["  wrk, 32 connections", ...(wrk === undefined ? ["not installed"] : [wrk.toFixed(0)])],
    [`  ${name}, 32 in flight`, ...cells(many), "", ratio(many.requestsPerSecond, wrk, "wrk")],
    [`  ${name}, 8 in flight`, ...cells(some), "", ratio(some.requestsPerSecond, curl, "curl")],
    [`  ${name}, 1 in flight`, ...cells(one), "", ratio(one.requestsPerSecond, curl, "curl")],
    ["  one `curl` a request", curl.toFixed(0)],
    ["  crane validate --fast", ...(crane === undefined ? ["not to be had"] : ["", crane.toFixed(1)])],
    [
      `  ${name}, 32 in flight, in images`,
      "",
      many.imagesPerSecond.toFixed(1),
      "",
      ratio(many.imagesPerSecond, crane, "crane"),
    ],
    ["  client, HEAD of each blob", ...wayCells(head)],
    [
      "  client, a byte of each blob",
      ...wayCells(byte),
      ratio(byte.requestsPerSecond, head.requestsPerSecond, "HEAD"),
    ],
  ];
}

/** In turns, so that both meet the same moods of the machine. */
async function besideWrk(store: ServedStore, measure: Comparison["measure"]) {
  const wrk: number[] = [];
  const many: Rate[] = [];
  for (let run = 0; run < runs; run++) {
    const rate = await rateOfWrk(store, 32);
    if (rate !== undefined) wrk.push(rate);
    many.push(await measure(store, 32));
  }
  return { wrk: wrk.length === 0 ? undefined : medianOf(wrk), many: medianOfRates(many) };
}

async function medianRate(
  store: ServedStore,
  measure: Comparison["measure"],
  inFlight: number,
): Promise<Rate> {
  const rates: Rate[] = [];
  for (let run = 0; run < runs; run++) rates.push(await measure(store, inFlight));
  return medianOfRates(rates);
}

function medianOfRates(rates: readonly Rate[]): Rate {
  return {
    requestsPerSecond: medianOf(rates.map(({ requestsPerSecond }) => requestsPerSecond)),
    imagesPerSecond: medianOf(rates.map(({ imagesPerSecond }) => imagesPerSecond)),
  };
}

function cells({ requestsPerSecond, imagesPerSecond }: Rate): readonly string[] {
  return [requestsPerSecond.toFixed(0), imagesPerSecond.toFixed(1)];
}

function wayCells({ requestsPerSecond, processorMilliseconds }: WayToAsk): readonly string[] {
  return [requestsPerSecond.toFixed(0), "", processorMilliseconds.toFixed(2)];
}

function ratio(rate: number, base: number | undefined, of: string): string {
  return base === undefined ? "" : `${(rate / base).toFixed(2)} of ${of}`;
}
