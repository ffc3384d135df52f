import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";
import { Folder, SCRIPTS } from "./support.js";

const env = { POSTGRES_PASSWORD: "x" };

describe.each(VARIANTS)("the log of a container of $variant", ({ variant }) => {
  it("writes every line of its scripts as one JSON object when it is asked to, and the server's as they are", async () => {
    await using folder = await Folder.with({ '10 "odd" \\ näme.sql': "select 1;" });
    await using container = await Container.start(variant, {
      env: { ...env, LOG_FORMAT: "json", LOG_LEVEL: "debug", POSTGRES_DBB: "near" },
      options: folder.at(SCRIPTS),
    });
    await container.version("x");
    await container.docker("stop");
    const { stderr, stdout } = await container.docker("logs");
    const ours = `${stdout}\n${stderr}`.split("\n").filter((line) => line.startsWith("{"));
    const lines = ours.map((line) => JSON.parse(line) as Record<string, string>);
    for (const line of lines) {
      expect(Object.keys(line)).toEqual(["time", "level", "source", "message"]);
      expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(["debug", "info", "warn"]));
    expect(lines.some(({ message }) => message?.includes('10 "odd" \\ näme.sql'))).toBe(true);
    // No line of ours is text, and the server's are not wrapped.
    expect(stderr).not.toMatch(/^\S+Z (DEBUG|INFO|WARN|ERROR) /m);
    expect(stderr).toMatch(/^\d{4}-\d\d-\d\d .* LOG: {2}database system is ready/m);
  });

  it("logs no less and no more than LOG_LEVEL says", async () => {
    const ours = async (level: string): Promise<Set<string | undefined>> => {
      const { logs } = await Container.run(variant, {
        env: { LOG_LEVEL: level, POSTGRES_DBB: "near" },
      });
      return new Set([...logs.matchAll(/^\S+Z (DEBUG|INFO|WARN|ERROR) /gm)].map(([, word]) => word));
    };
    expect(await ours("error")).toEqual(new Set(["ERROR"]));
    expect(await ours("warn")).toEqual(new Set(["WARN", "ERROR"]));
    expect(await ours("debug")).toContain("DEBUG");
  });
});
