import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ImageDefinition, Stage } from "@strata/assembler";
import { FILE_TIME, replaceFolder, sha256 } from "@strata/fragment";
import { extract, type Headers, pack } from "tar-stream";
import { z } from "zod";

/** What is known of an archive of /out, in a file beside it. */
const RecordSchema = z.object({
  schema: z.literal(1),
  /** Digest of the stage that made it. */
  stage: z.string(),
  /** Sum of the archive. */
  sha256: z.string(),
  bytes: z.number(),
});

/** The artifact of a stage, or why there is none to use. */
export type Artifact = { readonly content: Buffer } | { readonly content?: undefined; readonly reason?: string };

/** Where the artifact of a fragment in a variant lies: a folder with the archive and what is known of it. */
export function artifactFolder(image: ImageDefinition, variant: string, fragment: string): string {
  return join(dirname(fileURLToPath(image.module)), "artifacts", variant, fragment);
}

/**
 * The artifact that was made by this very stage. Without a reason there simply is none; one that does not fit its own
 * record is refused with a reason. One of another stage is out of date, which is no fault.
 */
export async function readArtifact(folder: string, stage: Pick<Stage, "digest" | "fragment">): Promise<Artifact> {
  const [text, content] = await Promise.all(
    ["artifact.json", "out.tar"].map((name) => readFile(join(folder, name)).catch(() => undefined)),
  );
  if (!text && !content) return {};
  const parsed = RecordSchema.safeParse(parse(String(text)));
  if (!parsed.success || !content) return { reason: `the artifact of ${stage.fragment} is not whole` };
  const record = parsed.data;
  if (record.stage !== stage.digest) return {};
  const found = sha256(content);
  if (found !== record.sha256)
    return {
      reason: `the artifact of ${stage.fragment} was changed: expected sha256 ${record.sha256}, found ${found}`,
    };
  return { content };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An archive with the same entries, whatever engine wrote it: in order, root's, all of one time. */
export async function normalized(tar: Buffer): Promise<Buffer> {
  const entries: { header: Headers; content: Buffer }[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) entries.push({ header: entry.header, content: await buffer(entry) });
  const whole = pack();
  const written = buffer(whole);
  for (const { header, content } of entries.sort((a, b) => (a.header.name < b.header.name ? -1 : 1))) {
    const { name, type, mode, linkname } = header;
    if (name === "./" || name === "/") continue;
    const common = { name, type, mode, uid: 0, gid: 0, mtime: FILE_TIME, ...(linkname ? { linkname } : {}) };
    if (type === "file") whole.entry({ ...common, size: content.length } as Headers, content);
    else whole.entry(common as Headers);
  }
  whole.finalize();
  return written;
}

/** Keeps an artifact with what is known of it. */
export async function writeArtifact(folder: string, stage: Pick<Stage, "digest">, content: Buffer): Promise<void> {
  const record = { schema: 1, stage: stage.digest, sha256: sha256(content), bytes: content.length };
  await replaceFolder(
    folder,
    new Map<string, string | Uint8Array>([
      ["out.tar", content],
      ["artifact.json", `${JSON.stringify(record, null, 2)}\n`],
    ]),
  );
}

/** Takes an artifact away that is not to be used. */
export async function removeArtifact(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
