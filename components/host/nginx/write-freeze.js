// Runs in nginx, by its module for JavaScript (njs 0.7.9 and newer), in every worker: what workers must know of each
// other are files in memory. A file NAME = KIND.WORKER.CONNECTION.REQUEST stands for one write that is on its way.
// Language: what njs knows, so no destructuring and no spread.
import fs from "fs";

const POLL_MS = 100;
/** A client that has gone leaves the registry at work on what it sent. */
const GONE_MS = 10000;
/** How long the record of a worker that has died counts. */
const ORPHAN_MS = 60000;

const COUNTERS = { held: "total-held", refused: "total-refused" };

// skopeo, podman, buildah and cri-o (containers/image) and regctl repeat a 429 as they are asked to, and give up at a
// 503; docker, buildkit and crane the other way round.
const REPEATS_429 = /^(skopeo|podman|libpod|buildah|cri-o|containers|regclient)\b/i;

/** Unix time in milliseconds until which writes are held; 0: they are not. */
function leaseEnd(r) {
  const now = Date.now();
  let until = 0;
  try {
    until = JSON.parse(fs.readFileSync(r.variables.freeze_flag, "utf8")).until;
  } catch (e) {
    return 0;
  }
  const isCounted = typeof until === "number" && until > now && until - now <= hardStopMs(r);
  return isCounted ? until : 0;
}

function hardStopMs(r) {
  return Number(r.variables.freeze_seconds) * 1000;
}

/** What a request may write: a manifest, or the end of an upload or a mount, which links a blob; undefined: neither. */
function kindOf(method, uri) {
  const parts = uri.split("?");
  let path = parts[0];
  try {
    path = decodeURIComponent(path);
  } catch (e) {
    // The registry refuses it.
  }
  if (method === "PUT" && /\/manifests\/[^/]+\/?$/.test(path)) return "manifest";
  const links = /(^|&)(digest|mount)=/.test(parts[1] || "");
  const isUpload = /\/blobs\/uploads(\/|$)/.test(path);
  return (method === "PUT" || method === "POST") && isUpload && links ? "commit" : undefined;
}

function recordName(r, kind) {
  const v = r.variables;
  return `${kind}.${v.pid}.${v.connection}.${v.connection_requests}`;
}

function write(r, name) {
  const path = `${r.variables.freeze_records}/${name}`;
  try {
    fs.writeFileSync(path, "");
  } catch (e) {
    fs.mkdirSync(r.variables.freeze_records);
    fs.writeFileSync(path, "");
  }
}

function remove(r, name) {
  try {
    fs.unlinkSync(`${r.variables.freeze_records}/${name}`);
  } catch (e) {
    // It is not there.
  }
}

/** One byte for each event: appended at once by whichever worker, and counted by its size. */
function count(r, name) {
  fs.appendFileSync(`${r.variables.freeze_records}/${name}`, ".");
}

function countOf(r, name) {
  try {
    return fs.statSync(`${r.variables.freeze_records}/${name}`).size;
  } catch (e) {
    return 0;
  }
}

function isRunning(worker) {
  try {
    fs.accessSync(`/proc/${worker}`);
    return true;
  } catch (e) {
    return false;
  }
}

function isCounted(r, name) {
  const parts = name.split(".");
  let age = 0;
  try {
    age = Date.now() - fs.statSync(`${r.variables.freeze_records}/${name}`).mtimeMs;
  } catch (e) {
    return false;
  }
  const isGone = parts[0].startsWith("gone-");
  const most = isGone ? GONE_MS : isRunning(parts[1]) ? Infinity : ORPHAN_MS;
  if (age <= most) return true;
  remove(r, name);
  return false;
}

/** How many writes of a kind there are now. */
function numberOf(r, kinds) {
  let names = [];
  try {
    names = fs.readdirSync(r.variables.freeze_records);
  } catch (e) {
    return 0;
  }
  return names.filter((name) => kinds.includes(name.split(".")[0]) && isCounted(r, name)).length;
}

/**
 * Answers nginx's question whether a write may go on: 204 when it may, at once or after the freeze; 401 or 403 when it
 * was held for too long, by what its client repeats. Any exception is 500, and nginx lets the write go on.
 */
async function hold(r) {
  const isProbe = r.variables.request_uri === r.variables.freeze_probe;
  const kind = kindOf(r.variables.request_method, r.variables.request_uri);
  // Also for what is not counted: where no record can be written, no probe is held either, and so no freeze begins.
  const record = recordName(r, kind || "other");
  const held = recordName(r, isProbe ? "probe" : "held");
  const started = Date.now();
  let isHeld = false;
  let answer = 0;
  while (answer === 0) {
    // The record first, then the flag; a freeze writes the flag, then reads the records: one of them sees the other.
    write(r, record);
    if (leaseEnd(r) === 0) {
      answer = 204;
    } else {
      remove(r, record);
      const isOver = Date.now() - started >= hardStopMs(r);
      if (isOver || (!isHeld && numberOf(r, ["held", "probe"]) >= Number(r.variables.freeze_most))) {
        answer = refusal(r, isProbe);
      } else {
        if (!isHeld) {
          write(r, held);
          if (!isProbe) count(r, COUNTERS.held);
          isHeld = true;
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }
  if (isHeld) remove(r, held);
  if (kind === undefined) remove(r, record);
  r.return(answer);
}

function refusal(r, isProbe) {
  if (!isProbe) count(r, COUNTERS.refused);
  return REPEATS_429.test(r.variables.http_user_agent || "") ? 401 : 403;
}

/** The value of a variable that is read once, when a write has ended. */
function ended(r) {
  const kind = kindOf(r.variables.request_method, r.variables.request_uri);
  if (kind === undefined) return "";
  // Without an answer of the registry's own (502 and 504 are nginx's) it may still be at work.
  const isAnswered =
    /\d{3}$/.test(r.variables.upstream_status || "") && !/50[24]$/.test(r.variables.upstream_status);
  if (!isAnswered) write(r, recordName(r, `gone-${kind}`));
  remove(r, recordName(r, kind));
  return "";
}

function status(r) {
  const until = leaseEnd(r);
  const state = {
    frozen: until > 0,
    until: until > 0 ? until : null,
    held: numberOf(r, ["held"]),
    probes: numberOf(r, ["probe"]),
    manifestPuts: numberOf(r, ["manifest", "gone-manifest"]),
    commits: numberOf(r, ["commit", "gone-commit"]),
  };
  r.headersOut["Content-Type"] = "application/json";
  r.headersOut["Cache-Control"] = "no-store";
  r.return(200, `${JSON.stringify(state)}\n`);
}

/** Answers what was let through to where only the handler is asked. */
function probed(r) {
  r.return(204);
}

/** Values of the metrics. */
const active = (r) => (leaseEnd(r) > 0 ? "1" : "0");
const heldNow = (r) => String(numberOf(r, ["held"]));
const heldTotal = (r) => String(countOf(r, COUNTERS.held));
const refusedTotal = (r) => String(countOf(r, COUNTERS.refused));

export default { hold, ended, status, probed, active, heldNow, heldTotal, refusedTotal };
