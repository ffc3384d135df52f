import { isDeepStrictEqual } from "node:util";
import { type Dialect, neededStages, type Plan } from "@strata/assembler";
import type { LayerReport, Part } from "@strata/engine";
import { layerCount } from "@strata/engine";
import type { PartRecord } from "./report/record.js";

const STAGE_PREFIX = "stage/";

/** A part of a rendered Dockerfile with what a record says of it whatever becomes of it. */
type PlannedPart = Part &
  Pick<PartRecord, "kind" | "fragment" | "needs"> & {
    readonly planId: string;
    /** Whether it is a linked layer, which follows from nothing below it. */
    readonly linked: boolean;
    /** Whether it is a stage that only unpacks what was compiled before. */
    readonly unpacked: boolean;
  };

/**
 * The parts of the Dockerfile that is built, as the engine will name their steps: stages, then the layers of the image.
 * A stage that is unpacked from an artifact is there with the one step it has.
 */
export function partsOf(plan: Plan, artifacts: ReadonlySet<string>, dialect: Dialect): PlannedPart[] {
  const stages = neededStages(plan, artifacts).map(({ id, kind, fragment, dockerfile, needs }): PlannedPart => {
    const made = kind === "build" && artifacts.has(fragment);
    return {
      id: `${STAGE_PREFIX}${fragment}`,
      planId: id,
      stage: id,
      kind,
      fragment,
      linked: false,
      unpacked: made,
      dockerfile: made ? `FROM scratch AS ${id}\nADD artifact /out/` : dockerfile,
      needs: made
        ? []
        : needs.map((name) => `${STAGE_PREFIX}${plan.stages.find((stage) => stage.id === name)!.fragment}`),
    };
  });
  let below: string | undefined;
  const layers = plan.layers.map(({ id, kind, fragment, dockerfile }): PlannedPart => {
    const linked = dialect === "buildkit" && (kind === "component" || kind === "runtime");
    const needs = [
      ...(below !== undefined && !linked ? [below] : []),
      ...(kind === "component" ? [`${STAGE_PREFIX}${fragment}`] : []),
    ];
    below = id;
    return { id, planId: id, stage: "final", kind, fragment, linked, unpacked: false, dockerfile, needs };
  });
  return [...stages, ...layers];
}

/** The layers of an image, and its parts when it was built the time before. */
export interface LayersNow {
  /** Digests, in order; of the base's too. */
  readonly digests: readonly string[];
  readonly before: readonly PartRecord[];
}

/**
 * What became of every part: the engine's report, the sizes of layers, and why what was built is another one.
 * @param layers with it, a linked layer that is what it was counts as cached: BuildKit also says that it built one that it
 *   only joined to others below
 */
export function recordParts(
  parts: readonly PlannedPart[],
  reports: readonly LayerReport[],
  sizes: readonly number[] | undefined,
  reasons: ReadonlyMap<string, string>,
  layers?: LayersNow,
): PartRecord[] {
  const byId = new Map(reports.map((report) => [report.id, report]));
  const before = new Map(layers?.before.map((part) => [part.id, part.layers]));
  const count = parts.reduce((sum, { stage, dockerfile }) => sum + (stage === "final" ? layerCount(dockerfile) : 0), 0);
  const digests = layers && layers.digests.length >= count && count > 0 ? layers.digests.slice(-count) : [];
  const left = [...(sizes ?? [])];
  const made = new Map(
    parts.map(({ id, stage, dockerfile }) => {
      const steps = stage === "final" ? layerCount(dockerfile) : 0;
      return [id, { own: left.splice(0, steps), now: digests.splice(0, steps) }];
    }),
  );
  const ran = ({ id }: PlannedPart): boolean => byId.get(id)?.state === "built";
  for (const { id } of parts.filter(({ linked }) => linked).filter(ran)) {
    const { now } = made.get(id)!;
    if (now.length > 0 && isDeepStrictEqual(now, before.get(id))) byId.delete(id);
  }
  // BuildKit runs the step that unpacks where it knows these files only from a compiler: that builds nothing new.
  for (const { id, fragment } of parts.filter(({ unpacked }) => unpacked).filter(ran)) {
    const layer = parts.find((part) => part.kind === "component" && part.fragment === fragment);
    const state = layer && byId.get(layer.id)?.state;
    if (layer && (state === undefined || state === "cached")) byId.delete(id);
  }
  const broken = reports.some(({ state }) => state === "failed");
  const built = new Set<string>();
  return parts.map(({ id, planId, kind, fragment, needs }) => {
    const { own, now } = made.get(id)!;
    const report = byId.get(id);
    const state = report?.state ?? (broken ? "not reached" : "cached");
    if (state === "built") built.add(id);
    const cause = needs.find((name) => built.has(name));
    const reason =
      reasons.get(planId) ?? (cause ? `what it is made from was built: ${cause}` : "the engine had it no longer");
    return {
      id,
      kind,
      fragment,
      state,
      seconds: report?.seconds ?? 0,
      ...(report?.from === undefined ? {} : { from: report.from, to: report.to! }),
      ...(now.length > 0 ? { layers: now } : {}),
      ...(sizes && own.length > 0 ? { bytes: own.reduce((sum, size) => sum + size, 0) } : {}),
      needs,
      ...(state === "built" ? { reason } : {}),
    };
  });
}
