import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort, portIsFree, portTaken } from "../src/container.js";
import { installCommand, isDebian } from "../src/install.js";
import { attempt } from "../src/run.js";
import { problemsOf, program, scratch, write } from "./helpers.js";

describe("isDebian", () => {
  it.each([
    ["Debian", 'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n', true],
    ["Ubuntu", "ID=ubuntu\nID_LIKE=debian\n", true],
    ["a child of both", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
    ["Fedora", 'ID=fedora\nPRETTY_NAME="not debian"\n', false],
    ["Alpine", "ID=alpine\nHOME_URL=https://debian.example\n", false],
    ["a system that says nothing", "", false],
  ])("knows %s by its os-release", async (_, text, expected) => {
    const folder = await scratch();
    await write(folder, { "os-release": text });
    expect(await isDebian(join(folder, "os-release"))).toBe(expected);
  });

  it("takes a system without os-release for another one", async () => {
    expect(await isDebian(join(await scratch(), "absent"))).toBe(false);
  });
});

describe("installCommand", () => {
  it("is what somebody can paste", () => {
    expect(installCommand(["docker.io", "iptables"])).toBe(
      "sudo apt-get install --yes --no-install-recommends docker.io iptables",
    );
  });
});

describe("attempt", () => {
  it("gives output and no reason when a command succeeds", async () => {
    expect(await attempt("sh", ["-c", "echo out; echo err >&2"])).toEqual({
      ok: true,
      stdout: "out",
      stderr: "err",
      reason: "",
    });
  });

  it("gives the last line that says why when it fails", async () => {
    const outcome = await attempt("sh", ["-c", "echo first >&2; echo 'the reason' >&2; echo >&2; exit 3"]);
    expect([outcome.ok, outcome.reason]).toEqual([false, "the reason"]);
    expect((await attempt("sh", ["-c", "echo on stdout; exit 1"])).reason).toBe("on stdout");
    expect((await attempt("sh", ["-c", "exit 1"])).reason).toMatch(/exit code 1/);
  });

  it("does not raise for a program that is not there or may not run", async () => {
    expect((await attempt("/nowhere/program", [])).reason).toMatch(/ENOENT/);
    const folder = await scratch();
    await write(folder, { program: "x" });
    expect((await attempt(join(folder, "program"), [])).ok).toBe(false);
  });

  it("says when there was no answer in time, and reads no terminal", async () => {
    expect((await attempt("sleep", ["5"], { timeout: 50 })).reason).toBe("no answer in time");
    const script = await program(await scratch(), "ask", "read -r answer || echo nobody");
    expect((await attempt(script, [])).stdout).toBe("nobody");
  });
});

/** Listens on a port of 127.0.0.1 that the system chooses. */
async function listen(host = "127.0.0.1"): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

describe("ports", () => {
  it("are free when nobody listens, and taken when somebody does, on every address too", async () => {
    const [here, everywhere] = [await listen(), await listen("0.0.0.0")];
    expect(await portIsFree(here)).toBe(false);
    expect(await portIsFree(everywhere)).toBe(false);
    const free = await freePort(20_000);
    expect(await portIsFree(free)).toBe(true);
    expect(await portIsFree(free)).toBe(true);
  });

  it("are looked for from the one that is wished for on", async () => {
    const taken = await listen();
    expect(await freePort(taken)).toBeGreaterThan(taken);
  });

  it("run out with an error that says so", async () => {
    expect(await problemsOf(() => freePort(65_536))).toContain("expected a free one from 65536 on, found none");
  });

  it("that are taken are told with another", async () => {
    const text = await problemsOf(() => portTaken(5432, 5433));
    expect(text).toContain("port 5432: expected it to be free on 127.0.0.1, found it taken");
    expect(text).toContain("`--port 5433`");
  });
});
