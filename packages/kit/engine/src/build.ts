import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Problem, StrataError } from "@strata/fragment";
import { execa } from "execa";
import type { Engine } from "./probe.js";
import { type ProgressEvent, ProgressReader, type Step } from "./progress.js";
import type { Site } from "./site.js";

/** What to build, and how it is called. */
export interface BuildRequest {
  /** The rendered folder, with the Dockerfile and its context. */
  readonly folder: string;
  readonly tags: readonly string[];
  /** Name of the Dockerfile in the folder, unless it is called so. */
  readonly file?: string;
  /** The stage to build, unless it is the last one. */
  readonly target?: string;
  /** A file that gets the result as a tar, in place of an image in the engine's store. */
  readonly output?: string;
  /** Folders by name of context; an engine with buildx knows them. */
  readonly contexts?: Readonly<Record<string, string>>;
  readonly args?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Reaches the build as secrets alone, and no layer, history or label. */
  readonly site?: Site;
  readonly noCache?: boolean;
  readonly onEvent?: (event: ProgressEvent) => void;
  readonly cancelSignal?: AbortSignal;
}

/** A build that the engine began and did not end, with what became of every step until then. */
export class BuildFailure extends StrataError {
  constructor(
    problem: Problem,
    readonly steps: readonly Step[],
  ) {
    super([problem]);
  }
}

const pairs = (flag: string, entries: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(entries).flatMap(([key, value]) => [flag, `${key}=${value}`]);

function whyItFailed(reader: ProgressReader, output: ReadonlyMap<number, string[]>): string {
  const failed = [...reader.steps.values()].find((step) => step.state === "error");
  // A step that never ran has said nothing; then the engine's own word is all there is.
  const said = failed && (output.get(failed.number) ?? [failed.error ?? ""]);
  const lines = said ?? reader.tail;
  const step = failed?.name.replace(/ +--mount=\S+/g, "").replace(/ +/g, " ");
  const heading = step ? `step ${step} failed` : "the engine refused it";
  return [heading, ...lines.slice(-15).map((line) => `    ${line}`)].join("\n");
}

/** What to do about a failure: most lie in what was rendered, but a full disk does not. */
const whatToDo = (message: string, folder: string): string =>
  /no space left on device|not have enough free space/i.test(message)
    ? "make room on the disk that holds the engine's data (`docker system df`, `docker builder prune`) and build again"
    : `the rendered Dockerfile is in ${folder}`;

/**
 * Builds a rendered folder with BuildKit and gives every step with what became of it. Raises a BuildFailure with the
 * end of the failed step's output. Tags are set by the engine at the end, so a build that was stopped leaves none.
 */
export async function build(engine: Engine, request: BuildRequest): Promise<Step[]> {
  const secrets = await mkdtemp(join(tmpdir(), "strata-secrets-"));
  try {
    const secretFlags: string[] = [];
    for (const [id, content] of [
      ["apt-sources", request.site?.sources],
      ["apt-conf", request.site?.conf],
    ] as const) {
      if (content === undefined) continue;
      await writeFile(join(secrets, id), content, { mode: 0o600 });
      secretFlags.push("--secret", `id=${id},src=${join(secrets, id)}`);
    }
    const args = [
      ...(engine.builder === "buildx" ? ["buildx", "build"] : ["build"]),
      ...(request.output
        ? ["--output", `type=tar,dest=${request.output}`]
        : engine.builder === "buildx"
          ? ["--load"]
          : []),
      "--progress=plain",
      ...(request.file ? ["--file", join(request.folder, request.file)] : []),
      ...(request.target ? ["--target", request.target] : []),
      ...pairs("--build-context", request.contexts),
      ...request.tags.flatMap((tag) => ["--tag", tag]),
      ...pairs("--build-arg", request.args),
      ...pairs("--label", request.labels),
      ...secretFlags,
      ...(request.noCache ? ["--no-cache"] : []),
      request.folder,
    ];
    const reader = new ProgressReader();
    const began = performance.now();
    const output = new Map<number, string[]>();
    const child = execa(engine.client, args, {
      env: engine.env,
      stdin: "ignore",
      all: true,
      buffer: false,
      reject: false,
      ...(request.cancelSignal ? { cancelSignal: request.cancelSignal, forceKillAfterDelay: 10_000 } : {}),
    });
    for await (const line of createInterface({ input: child.all! })) {
      const event = reader.read(line, (performance.now() - began) / 1_000);
      if (event?.type === "output")
        output.set(event.step.number, [...(output.get(event.step.number) ?? []).slice(-30), event.text]);
      if (event) request.onEvent?.(event);
    }
    const result = await child;
    request.cancelSignal?.throwIfAborted();
    if (result.failed) {
      const subject = request.target ? `stage ${request.target}` : `image ${request.tags[0]}`;
      const message = whyItFailed(reader, output);
      const problem = { subject, message, fix: whatToDo(message, request.folder) };
      throw new BuildFailure(problem, [...reader.steps.values()]);
    }
    return [...reader.steps.values()];
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}
