import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImageDefinition, type Plan, type Prepared, prepareImage } from "@strata/assembler";
import { build, type Engine, ensureBase, findEngine, readSite, stepOwners } from "@strata/engine";
import { fail, Problems, StrataError } from "@strata/fragment";
import { artifactFolder, normalized, writeArtifact } from "../artifacts.js";
import { dialectFor } from "../build-variant.js";
import { readArtifacts, resolveStage, stageContext, writeContext } from "../components.js";
import { BuildDisplay } from "../display.js";
import { megabytes, say, sayEmitted } from "../output.js";
import { partsOf } from "../parts.js";
import { sourcesFolder } from "../sources.js";
import { RESTORE_ONLY } from "../turbo.js";
import { select } from "../workspace.js";

/** Options of `strata artifact`. */
export interface ArtifactOptions {
  /** Only this fragment's. */
  readonly fragment?: string;
}

/** Compiles one component of a variant and keeps its /out. */
async function exportArtifact(
  engine: Engine,
  image: ImageDefinition,
  plan: Plan,
  prepared: Prepared,
  fragment: string,
  cancelSignal: AbortSignal,
): Promise<number> {
  const dialect = dialectFor(engine);
  const components = await resolveStage(plan, fragment, { folder: sourcesFolder(), say, cancelSignal });
  const base = await ensureBase(engine, plan.base, { say, cancelSignal });
  const room = await mkdtemp(join(tmpdir(), "strata-artifact-"));
  const parts = partsOf(plan, new Set(), dialect);
  const display = await BuildDisplay.open(`compiling ${fragment} for ${plan.tags[0]}`, stepOwners(parts));
  try {
    const context = await writeContext(room, components, prepared, dialect);
    const output = join(room, "out.tar");
    await build(engine, {
      ...stageContext(context, fragment),
      tags: [],
      output,
      args: { BASE_IMAGE: base.reference },
      site: await readSite(plan.base.suite),
      onEvent: (event) => display.event(event),
      cancelSignal,
    });
    const content = await normalized(await readFile(output));
    const stage = plan.stages.find(({ kind, fragment: name }) => kind === "build" && name === fragment)!;
    await writeArtifact(artifactFolder(image, plan.variant, fragment), stage, content);
    return content.length;
  } finally {
    display.stop();
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * `strata artifact`: compiles the components of an image and keeps what each installs, so that Turbo can carry it to
 * other machines. One that is there, whole and of the same stage is kept. All that cannot be made is told at the end.
 */
export async function artifactCommand(
  words: readonly string[],
  options: ArtifactOptions,
  cancelSignal: AbortSignal,
): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, "built");
  const prepared = await prepareImage(image, variants, sayEmitted);
  const problems = new Problems();
  const compiled = new Set<string>();
  let engine: Engine | undefined;
  for (const plan of prepared.plans) {
    const { artifacts: there } = await readArtifacts(image, plan, say);
    for (const { kind, fragment } of plan.stages) {
      if (kind !== "build") continue;
      compiled.add(fragment);
      if (options.fragment !== undefined && options.fragment !== fragment) continue;
      const name = `artifact ${fragment} of ${plan.tags[0]}`;
      if (there.has(fragment)) {
        say(`${name} is there, ${megabytes(there.get(fragment)!.length)}`);
        continue;
      }
      if (process.env[RESTORE_ONLY]) {
        problems.add(
          name,
          "expected it in Turbo's cache, found none",
          "without STRATA_ARTIFACT_RESTORE_ONLY it is made",
        );
        continue;
      }
      try {
        engine ??= await findEngine();
        const bytes = await exportArtifact(engine, image, plan, prepared, fragment, cancelSignal);
        say(`${name} made, ${megabytes(bytes)}`);
      } catch (error) {
        cancelSignal.throwIfAborted();
        if (!(error instanceof StrataError)) throw error;
        problems.list.push(...error.problems);
      }
    }
  }
  if (options.fragment !== undefined && !compiled.has(options.fragment))
    fail(
      `fragment ${options.fragment}`,
      `image ${image.name} does not compile it in ${variants.join(", ")}`,
      `choose one of ${[...compiled].join(", ") || "none: nothing is compiled"}`,
    );
  problems.throwIfAny();
}
