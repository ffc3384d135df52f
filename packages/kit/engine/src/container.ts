import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "@strata/fragment";
import type { Engine } from "./probe.js";
import { attempt, type Outcome } from "./run.js";

/** What `docker inspect` says of an image, as far as we ask. */
export interface ImageDetails {
  readonly id: string;
  /** Bytes, base included. */
  readonly size: number;
  /** Digests of the uncompressed layers, the base's first. */
  readonly layers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly healthcheck: readonly string[];
}

/** An image in the engine's store, or undefined. */
export async function inspectImage(engine: Engine, reference: string): Promise<ImageDetails | undefined> {
  const found = await attempt(engine.client, ["image", "inspect", reference]);
  if (!found.ok) return undefined;
  const image = JSON.parse(found.stdout)[0];
  return {
    id: image.Id,
    size: image.Size,
    layers: image.RootFS?.Layers ?? [],
    labels: image.Config?.Labels ?? {},
    healthcheck: (image.Config?.Healthcheck?.Test ?? []).slice(1),
  };
}

/**
 * Bytes of the layers that the last `count` steps of a build made, in the order of the build; undefined where the
 * image's history does not have so many. Steps that only set metadata make no layer and are not among them.
 */
export async function layerSizes(engine: Engine, reference: string, count: number): Promise<number[] | undefined> {
  const found = await attempt(engine.client, [
    ...["history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", reference],
  ]);
  const rows = found.stdout.split("\n").map((line) => line.split("\t"));
  const sizes = rows.flatMap(([size, by = ""]) => (/^(RUN|COPY|ADD|WORKDIR) /.test(by) ? [Number(size)] : []));
  return found.ok && sizes.length >= count ? sizes.slice(0, count).reverse() : undefined;
}

/** A container of ours. */
export interface ContainerDetails {
  readonly id: string;
  readonly image: string;
  readonly running: boolean;
  /** Host port by container port, such as `5432/tcp`; empty while it is stopped. */
  readonly ports: Readonly<Record<string, number>>;
  readonly exitCode: number;
}

/** A container by name, or undefined. */
export async function inspectContainer(engine: Engine, name: string): Promise<ContainerDetails | undefined> {
  const found = await attempt(engine.client, ["container", "inspect", name]);
  if (!found.ok) return undefined;
  const container = JSON.parse(found.stdout)[0];
  const bound = (container.HostConfig?.PortBindings ?? {}) as Record<string, { HostPort: string }[] | null>;
  const ports = Object.entries(bound).map(([key, hosts]) => [key, Number(hosts?.[0]?.HostPort ?? 0)] as const);
  return {
    id: container.Id,
    image: container.Image,
    running: container.State.Running,
    ports: Object.fromEntries(ports),
    exitCode: container.State.ExitCode,
  };
}

/** Whether nobody listens on this port of 127.0.0.1. */
export async function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The first free port of 127.0.0.1 at or after `port`. */
export async function freePort(port: number): Promise<number> {
  for (let at = port; at < 65_536; at++) if (await portIsFree(at)) return at;
  return fail("port", `expected a free one from ${port} on, found none`);
}

/** What to start. */
export interface RunRequest {
  readonly name: string;
  readonly image: string;
  /** Host port by container port; published on 127.0.0.1 alone. */
  readonly ports: ReadonlyMap<number, number>;
  /** Volume name or host path by path in the container. */
  readonly mounts: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a container in the background. A failed start leaves no container behind. */
export async function runContainer(engine: Engine, request: RunRequest): Promise<void> {
  const args = [
    ...["run", "--detach", "--name", request.name, "--restart", "unless-stopped", "--shm-size", "256m"],
    ...[...request.ports].flatMap(([inside, host]) => ["--publish", `127.0.0.1:${host}:${inside}`]),
    ...[...request.mounts].flatMap(([path, source]) => ["--volume", `${source}:${path}`]),
    ...Object.entries(request.env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    request.image,
  ];
  const started = await attempt(engine.client, args);
  if (started.ok) return;
  // A name that is taken is somebody else's container; any other failure leaves ours, made and not started.
  if (!/Conflict|already in use by container/i.test(started.stderr))
    await attempt(engine.client, ["rm", "--force", request.name]);
  const port = /(?:bind for [\d.]+:|listen tcp[46]? [\d.]+:)(\d+).*(?:allocated|in use)/i.exec(started.stderr)?.[1];
  if (port !== undefined) portTaken(Number(port), await freePort(Number(port) + 1));
  fail(`container ${request.name}`, `the engine did not start it: ${started.reason}`);
}

/** Raises the error for a port that somebody else listens on. */
export function portTaken(port: number, free: number): never {
  return fail(
    `port ${port}`,
    "expected it to be free on 127.0.0.1, found it taken",
    `choose another, such as \`--port ${free}\``,
  );
}

/** Runs a command in a container. */
export async function exec(
  engine: Engine,
  name: string,
  command: readonly string[],
  timeout = 30_000,
): Promise<Outcome> {
  return attempt(engine.client, ["exec", name, ...command], { timeout });
}

/**
 * Waits until the image's own health check is green in the container. Asks it directly: Docker's first run of it comes
 * a whole interval after the start. Raises a StrataError with the end of the log when the container ends or time is up.
 */
export async function waitHealthy(
  engine: Engine,
  name: string,
  check: readonly string[],
  seconds: number,
  cancelSignal?: AbortSignal,
): Promise<void> {
  const until = Date.now() + seconds * 1_000;
  let last = "it was never asked";
  while (Date.now() < until) {
    const container = await inspectContainer(engine, name);
    if (!container?.running) {
      last = container ? `it ended with exit code ${container.exitCode}` : "it is gone";
      break;
    }
    const answer = await exec(engine, name, check);
    if (answer.ok) return;
    last = answer.reason;
    await sleep(250, undefined, cancelSignal ? { signal: cancelSignal } : {});
  }
  const logs = await attempt(engine.client, ["logs", "--tail", "20", name]);
  const lines = `${logs.stdout}\n${logs.stderr}`.trim().split("\n").slice(-20);
  fail(
    `container ${name}`,
    `expected it healthy within ${seconds} s: ${last}\n    ${lines.join("\n    ")}`,
    `read the whole log: \`docker logs ${name}\``,
  );
}

/** Stops and removes a container; its volumes stay. The server gets `seconds` to end by itself. */
export async function removeContainer(engine: Engine, name: string, seconds = 40): Promise<boolean> {
  if (!(await inspectContainer(engine, name))) return false;
  await attempt(engine.client, ["stop", "--time", String(seconds), name]);
  const removed = await attempt(engine.client, ["rm", "--force", name]);
  if (!removed.ok)
    fail(`container ${name}`, `the engine did not remove it: ${removed.reason}`, "see `docker ps --all`");
  return true;
}

/** Removes a volume; false where there was none. Raises a StrataError when it is there and stays. */
export async function removeVolume(engine: Engine, name: string): Promise<boolean> {
  if (!(await attempt(engine.client, ["volume", "inspect", name])).ok) return false;
  const removed = await attempt(engine.client, ["volume", "rm", name]);
  if (!removed.ok) fail(`volume ${name}`, `the engine did not remove it: ${removed.reason}`, "stop what uses it first");
  return true;
}
