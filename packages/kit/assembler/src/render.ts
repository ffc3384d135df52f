import { contextPath, type EmittedFragment, quote } from "@strata/fragment";
import type { Plan } from "./plan.js";
import { environmentReference } from "./reference.js";

function dockerfile(plan: Plan): string {
  const name = plan.tags[0]!;
  const head = [
    `# ${name}, rendered by Strata from ${plan.fragments.length} fragments. Change those, not this file.`,
    `# Build it with any engine that has BuildKit 0.8 or later: docker build -t ${name} .`,
    "# The secrets apt-sources and apt-conf are optional: a site's own APT mirror and proxy, for the build alone.",
    `ARG BASE_IMAGE=${quote(plan.base.name)}`,
  ].join("\n");
  const about = new Map(plan.fragments.map((fragment) => [fragment.name, fragment]));
  const stages = plan.stages.map((stage) => `# files of ${stage.fragment}\n${stage.dockerfile}`);
  const layers = plan.layers.map((layer) => {
    const fragment = layer.fragment === null ? undefined : about.get(layer.fragment);
    const title = fragment ? `${layer.id}: ${fragment.summary}` : layer.id;
    return `# ${title}\n${layer.dockerfile}`;
  });
  return `${[head, ...stages, ...layers].join("\n\n")}\n`;
}

function bake(plan: Plan): string {
  const target = {
    context: ".",
    dockerfile: "Dockerfile",
    tags: plan.tags,
    args: { BASE_IMAGE: `${plan.base.name}@${plan.base.digest}` },
  };
  return `${JSON.stringify({ group: { default: { targets: ["image"] } }, target: { image: target } }, null, 2)}\n`;
}

/**
 * The folder that builds the image, as content by path: a portable Dockerfile (version 1.2, which Docker 20.10 has
 * built in), its context, `image.json`, the environment reference and a bake file. Pure.
 */
export function render(plan: Plan, fragments: readonly EmittedFragment[]): Map<string, string | Buffer> {
  const files = new Map<string, string | Buffer>([
    ["Dockerfile", dockerfile(plan)],
    [".dockerignore", "*\n!fragments\n"],
    ["image.json", `${JSON.stringify(plan, null, 2)}\n`],
    ["docker-bake.json", bake(plan)],
    ["environment.md", environmentReference(plan)],
  ]);
  for (const { manifest, contents } of fragments)
    for (const [path, content] of contents) files.set(contextPath(manifest.name, path), content);
  return files;
}
