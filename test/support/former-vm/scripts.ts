import { containersScript } from "../../../adopt/read/containers.ts";
import {
  certificatesScript,
  entriesScript,
  mountsScript,
  textsScript,
  usersScript,
} from "../../../adopt/read/files.ts";
import { cronScript, jobsScript } from "../../../adopt/read/jobs.ts";
import { dnsScript, systemScript, timersScript, unitsScript } from "../../../adopt/read/system.ts";
import { revertScript } from "../../../adopt/revert.ts";
import {
  disableJobsScript,
  enableJobsScript,
  keepFormerScript,
} from "../../../components/host/render/former.ts";
import { holdScript, releaseScript } from "../../../components/host/render/hold.ts";
import { SETTINGS } from "../program-stack/settings.ts";

const jobs = [
  { file: "/var/spool/cron/crontabs/root", line: "0 2 * * * python3 /opt/registry/cleanup-tags.sh 10" },
  { file: "/etc/systemd/system/gc.service", line: "ExecStart=registry garbage-collect -m '/c.yml'" },
];

/** All shell that moving in runs on a host, by what it does. */
export const adoptionScripts: readonly (readonly [what: string, text: string])[] = [
  ["reads the containers", containersScript],
  ["reads the entries", entriesScript],
  ["reads the texts", textsScript],
  ["reads the accounts", usersScript],
  ["reads the certificates", certificatesScript],
  ["reads the mount points", mountsScript],
  ["reads the crontabs", cronScript],
  ["reads the jobs", jobsScript],
  ["reads what the machine is", systemScript],
  ["reads the units", unitsScript],
  ["reads the timers", timersScript],
  ["reads the DNS servers", dnsScript],
  ["keeps what was there", keepFormerScript(SETTINGS, jobs)],
  ["holds connections", holdScript([5000, 5050])],
  ["releases connections", releaseScript()],
  ["disables the former jobs", disableJobsScript(SETTINGS, jobs)],
  ["enables the former jobs", enableJobsScript()],
  ["goes back", revertScript],
];
