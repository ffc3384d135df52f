// @ts-check
// Brings up a modern Docker engine (Debian 13's, with buildx) beside the one this machine has, for tests and benchmarks.
// start | stop [--purge] | status. Exit 3: it cannot be done here, with one sentence why.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ROOT, say } from "./bootstrap.mjs";
import {
  clientScript,
  daemonCommand,
  freeSubnet,
  layout,
  MARK,
  networkCommands,
  PACKAGES,
  Refusal,
  refusal,
  SUITE,
  sharedFolders,
} from "./modern-engine/plan.mjs";
import { call, isMarked, isThere, kill, ownProcesses, until } from "./modern-engine/processes.mjs";

/** @typedef {{ pid: number, mark: string, subnet: string, server?: string, storage?: string }} State */

const ENTER = join(ROOT, "scripts", "modern-engine", "enter.sh");
const READY_LIMIT = 120_000;
const STOP_LIMIT = 60_000;

const paths = layout(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));

/** Runs ip or iptables: the machine's own, which knows its tables, else the one inside. @param {string[]} command */
const net = (command) => call(isThere(command[0] ?? "") ? command : ["chroot", paths.root, ...command]);

/** @returns {State | undefined} */
function readState() {
  try {
    return JSON.parse(readFileSync(paths.state, "utf8"));
  } catch {
    return undefined;
  }
}

/** What is printed of a running engine, or undefined. */
function running() {
  const state = readState();
  if (!state?.server || !isMarked(state.pid, state.mark)) return undefined;
  return { client: paths.client, socket: paths.socket, server: state.server, storage: state.storage };
}

/** Takes away what an engine leaves when its processes are gone. */
function clean() {
  for (const command of networkCommands(paths, "", 0).down) net(command);
  for (const path of [paths.state, paths.socket, paths.pidFile, paths.client]) rmSync(path, { force: true });
}

/** Ends the daemon, which ends its containers, then whatever is left of it. */
async function stop() {
  const state = readState();
  if (state) {
    const left = () => ownProcesses(state.mark);
    if (isMarked(state.pid, state.mark)) {
      process.kill(state.pid, "SIGTERM");
      await until(() => !isMarked(state.pid, state.mark), STOP_LIMIT);
    }
    await until(() => left().length === 0, 2_000);
    const killed = () => {
      kill(left());
      return left().length === 0;
    };
    if (!(await until(killed, STOP_LIMIT)))
      throw new Error(`modern engine: expected its processes to end, found ${left().join(", ")} still there`);
  }
  clean();
}

/** Whether the bootstrapped Debian is whole and made of the packages of today. */
function isUsable() {
  const stamp = join(paths.root, "etc", "strata-modern-engine");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== PACKAGES.join(" ")) return false;
  return [
    ["dockerd", "--version"],
    ["docker", "buildx", "version"],
    ["ip", "-V"],
  ].every((command) => call(["chroot", paths.root, ...command]).ok);
}

/** @param {string} path */
const remove = (path) => call(["rm", "-rf", "--one-file-system", path], 300_000);

/** Makes the Debian it lives in, aside, and moves it into its place when it is whole. */
async function bootstrap() {
  say(`making Debian ${SUITE} with ${PACKAGES.join(", ")} in ${paths.root} (once, about a minute)`);
  for (const name of readdirSync(paths.folder)) if (name.startsWith("making-")) remove(join(paths.folder, name));
  // Where the kit is not built yet, mmdebstrap takes Debian's own mirror.
  const engine = await import("../packages/kit/engine/dist/index.js").catch(() => undefined);
  const site = (await engine?.readSite(SUITE)) ?? {};
  const making = mkdtempSync(join(paths.folder, "making-"));
  const [target, sources, conf] = /** @type {const} */ (["rootfs", "sources.list", "apt.conf"]).map((name) =>
    join(making, name),
  );
  if (!target || !sources || !conf) return;
  if (site.sources) writeFileSync(sources, site.sources);
  if (site.conf) writeFileSync(conf, site.conf);
  const made = call(
    [
      "mmdebstrap",
      "--variant=minbase",
      "--format=directory",
      `--include=${PACKAGES.join(",")}`,
      ...(site.conf ? [`--aptopt=${conf}`] : []),
      SUITE,
      target,
      ...(site.sources ? [sources] : []),
    ],
    900_000,
  );
  const reason = made.stderr.split("\n").filter((line) => /^E: /.test(line))[0] ?? made.stderr.split("\n").at(-1);
  if (made.ok) {
    writeFileSync(join(target, "etc", "strata-modern-engine"), PACKAGES.join(" "));
    remove(paths.root);
    renameSync(target, paths.root);
  }
  remove(making);
  if (!made.ok) throw new Refusal(`modern engine: mmdebstrap could not make Debian ${SUITE}: ${reason}`);
}

/** Why no engine can be started here, or undefined. */
function whyNot() {
  const tools = ["unshare", "nsenter", "pivot_root", "chroot", ...(existsSync(paths.root) ? [] : ["mmdebstrap"])];
  return refusal({
    platform: process.platform,
    uid: process.getuid?.(),
    missing: tools.filter((name) => !isThere(name)),
    mounts: call(["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "try", "/boot"]).ok,
    socket: paths.socket,
  });
}

/** The folders of this machine that are seen inside. */
function folders() {
  const top = readdirSync("/").filter((name) => statSync(`/${name}`, { throwIfNoEntry: false })?.isDirectory());
  const wanted = [ROOT, tmpdir(), homedir(), "/var/tmp", paths.folder].filter((path) => existsSync(path));
  return sharedFolders(
    top,
    wanted.map((path) => realpathSync(path)),
  );
}

/** Joins the namespace of a process to the machine. @param {string} subnet @param {number} pid */
async function makeNetwork(subnet, pid) {
  const namespaceOf = (/** @type {number | string} */ id) => call(["readlink", `/proc/${id}/ns/net`]).stdout;
  // Until it has one of its own the other end of the cable would stay here.
  await until(() => namespaceOf(pid) !== namespaceOf("self"), READY_LIMIT);
  for (const command of networkCommands(paths, subnet, pid).up) {
    const done = net(command);
    if (done.ok) continue;
    await stop();
    throw new Refusal(`modern engine: this machine refused \`${command.join(" ")}\`: ${done.stderr}`);
  }
}

/** Starts the daemon and waits until its client has an answer from it. */
async function launch() {
  const subnet = freeSubnet(readFileSync("/proc/net/route", "utf8"));
  const log = openSync(paths.log, "w");
  const mark = randomBytes(8).toString("hex");
  const enter = ["bash", ENTER, paths.root, ...folders(), "--", ...daemonCommand(paths, subnet)];
  const daemon = spawn("unshare", ["--mount", "--net", "--propagation", "private", ...enter], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: { ...process.env, [MARK]: mark },
  });
  daemon.unref();
  const pid = daemon.pid;
  if (pid === undefined) throw new Error("modern engine: unshare did not start");
  // unshare, bash and dockerd follow one another in one process, so this is the daemon's id.
  const save = (/** @type {Partial<State>} */ more) =>
    writeFileSync(paths.state, `${JSON.stringify({ pid, mark, subnet, ...more })}\n`);
  save({});
  await makeNetwork(subnet, pid);
  let [server, storage] = ["", ""];
  const answers = () => {
    if (!existsSync(paths.socket)) return false;
    const namespace = call(["readlink", `/proc/${pid}/ns/mnt`]).stdout.trim();
    writeFileSync(paths.client, clientScript(paths, { pid, namespace }), { mode: 0o755 });
    [server = "", storage = ""] = call([paths.client, "info", "--format", "{{.ServerVersion}} {{.Driver}}"])
      .stdout.trim()
      .split(" ");
    return storage !== "";
  };
  let ended = false;
  daemon.on("exit", () => {
    ended = true;
  });
  await until(() => ended || answers(), READY_LIMIT);
  if (storage === "") {
    await stop();
    const lines = readFileSync(paths.log, "utf8").trim().split("\n");
    const words = lines.filter((line) => /level=(error|fatal)|failed/i.test(line)).at(-1) ?? lines.at(-1);
    throw new Error(`modern engine: expected its daemon to answer, found: ${words}\n  → read ${paths.log}`);
  }
  save({ server, storage });
}

async function start() {
  if (running()) return;
  const reason = whyNot();
  if (reason) throw new Refusal(reason);
  mkdirSync(paths.folder, { recursive: true });
  // What a killed start or daemon left is in the way of a new one.
  await stop();
  if (!isUsable()) await bootstrap();
  await launch();
}

/** Takes the lock, which goes with this process; gives undefined where another has it. */
function takeLock() {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined)).listen({ path: paths.lock }, () => resolve(server));
  });
}

/** Runs an action while no other start or stop runs. @param {() => Promise<void>} action */
async function locked(action) {
  let lock = await takeLock();
  for (; lock === undefined; lock = await takeLock()) await sleep(200);
  try {
    await action();
  } finally {
    lock.close();
  }
}

/** @param {readonly string[]} words */
async function main([verb, ...rest]) {
  if (verb === "start") await locked(start);
  else if (verb === "stop")
    await locked(async () => {
      if (process.getuid?.() !== 0) throw new Refusal(whyNot());
      await stop();
      if (rest.includes("--purge")) remove(paths.data);
    });
  else if (verb !== "status") throw new Error("usage: node scripts/modern-engine.mjs start | stop [--purge] | status");
  if (verb === "stop") return;
  const found = running();
  if (!found) throw new Error("modern engine: it is not running");
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`strata: ${error.message}\n`);
    process.exitCode = error instanceof Refusal ? 3 : 1;
  });
