/** A step of a build, as BuildKit's plain progress tells it. */
export interface Step {
  /** BuildKit's number of the step in this build. */
  readonly number: number;
  /** Such as `[final 2/5] RUN …`. */
  readonly name: string;
  state: "running" | "cached" | "done" | "error" | "canceled";
  /** Seconds of its own, by BuildKit's clock; 0 for a cached step. */
  seconds: number;
  /** Seconds after the build's start when it began, by our clock, or earlier by BuildKit's. */
  from: number;
  /** And when it ended; as `from` while it runs. */
  to: number;
  /** What the engine said of its failure. */
  error?: string;
}

/** What a line of progress meant. */
export type ProgressEvent =
  | { readonly type: "start" | "end"; readonly step: Step }
  | { readonly type: "output"; readonly step: Step; readonly text: string };

const LINE = /^#(\d+) (.*)$/;

/** Reads BuildKit's `--progress=plain`, of version 0.8 and later, line by line. */
export class ProgressReader {
  readonly steps = new Map<number, Step>();
  /** The last lines that belong to no step: where an engine says why it failed. */
  readonly tail: string[] = [];

  /**
   * Takes a line and gives what happened, or undefined for a line that tells nothing new.
   * @param at seconds after the build's start when the line came
   */
  read(line: string, at = 0): ProgressEvent | undefined {
    const match = LINE.exec(line.trimEnd());
    if (!match) {
      if (line.trim()) this.tail.push(line.trimEnd());
      if (this.tail.length > 40) this.tail.shift();
      return undefined;
    }
    const [number, text] = [Number(match[1]), match[2]!];
    const step = this.steps.get(number);
    if (!step) {
      const fresh: Step = { number, name: text, state: "running", seconds: 0, from: at, to: at };
      this.steps.set(number, fresh);
      return { type: "start", step: fresh };
    }
    const done = /^DONE ([\d.]+)s$/.exec(text);
    if (done || text === "CACHED" || text.startsWith("ERROR") || text === "CANCELED") {
      step.state = done ? "done" : text === "CACHED" ? "cached" : text === "CANCELED" ? "canceled" : "error";
      step.seconds = done ? Number(done[1]) : 0;
      step.to = at;
      // BuildKit tells of one step at a time and holds back the others' lines, but their seconds are right.
      step.from = Math.min(step.from, Math.max(0, at - step.seconds));
      if (step.state === "error") step.error = text.replace(/^ERROR:? */, "");
      return { type: "end", step };
    }
    const output = /^[\d.]+ (.*)$/.exec(text);
    return output ? { type: "output", step, text: output[1]! } : undefined;
  }
}

/** What became of one layer or stage in a build. */
export interface LayerReport {
  readonly id: string;
  readonly state: "cached" | "built" | "failed" | "not reached";
  readonly seconds: number;
  /** Seconds after the build's start when its first step began and its last one ended; absent where none ran. */
  readonly from?: number;
  readonly to?: number;
}

/** A part of a Dockerfile: the name of its stage and the instructions. */
export interface Part {
  readonly id: string;
  readonly stage: string;
  readonly dockerfile: string;
}

/** How many steps of these instructions make a layer. */
export function layerCount(dockerfile: string): number {
  return dockerfile.split("\n").filter((line) => /^(RUN|COPY|ADD|WORKDIR) /.test(line)).length;
}

/** How many steps BuildKit counts in these instructions: those that make a file system of their own. */
function stepCount(dockerfile: string, stages: ReadonlySet<string>): number {
  return dockerfile.split("\n").filter((line) => {
    const base = /^FROM (\S+)/.exec(line)?.[1];
    return base === undefined ? /^(RUN|COPY|ADD|WORKDIR) /.test(line) : base !== "scratch" && !stages.has(base);
  }).length;
}

const stagesOf = (parts: readonly Part[]): Set<string> => new Set(parts.map(({ stage }) => stage));

function stateOf(steps: readonly Step[], broken: boolean): LayerReport["state"] {
  // BuildKit says DONE of a base that it only looked up.
  const own = steps.filter((step) => !/^\[[^\]]*\] FROM /.test(step.name));
  const has = (...states: Step["state"][]): boolean => own.some((step) => states.includes(step.state));
  if (has("error")) return "failed";
  if (has("running", "canceled") || (steps.length === 0 && broken)) return "not reached";
  return has("done") ? "built" : "cached";
}

/** Where a step stands: its stage and its number in it. BuildKit names no stage where there is only one. */
function placeOf(name: string): string | undefined {
  const place = /^\[ *(?:(\S+) +)?(\d+)\/\d+\]/.exec(name);
  return place ? `${place[1] ?? "final"} ${place[2]}` : undefined;
}

/**
 * Tells which part a step belongs to, by the step's name. BuildKit numbers the steps of a stage, so the parts of one
 * stage take their steps in order; `FROM scratch` is none, nor is a `FROM` of another stage.
 */
export function stepOwners(parts: readonly Part[]): (name: string) => string | undefined {
  const owners = new Map<string, string>();
  const position = new Map<string, number>();
  const stages = stagesOf(parts);
  for (const { id, stage, dockerfile } of parts) {
    const before = position.get(stage) ?? 0;
    const count = stepCount(dockerfile, stages);
    position.set(stage, before + count);
    for (let step = before + 1; step <= before + count; step++) owners.set(`${stage} ${step}`, id);
  }
  return (name) => owners.get(placeOf(name) ?? "");
}

/** What was cached and what was built, by part. A part without any step, such as metadata, is left out. */
export function reportLayers(parts: readonly Part[], steps: Iterable<Step>): LayerReport[] {
  const ownerOf = stepOwners(parts);
  const all = [...steps];
  const stages = stagesOf(parts);
  const broken = all.some((step) => step.state === "error");
  return parts.flatMap(({ id, dockerfile }) => {
    if (stepCount(dockerfile, stages) === 0) return [];
    const own = all.filter((step) => ownerOf(step.name) === id);
    const state = stateOf(own, broken);
    const ran = state === "built" || state === "failed" ? own.filter((step) => step.state !== "cached") : [];
    return [
      {
        id,
        state,
        seconds: own.reduce((sum, step) => sum + step.seconds, 0),
        ...(ran.length > 0
          ? { from: Math.min(...ran.map(({ from }) => from)), to: Math.max(...ran.map(({ to }) => to)) }
          : {}),
      },
    ];
  });
}
