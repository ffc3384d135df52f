// A first start is killed at random moments. Afterwards every start either continues, or refuses and says what to do:
// never a broken server that calls itself healthy, never data removed unless it was asked for.
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";
import { Folder, inTurns, listing, random, SCRIPTS, Volume } from "./support.js";

const KILLS = Number(process.env.STRATA_TEST_KILLS ?? 50);
const SEED = Number(process.env.STRATA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const env = { POSTGRES_PASSWORD: "x", POSTGRES_DB: "app" };

/** A row by every script; a script can be broken off between its row and its end, so it has to bear a second run. */
const row = (name: string): string => `insert into trace values ('${name}'); select pg_sleep(0.04);`;
const table = "create table if not exists trace (script text);";
const psql = 'psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --quiet';
const scripts = {
  "10-table.sql": `${table}\n${row("10-table.sql")}`,
  "20-executed.sh": { text: `#!/bin/bash\n${psql} -c "${row("20-executed.sh")}"\n`, mode: 0o755 },
  "30-sourced.sh": `docker_process_sql --dbname "$POSTGRES_DB" <<< "${row("30-sourced.sh")}"\n`,
  "40-packed.sql.gz": gzipSync(row("40-packed.sql.gz")),
  "50-last.sql": row("50-last.sql"),
};

/** How often each script left its row, in order of the scripts. */
async function traces(container: Container): Promise<number[]> {
  const found = await container.sql("select script, count(*) from trace group by 1", "postgres", "app");
  const counts = new Map(found.split("\n").map((line) => line.split("|") as [string, string]));
  return Object.keys(scripts).map((name) => Number(counts.get(name) ?? 0));
}

interface Round {
  readonly number: number;
  /** From the start of the container to the kill, in milliseconds. */
  readonly moment: number;
  readonly choice: "resume" | "wipe";
  /** If there is one, that later start is killed too, after so many milliseconds. */
  readonly again: number | undefined;
}

describe.each(VARIANTS)("a first start of $variant that is killed", ({ variant }) => {
  const once = Object.keys(scripts).map(() => 1);

  /** Starts on the volume, lets it run for a while, kills it. */
  async function killed(options: string[], moment: number, more: Record<string, string> = {}): Promise<Container> {
    const container = await Container.start(variant, { env: { ...env, ...more }, options });
    await sleep(moment);
    await container.docker("kill", "--signal", "KILL");
    await container.exitCode();
    return container;
  }

  /** One kill and what comes after it; gives what the next start did. */
  async function round(options: string[], { moment, choice, again }: Round): Promise<string> {
    await using first = await killed(options, moment);
    const before = await listing(first);
    const from = new Date().toISOString();
    await first.docker("start");
    const code = await first.settled(120);
    if (code === undefined) {
      expect(await traces(first)).toEqual(once);
      return "continued";
    }
    const said = (await first.docker("logs", "--since", from)).stderr;
    expect(code, said).toBe(1);
    for (const word of ["INIT_ON_INCOMPLETE", "resume", "wipe"]) expect(said).toContain(word);
    expect(await listing(first)).toBe(before);

    const chosen = { INIT_ON_INCOMPLETE: choice };
    if (again !== undefined) await (await killed(options, again, chosen))[Symbol.asyncDispose]();
    await using next = await Container.start(variant, { env: { ...env, ...chosen }, options });
    expect(await next.settled(120), await next.logs()).toBeUndefined();
    const left = await traces(next);
    // Whoever was broken off runs again; whoever was done does not.
    const twice = left.reduce((sum, count) => sum + count - 1, 0);
    expect(Math.min(...left), `traces ${left}`).toBe(1);
    expect(twice, `traces ${left}`).toBeLessThanOrEqual(choice === "wipe" ? 0 : again === undefined ? 1 : 2);
    expect(await next.version("x", "postgres", "app")).toMatch(/^PostgreSQL /);
    return `refused, then ${choice}`;
  }

  it(`is never broken and never loses data, at ${KILLS} random moments`, async () => {
    await using folder = await Folder.with(scripts);
    const at = folder.at(SCRIPTS);
    // Two at a time, as later: the machine is as busy then.
    const times = await inTurns([1, 2], 2, async () => {
      await using unbroken = await Container.start(variant, { env, options: at });
      const began = Date.now();
      await unbroken.healthy();
      const took = Date.now() - began;
      expect(await traces(unbroken)).toEqual(once);
      return took;
    });
    const whole = Math.max(...times);

    const next = random(SEED);
    const rounds: Round[] = Array.from({ length: KILLS }, (_, number) => {
      const moment = Math.round(next() * 1.3 * whole);
      const again = number % 10 === 9 ? Math.round(next() * whole) : undefined;
      return { number, moment, again, choice: number % 5 === 4 ? "wipe" : "resume" };
    });
    const seen = new Map<string, number>();
    await inTurns(rounds, 2, async (one) => {
      await using volume = await Volume.make();
      const end = await round([...at, ...volume.at()], one).catch((error: Error) => {
        error.message = `kill ${one.number} after ${one.moment} ms (STRATA_TEST_SEED=${SEED}): ${error.message}`;
        throw error;
      });
      seen.set(end, (seen.get(end) ?? 0) + 1);
    });
    const counts = [...seen].map(([end, count]) => `${count} ${end}`).join(" · ");
    process.stdout.write(`${variant}: ${KILLS} kills (STRATA_TEST_SEED=${SEED}), start ${whole} ms: ${counts}\n`);
    expect(seen.get("refused, then resume") ?? 0).toBeGreaterThan(0);
  }, 600_000);
});
