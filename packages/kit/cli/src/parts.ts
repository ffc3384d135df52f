import { type Dialect, neededStages, type Plan } from "@strata/assembler";
import type { LayerReport, Part } from "@strata/engine";
import { layerCount } from "@strata/engine";
import type { PartRecord } from "./report/record.js";

const STAGE_PREFIX = "stage/";

/** A part of a rendered Dockerfile with what a record says of it whatever becomes of it. */
type PlannedPart = Part & Pick<PartRecord, "kind" | "fragment" | "needs"> & { readonly planId: string };

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
    return { id, planId: id, stage: "final", kind, fragment, dockerfile, needs };
  });
  return [...stages, ...layers];
}

/** What became of every part: the engine's report, the sizes of layers, and why what was built is another one. */
export function recordParts(
  parts: readonly PlannedPart[],
  reports: readonly LayerReport[],
  sizes: readonly number[] | undefined,
  reasons: ReadonlyMap<string, string>,
): PartRecord[] {
  const byId = new Map(reports.map((report) => [report.id, report]));
  const left = [...(sizes ?? [])];
  const built = new Set<string>();
  return parts.map(({ id, planId, kind, fragment, needs, dockerfile, stage }) => {
    const report = byId.get(id);
    const own = stage === "final" ? left.splice(0, layerCount(dockerfile)) : [];
    const state = report?.state ?? "cached";
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
      ...(sizes && own.length > 0 ? { bytes: own.reduce((sum, size) => sum + size, 0) } : {}),
      needs,
      ...(state === "built" ? { reason } : {}),
    };
  });
}
