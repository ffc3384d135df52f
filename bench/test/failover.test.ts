import { describe, expect, it } from "vitest";
import {
  demotions,
  HEAD,
  type LoadResult,
  lines,
  loadLine,
  longestGap,
  type Round,
  transactionsPerSecond,
} from "../failover/results.ts";
import { stockConfiguration } from "../failover/stock.ts";

const writes = (...moments: number[]) => moments.map((at) => ({ node: "a", at }));
const round = (seconds: number, kill = seconds): Round => ({
  ...{ start: seconds, kill, back: seconds, switchovers: [seconds, seconds] },
  ...{ stop: seconds, replica: seconds, more: seconds },
});
const quiet: LoadResult = { seconds: 60, clients: 4, promotions: 0, demotions: 0, tps: 1234.5, reason: "" };
const verdicts = (table: string[][]): string[] => table.map((cells) => cells.at(-1)!);

describe("the longest gap", () => {
  it("is the one between two writes, whichever node accepted them, in the order of time", () => {
    expect(longestGap([...writes(0, 10, 20), { node: "b", at: 95 }, { node: "a", at: 25 }], 0)).toBe(70);
  });

  it("counts if it was over after the moment, even if it began before", () => {
    expect(longestGap(writes(0, 500, 510, 540), 505)).toBe(30);
    expect(longestGap(writes(0, 500, 510), 499)).toBe(500);
  });

  it("is unknown where nothing was accepted", () => {
    expect(longestGap([], 0)).toBeNaN();
    expect(longestGap(writes(5), 0)).toBeNaN();
  });
});

describe("what programs say", () => {
  it("is read: how often Patroni took the lead from a server", () => {
    const said = [
      "2026-01-01 00:00:00,000 INFO: Demoting self (offline)",
      "2026-01-01 00:00:01,000 INFO: demoted self because DCS is not accessible and I was a leader",
      "2026-01-01 00:00:02,000 INFO: no action. I am (a), the leader with the lock",
      "2026-01-01 00:00:03,000 INFO: Demoting self (immediate-nolock)",
    ];
    expect(demotions(said.join("\n"))).toBe(2);
    expect(demotions("")).toBe(0);
  });

  it("is read: the speed of pgbench", () => {
    expect(transactionsPerSecond("number of clients: 4\ntps = 1193.40 (without initial connection time)\n")).toBe(
      1193.4,
    );
    expect(transactionsPerSecond("nothing")).toBeNaN();
  });
});

describe("the line of the load", () => {
  it("is met when nothing happened", () => {
    const line = loadLine(quiet);
    expect(line).toHaveLength(HEAD.length);
    expect(line.at(1)).toBe("0 and 0; 1235 transactions/s");
    expect(line.at(-1)).toBe("at most 0.00: met");
  });

  it("is missed by another leader, by a demotion, and by a pgbench that lost its server", () => {
    for (const worse of [{ promotions: 1 }, { demotions: 1 }, { reason: "server closed the connection" }])
      expect(loadLine({ ...quiet, ...worse }).at(-1)).toBe("at most 0.00: MISSED");
  });
});

describe("the table", () => {
  it("judges medians, and of kills the slowest round as well", () => {
    const table = lines([round(10), round(10), round(10, 14)], [round(10, 25), round(10, 30), round(10, 30)], quiet);
    expect(table.every((cells) => cells.length === HEAD.length)).toBe(true);
    expect(verdicts(table).filter((verdict) => verdict.endsWith("MISSED"))).toEqual([]);
    expect(table[0]).toEqual([
      "docker kill of the leader, to the next accepted write",
      "10.00 s (10.00 to 12.00)",
      "30.00 s (27.50 to 30.00)",
      "0.33",
      "at most 1.00: met",
    ]);
    expect(table[1]!.slice(1)).toEqual(["14.00 s", "30.00 s", "", "at most 15.00: met"]);
  });

  it("says what is missed, each by itself", () => {
    const judged = verdicts(lines([round(20)], [round(10)], { ...quiet, promotions: 2 })).filter(Boolean);
    expect(judged).toHaveLength(7);
    expect(judged.every((verdict) => verdict.endsWith("MISSED"))).toBe(true);
  });

  it("goes without a load", () => {
    expect(lines([round(1)], [round(1)])).toHaveLength(lines([round(1)], [round(1)], quiet).length - 1);
  });
});

describe("Patroni's configuration by hand", () => {
  const text = stockConfiguration({
    ...{ scope: "stock-1", name: "stock-1-2", stores: ["etcd1:2379", "etcd2:2379"], password: 'p"w' },
    ...{ programs: "/usr/lib/postgresql/17/bin", data: "/data" },
  });

  it("has the documented times", () => {
    for (const line of ["ttl: 30", "loop_wait: 10", "retry_timeout: 10", "maximum_lag_on_failover: 1048576"])
      expect(text).toContain(`    ${line}\n`);
    expect(text).toContain("      use_pg_rewind: true\n");
  });

  it("names the node, its folders and the store", () => {
    for (const line of ["scope: stock-1", "name: stock-1-2", "  hosts: etcd1:2379,etcd2:2379", "  data_dir: /data"])
      expect(text).toContain(`${line}\n`);
    expect(text.match(/connect_address: stock-1-2:/g)).toHaveLength(2);
  });

  it("quotes the passwords", () => {
    expect(text).toContain('password: "p\\"w"\n');
  });
});
