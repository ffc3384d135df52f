import { type FragmentFile, sha256 } from "@strata/fragment";

/** Values of a fragment's options. */
export type Values = Readonly<Record<string, string | boolean>>;

/** Mode and sha256 of files by path. */
export const filesOf = (files: readonly FragmentFile[]): Record<string, string> =>
  Object.fromEntries(files.map(({ path, mode, sha256 }) => [path, `${mode} ${sha256}`]));

/** What instructions and everything they read come to, as `sha256:…`. */
export function digest(dockerfile: string, files: readonly FragmentFile[], inputs: readonly string[] = []): string {
  const read = files.map(({ path, mode, sha256 }) => [path, mode, sha256]);
  return `sha256:${sha256(JSON.stringify([dockerfile, read, inputs]))}`;
}
