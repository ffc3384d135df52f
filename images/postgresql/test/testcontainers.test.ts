import { attempt } from "@strata/engine";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engine, imageOf, VARIANTS } from "./container.js";

// Its helper container, which removes what is left, comes from a registry.
process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
const { PostgreSqlContainer } = await import("@testcontainers/postgresql");

const idOf = async (reference: string): Promise<string> =>
  (await attempt(engine.client, ["image", "inspect", "--format", "{{.Id}}", reference])).stdout.trim();

describe.each(VARIANTS)("Testcontainers' PostgreSQL module, as it is, with $variant", ({ variant, major }) => {
  const name = `postgres:${major}`;
  let before = "";

  beforeAll(async () => {
    before = await idOf(name);
    await attempt(engine.client, ["tag", imageOf(variant), name]);
  });

  afterAll(async () => {
    await attempt(engine.client, before ? ["tag", before, name] : ["rmi", name]);
  });

  it("starts the image as postgres, runs SQL, makes a snapshot and restores it", async () => {
    await using container = await new PostgreSqlContainer(name)
      .withDatabase("shop")
      .withUsername("clerk")
      .withPassword("s3cret")
      .start();
    const ask = async (statement: string): Promise<unknown[]> => {
      const client = new Client({ connectionString: container.getConnectionUri() });
      await client.connect();
      try {
        return (await client.query({ text: statement, rowMode: "array" })).rows.flat();
      } finally {
        await client.end();
      }
    };
    expect(await ask("select current_user, current_database()")).toEqual(["clerk", "shop"]);
    expect(String(await ask("show server_version"))).toMatch(new RegExp(`^${major}\\.`));
    await ask("create table goods as select 1 as id");
    await container.snapshot();
    await ask("insert into goods values (2)");
    expect(await ask("select id from goods order by id")).toEqual([1, 2]);
    await container.restoreSnapshot();
    expect(await ask("select id from goods order by id")).toEqual([1]);
  });
});
