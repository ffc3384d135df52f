// @ts-check
// Writes docs/environment.md from the contract of the PostgreSQL image, and docs/environment-<name>.md from that of each
// other image. With --check it only compares, and fails where a file is not what the contract gives. Needs the rendered
// images: pnpm turbo build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ENVIRONMENT_INTRO,
  environmentDifferences,
  environmentSections,
} from "../packages/kit/assembler/dist/index.js";
import { ROOT, stop } from "./bootstrap.mjs";

const COMMAND = "pnpm run docs";
/** The image whose page says most: how values come together, which no single variable says. */
const MAIN = "postgresql";

/**
 * How each page begins.
 * @param {string} title of the image
 */
const start = (title) => `# Environment of the ${title} image

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
5. \`POSTGRESQL_<PARAMETER>\`; above it, with Patroni, the few parameters that its cluster keeps, with a warning where the two differ
6. \`ALTER SYSTEM\`, with a warning at the start where it hides a variable
7. \`-c\` of the command line, then what a role or a database sets

**Who may connect**, the first line that fits decides: \`POSTGRES_HBA\`, \`pg_hba.d/*.conf\` in \`PGCONFIG\` in name order,
with Patroni the line for replicas, then \`pg_hba.conf\` in \`PGCONFIG\` if it is there, else the cluster's own.`;

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
| \`phase\` | \`starting\`, \`initialising\`, \`restoring\`, \`running\`, \`paused\` or \`stopping\`; then, perhaps, what it waits for |
| \`postgresql.conf\` | the configuration that the server is started with: it includes yours |
| \`postgresql.address\` | port, socket folders, listen address, superuser and data folder, one a line |
| \`postgresql.connections\` | which run of the server takes how many clients, for the health check |
| \`pg_hba.conf\` | who may connect, where \`POSTGRES_HBA\`, \`pg_hba.d\` or Patroni is used |
| \`pg_hba.head\`, \`pg_hba.base\` | with Patroni before PostgreSQL 16: what that file is made of |
| \`patroni.address\` | port, host and scheme of Patroni's REST API |
| \`patroni/\` | for its owner alone: Patroni's configuration, passwords of roles, links to the server's programs |
| \`server.key\` | a private copy of the TLS key, where the server would refuse the file that is mounted |
| \`pgbackrest.conf\` | the configuration of pgBackRest, where archiving is on |
| \`passwd\`, \`group\` | the user's entry for initdb, where the image has none for its number |
`;

/** How the page of any other image ends. */
const OTHER_END = `Exit codes, and where the container keeps what it knows about itself, are the same in all images: see
[exit codes](environment.md#exit-codes) and [state folder](environment.md#state-folder). What a message means:
[troubleshooting](troubleshooting.md).
`;

/** The names of all images, the one whose page says most first. */
function imageNames() {
  const folder = join(ROOT, "images");
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "image.ts")));
  return [MAIN, ...names.filter((name) => name !== MAIN).sort()];
}

/**
 * The plans of an image's variants, the default one first.
 * @param {string} image
 * @returns {import("../packages/kit/assembler/dist/index.js").Plan[]}
 */
function readPlans(image) {
  const folder = join(ROOT, "images", image, "dist");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = names.map((name) => join(folder, name, "image.json")).filter((file) => existsSync(file));
  if (files.length === 0) stop(`expected the rendered image in ${folder}, found none`, "run `pnpm turbo build` first");
  const plans = files.map((file) => JSON.parse(readFileSync(file, "utf8")));
  const isDefault = (/** @type {import("../packages/kit/assembler/dist/index.js").Plan} */ { tags }) =>
    Number(tags.some((tag) => tag.endsWith(":latest")));
  return plans.sort((a, b) => isDefault(b) - isDefault(a));
}

/**
 * The whole page of an image.
 * @param {readonly import("../packages/kit/assembler/dist/index.js").Plan[]} plans the default variant first
 */
export function environmentPage(plans) {
  const [first] = plans;
  const title = first?.labels["org.opencontainers.image.title"] ?? "";
  const names = plans.map(({ variant }) => `\`${variant}\``).join(" and ");
  const differences = environmentDifferences(plans);
  const about =
    differences.length === 0
      ? `The same in all variants: ${names}.`
      : `As in \`${first?.variant}\`. What differs:\n\n${differences.map((line) => `- ${line}`).join("\n")}`;
  const sections = first ? environmentSections(first) : "";
  const parts = [start(title), about, ENVIRONMENT_INTRO];
  const rest = first?.image === MAIN ? [FAMILIES, sections, END] : [sections, OTHER_END];
  return [...parts, ...rest].join("\n\n");
}

/**
 * The file of an image's page.
 * @param {string} image
 */
export const pageFile = (image) => (image === MAIN ? "docs/environment.md" : `docs/environment-${image}.md`);

/**
 * Writes or compares the page of one image; ends the process where it is another one.
 * @param {string} image
 * @param {boolean} check
 */
function page(image, check) {
  const text = environmentPage(readPlans(image));
  const file = pageFile(image);
  const path = join(ROOT, file);
  const found = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (!check) {
    writeFileSync(path, text);
    process.stdout.write(`${found === text ? "unchanged" : "written"}: ${file}\n`);
  } else if (found !== text)
    stop(
      `${file}: expected what the contract gives, found ${found === undefined ? "no such file" : "another text"}`,
      `run \`${COMMAND}\` and commit the file`,
    );
  else process.stdout.write(`ok: ${file} is what the contract gives\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const image of imageNames()) page(image, process.argv.includes("--check"));
