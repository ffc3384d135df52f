// @ts-check
// npm run quickstart: from a machine with Node and npm to a running PostgreSQL. Words after -- go to `strata up`.
import { bootstrap, run } from "./bootstrap.mjs";

const pnpm = bootstrap();
const strata = [...pnpm, "--silent", "strata"];
const built = run([...strata, "image", "postgresql", "17-trixie"]);
process.exitCode = built === 0 ? run([...strata, "up", "postgresql", "17-trixie", ...process.argv.slice(2)]) : built;
