import { buildStage, copyOut, TOOLCHAIN_STAGE } from "@strata/fragment";
import type { BaseImage } from "./definition.js";
import { digest, filesOf } from "./digest.js";
import { filesSeen, type Member } from "./members.js";
import type { Stage } from "./plan.js";
import { planSource, sourcesText } from "./sources.js";

/** A base as digests know it. */
export const baseText = ({ name, digest: pinned }: BaseImage): string => `${name}@${pinned}`;

/**
 * The stages, each after those it needs: the toolchain, then one for every component that is compiled. What is compiled
 * on one base is not what is compiled on another, so the base is in their digests.
 */
export function planStages(members: ReadonlyMap<string, Member>, base: BaseImage): Stage[] {
  const stages = new Map<string, Stage>();
  const add = (
    member: Member,
    script: string,
    uses: readonly string[],
    stage: Pick<Stage, "id" | "kind" | "needs" | "sources" | "optional">,
  ): void => {
    const { manifest, sections } = member;
    const files = filesSeen(manifest.name, script, uses, members);
    const dropped = [...members.values()].filter(({ compiled }) => !compiled).map(({ manifest: { name } }) => name);
    const lines = sections.stages.get(stage.id)!.split("\n");
    const dockerfile = lines.filter((line) => !dropped.some((name) => line === copyOut(name))).join("\n");
    const below = stage.kind === "toolchain" ? [baseText(base)] : stage.needs.map((id) => stages.get(id)!.digest);
    stages.set(stage.id, {
      ...stage,
      fragment: manifest.name,
      digest: digest(dockerfile, files, [...below, sourcesText(stage.sources)]),
      dockerfile,
      files: filesOf(files),
    });
  };
  for (const member of members.values()) {
    const { toolchain, uses = [] } = member.manifest.setup ?? {};
    if (toolchain)
      add(member, toolchain, uses, { id: TOOLCHAIN_STAGE, kind: "toolchain", needs: [], sources: [], optional: false });
  }
  for (const member of members.values()) {
    const { manifest, values, compiled } = member;
    if (!compiled) continue;
    const { script, uses, needs, sources, optional } = manifest.setup!.build!;
    const needed = needs.filter((name) => members.get(name)!.compiled).map(buildStage);
    add(member, script, uses, {
      id: buildStage(manifest.name),
      kind: "build",
      needs: [TOOLCHAIN_STAGE, ...needed],
      sources: sources.map((source) => planSource(source, values)),
      optional,
    });
  }
  return [...stages.values()];
}
