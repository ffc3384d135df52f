import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ImageDefinition, type Plan, planImage, prepareImage } from "@strata/assembler";
import {
  type Engine,
  exec,
  findEngine,
  freePort,
  inspectContainer,
  inspectImage,
  portIsFree,
  portTaken,
  removeContainer,
  removeVolume,
  runContainer,
  waitHealthy,
} from "@strata/engine";
import { fail } from "@strata/fragment";
import pc from "picocolors";
import { buildVariant } from "../build-variant.js";
import { say, sayEmitted } from "../output.js";
import { select, workspaceRoot } from "../workspace.js";

/** Options of `strata up`. */
export interface UpOptions {
  readonly port?: string;
  readonly name?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

const stateFolder = (container: string): string =>
  join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "strata", container);

const volumeNames = (container: string, plan: Plan): [string, string][] =>
  plan.volumes.map((path, index) => [path, `${container}-data${index === 0 ? "" : `-${index + 1}`}`]);

/** The file of a generated secret; made once, so that data and password stay together. */
async function secretFile(container: string, variable: string): Promise<string> {
  const folder = stateFolder(container);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The folder keeps other users of this machine out; the file has to be readable for the container's user.
  await chmod(folder, 0o700);
  const file = join(folder, variable);
  if (!existsSync(file)) {
    // Moved when it is whole: an empty secret would stay for good.
    await writeFile(`${file}.new`, randomBytes(18).toString("base64url"), { mode: 0o444 });
    await rename(`${file}.new`, file);
  }
  return file;
}

/** A whole number of an option, checked before an engine is asked for anything. */
function wholeNumber(option: string, given: string, low: number, high: number, example: string): number {
  const value = Number(given);
  if (given.trim() === "" || !Number.isInteger(value) || value < low || value > high)
    fail(
      `option ${option}`,
      `expected a whole number from ${low} to ${high}, found ${given}`,
      `such as \`${option} ${example}\``,
    );
  return value;
}

async function start(engine: Engine, plan: Plan, name: string, id: string, port: number | undefined): Promise<void> {
  const mounts = new Map(volumeNames(name, plan));
  const env: Record<string, string> = {};
  for (const variable of plan.up.secrets ?? []) {
    const inside = `/run/secrets/${variable}`;
    mounts.set(`${inside}:ro`, await secretFile(name, variable));
    env[`${variable}_FILE`] = inside;
  }
  const ports = new Map(port === undefined ? [] : [[plan.expose[0]!, port]]);
  await runContainer(engine, { name, image: id, ports, mounts, env });
}

async function connectLine(plan: Plan, name: string, port: number | undefined): Promise<string | undefined> {
  let text = plan.up.connect?.replaceAll("{host}", "127.0.0.1").replaceAll("{port}", String(port));
  for (const variable of plan.up.secrets ?? [])
    text = text?.replaceAll(`{${variable}}`, `$(cat ${await secretFile(name, variable)})`);
  return text;
}

/** The image of a plan in the engine's store, built when it is not there yet. */
async function imageId(engine: Engine, image: ImageDefinition, plan: Plan, cancelSignal: AbortSignal): Promise<string> {
  const found = await inspectImage(engine, plan.tags[0]!);
  if (found) return found.id;
  const prepared = await prepareImage(image, [plan.variant], sayEmitted);
  return (await buildVariant(engine, image, prepared.plans[0]!, prepared, {}, cancelSignal)).id;
}

/** `strata up`: one container of an image, with generated secrets and a volume that stays, healthy when it returns. */
export async function upCommand(
  words: readonly string[],
  options: UpOptions,
  cancelSignal: AbortSignal,
): Promise<void> {
  const timeout = wholeNumber("--timeout", options.timeout, 1, 86_400, "90");
  const wanted = options.port === undefined ? undefined : wholeNumber("--port", options.port, 1, 65_535, "5433");
  const { image, variants } = await select(process.cwd(), words, false);
  const plan = (await planImage(image, variants, () => undefined))[0]!;
  const engine = await findEngine();
  const name = options.name ?? `strata-${image.name}`;
  const id = await imageId(engine, image, plan, cancelSignal);
  const existing = await inspectContainer(engine, name);
  const inside = plan.expose[0];
  const bound = existing?.ports[`${inside}/tcp`];
  const port = inside === undefined ? undefined : (wanted ?? bound ?? inside);
  if (existing?.running && existing.image === id && (port === undefined || bound === port)) {
    say(`${name} is already running`);
  } else {
    // Before the container that runs is stopped for another: it holds its own port itself.
    const holds = existing?.running === true && bound === port;
    if (port !== undefined && !holds && !(await portIsFree(port))) portTaken(port, await freePort(port + 1));
    if (existing) await removeContainer(engine, name);
    say(`starting ${name} from ${plan.tags[0]}`);
    await start(engine, plan, name, id, port);
  }
  const { healthcheck } = (await inspectImage(engine, id))!;
  if (healthcheck.length > 0) await waitHealthy(engine, name, healthcheck, timeout, cancelSignal);
  const check = plan.up.check ? await exec(engine, name, plan.up.check) : undefined;
  if (check && !check.ok)
    fail(`container ${name}`, `its check failed: ${check.reason}`, `read the log: \`docker logs ${name}\``);
  const answer = check?.stdout.trim();
  const connect = await connectLine(plan, name, port);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ name, image: plan.tags[0], port, answer, connect }, null, 2)}\n`);
    return;
  }
  say(`${pc.green("healthy")} ${name}${port === undefined ? "" : ` on 127.0.0.1:${port}`}`);
  if (connect) say(`connect: ${connect}`);
  const strata = workspaceRoot(process.cwd()) ? "npm run strata --" : "npx strata";
  say(`stop:    ${strata} down ${image.name}   (the data stays; --volumes removes it)`);
  if (answer) process.stdout.write(`${answer}\n`);
}

/** `strata down`: stops and removes the container of `up`; with --volumes its data and its secrets too. */
export async function downCommand(
  words: readonly string[],
  options: { name?: string; volumes?: boolean },
): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, false);
  const plan = (await planImage(image, variants, () => undefined))[0]!;
  const engine = await findEngine();
  const name = options.name ?? `strata-${image.name}`;
  const removed = await removeContainer(engine, name);
  say(removed ? `stopped and removed ${name}` : `${name} was not running`);
  if (!options.volumes) return;
  for (const [, volume] of volumeNames(name, plan))
    if (await removeVolume(engine, volume)) say(`removed volume ${volume}`);
  await rm(stateFolder(name), { recursive: true, force: true });
}
