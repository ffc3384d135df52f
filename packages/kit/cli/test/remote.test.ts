import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { probeRemote, remoteAddress, remoteTroubles } from "../src/remote.js";

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** The address of a server that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("probeRemote", () => {
  it.each([404, 400, 401, 403])("has nothing to say of one that answers %d", async (status) => {
    let asked = "";
    const address = await serve(({ url }, response) => {
      asked = url!;
      response.writeHead(status).end("{}");
    });
    expect(await probeRemote(address, 60_000)).toBeUndefined();
    expect(asked).toBe("/v8/artifacts/0000000000000000");
  });

  it.each<[string, RequestListener, RegExp]>([
    ["gives rubbish", (_, response) => response.end("<html>"), /:\d+ gave something for a hash that no task has$/],
    ["has a fault of its own", (_, response) => response.writeHead(502).end(), /:\d+ answered with status 502$/],
    ["hangs up", (request) => request.socket.destroy(), /:\d+: other side closed|:\d+: .*(hang up|ECONNRESET)/],
  ])("says so of one that %s", async (_, answer, expected) => {
    expect(await probeRemote(await serve(answer), 60_000)).toMatch(expected);
  });

  it.each<[string, RequestListener]>([
    ["never answers", () => undefined],
    ["stands still in the middle", (_, response) => void response.writeHead(200, { "content-length": 9 }).write("a")],
  ])("does not wait for one that %s", async (_, answer) => {
    const address = await serve(answer);
    expect(await probeRemote(address, 200)).toBe(`${address} did not answer in 0.2 s`);
  });

  it("says so where nobody listens", async () => {
    const address = await serve(() => undefined);
    await new Promise((resolve) => servers.at(-1)!.close(resolve));
    expect(await probeRemote(address, 60_000)).toMatch(/ECONNREFUSED/);
  });
});

describe("remoteAddress", () => {
  const config = { apiUrl: "http://127.0.0.1:1", enabled: true, teamSlug: null, teamId: null };
  it.each<[string, string, string | undefined]>([
    ["a team's name", JSON.stringify({ ...config, teamSlug: "us" }), config.apiUrl],
    ["a team's id", JSON.stringify({ ...config, teamId: "team_1" }), config.apiUrl],
    ["no team", JSON.stringify(config), undefined],
    ["the remote cache switched off", JSON.stringify({ ...config, teamSlug: "us", enabled: false }), undefined],
    ["something else", '"x"', undefined],
    ["no JSON", "turbo", undefined],
  ])("with %s", (_, text, expected) => {
    expect(remoteAddress(text)).toBe(expected);
  });
});

describe("remoteTroubles", () => {
  it.each([
    [
      " WARNING     \u2022 Remote caching unavailable (Authentication failed \u2014 check TURBO_TOKEN)",
      "Remote caching unavailable (Authentication failed \u2014 check TURBO_TOKEN)",
    ],
    [
      " WARNING  failed to contact remote cache: Error making HTTP request: HTTP status client error (413 Payload Too Large)",
      "failed to contact remote cache: Error making HTTP request: HTTP status client error (413 Payload Too Large)",
    ],
    [
      " WARNING  the cache artifact for 32f0 was too large to upload within the timeout",
      "the cache artifact for 32f0 was too large to upload within the timeout",
    ],
  ])("finds %j", (line, expected) => {
    expect(remoteTroubles(`   \u2022 Remote caching enabled\n${line}\n`)).toEqual([expected]);
  });

  it("finds none where a task failed, or where there is no remote cache", () => {
    const output = [
      "   \u2022 Remote caching disabled",
      "@sample/image#artifact:one:beta:  WARNING  command finished with error, but continuing...",
      "@sample/image#artifact:one:beta:  ERROR  command (/x) pnpm run artifact:one:beta exited (1)",
      " ERROR  run failed: command  exited (1)",
    ];
    expect(remoteTroubles(output.join("\n"))).toEqual([]);
  });
});
