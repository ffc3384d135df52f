// @ts-check
// Writes docs/environment.md from the contract of the PostgreSQL image. With --check it only compares, and fails where
// the file is not what the contract gives. Needs the rendered image: pnpm turbo build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ENVIRONMENT_INTRO,
  environmentDifferences,
  environmentSections,
} from "../packages/kit/assembler/dist/index.js";
import { ROOT, stop } from "./bootstrap.mjs";

const FILE = "docs/environment.md";
const COMMAND = "pnpm run docs";

/** How values come together; a person's words, because no single variable owns them. */
const START = `# Environment of the PostgreSQL image

Generated from the fragments of the image by \`${COMMAND}\`: change a variable in its fragment's \`fragment.ts\`.

Every variable is checked before anything is started. What is wrong is told all at once, by name, and the container
ends with code 2. A variable that begins like one of ours but that nothing reads gives a warning with the nearest
name.`;

const FAMILIES = `**Families.** \`POSTGRESQL_<PARAMETER>\` sets a parameter of the server: \`POSTGRESQL_WORK_MEM=16MB\` is
\`work_mem = '16MB'\`. For the dot in a parameter's name write two underscores:
\`POSTGRESQL_PG_STAT_STATEMENTS__MAX=10000\`. The server itself checks them before it starts.
\`PGBACKREST_<OPTION>\` sets an option of pgBackRest: \`PGBACKREST_REPO1_PATH=/backup\` is \`repo1-path=/backup\`. Where
archiving is on they are written to a file that only the server's user can read, and the server does not inherit them.

**What decides about a parameter**, from lowest to highest:

1. the built-in default, and ours: \`listen_addresses = '*'\`, memory by the container's limit where it has one, and the
   output plugins that are installed
2. the cluster's own \`postgresql.conf\`, or the file in \`-c config_file=…\`
3. \`*.conf\` in \`PGCONFIG\`, in name order
4. what is switched on: \`ARCHIVE_TIMEOUT\`, the TLS files, archiving
5. \`POSTGRESQL_<PARAMETER>\`
6. \`ALTER SYSTEM\`, with a warning at the start where it hides a variable
7. \`-c\` of the command line, then what a role or a database sets

**Who may connect**, the first line that fits decides: \`POSTGRES_HBA\`, \`pg_hba.d/*.conf\` in \`PGCONFIG\` in name order,
then \`pg_hba.conf\` in \`PGCONFIG\` if it is there, else the cluster's own.`;

const END = `## Exit codes

| code | kind | what it means |
| --- | --- | --- |
| 0 | success | stopped as it was asked to |
| 1 | general | data, disk, init scripts or another server; the last lines of the log say what |
| 2 | configuration | a variable, a file or an argument holds what it must not |
| 3 | permission | a folder or file belongs to somebody else, or has a mode that will not do |
| 4 | missing dependency | a program or library that is needed is not in the image |
| 126, 127 | as in a shell | the given command cannot be run, or is not there |
| 128 + n | signal n | a stop came before the initialisation was complete: 130 INT, 131 QUIT, 143 TERM |
| 137 | killed | stopping took longer than \`TIMEOUT\`, or the engine killed the container |

Any other code is that of the process that ran in the container. What to do about each: see
[troubleshooting](troubleshooting.md#exit-codes).

## State folder

What the container knows about itself while it runs is in \`/run/container\`, or in \`/tmp/container\` where that cannot
be written (any other user, a read-only root). Everything in it is written anew at every start. It is gone with the
container, and holds no secret in a file that others can read.

| file | what it holds |
| --- | --- |
| \`phase\` | \`starting\`, \`initialising\`, \`restoring\`, \`running\`, \`paused\` or \`stopping\` |
| \`postgresql.conf\` | the configuration that the server is started with: it includes yours |
| \`postgresql.address\` | port, socket folders, listen address, superuser and data folder, one a line |
| \`postgresql.connections\` | which run of the server takes how many clients, for the health check |
| \`pg_hba.conf\` | who may connect, where \`POSTGRES_HBA\` or \`pg_hba.d\` is used |
| \`server.key\` | a private copy of the TLS key, where the server would refuse the file that is mounted |
| \`pgbackrest.conf\` | the configuration of pgBackRest, where archiving is on |
| \`passwd\`, \`group\` | the user's entry for initdb, where the image has none for its number |
`;

/**
 * The plans of the image's variants, the default one first.
 * @returns {import("../packages/kit/assembler/dist/index.js").Plan[]}
 */
function readPlans() {
  const folder = join(ROOT, "images", "postgresql", "dist");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = names.map((name) => join(folder, name, "image.json")).filter((file) => existsSync(file));
  if (files.length === 0) stop(`expected the rendered image in ${folder}, found none`, "run `pnpm turbo build` first");
  const plans = files.map((file) => JSON.parse(readFileSync(file, "utf8")));
  const isDefault = (/** @type {import("../packages/kit/assembler/dist/index.js").Plan} */ { tags }) =>
    Number(tags.some((tag) => tag.endsWith(":latest")));
  return plans.sort((a, b) => isDefault(b) - isDefault(a));
}

/**
 * The whole page.
 * @param {readonly import("../packages/kit/assembler/dist/index.js").Plan[]} plans the default variant first
 */
export function environmentPage(plans) {
  const [first] = plans;
  const names = plans.map(({ variant }) => `\`${variant}\``).join(" and ");
  const differences = environmentDifferences(plans);
  const about =
    differences.length === 0
      ? `The same in all variants: ${names}.`
      : `As in \`${first?.variant}\`. What differs:\n\n${differences.map((line) => `- ${line}`).join("\n")}`;
  const sections = first ? environmentSections(first) : "";
  return [START, about, ENVIRONMENT_INTRO, FAMILIES, sections, END].join("\n\n");
}

function main() {
  const page = environmentPage(readPlans());
  const path = join(ROOT, FILE);
  const found = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (!process.argv.includes("--check")) {
    writeFileSync(path, page);
    process.stdout.write(`${found === page ? "unchanged" : "written"}: ${FILE}\n`);
  } else if (found !== page)
    stop(
      `${FILE}: expected what the contract gives, found ${found === undefined ? "no such file" : "another text"}`,
      `run \`${COMMAND}\` and commit the file`,
    );
  else process.stdout.write(`ok: ${FILE} is what the contract gives\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
