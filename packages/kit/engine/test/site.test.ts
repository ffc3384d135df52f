import { describe, expect, it } from "vitest";
import { bootstrapArguments } from "../src/base.js";
import { sourcesFor } from "../src/site.js";

const DEBIAN = [
  "Debian|Debian|http://mirror.example/debian/",
  "Debian|Debian|http://mirror.example/debian/",
  "Debian|Debian-Security|http://mirror.example/debian-security/",
];

describe("sourcesFor", () => {
  it("names this machine's mirrors for another suite", () => {
    expect(sourcesFor("trixie", DEBIAN.join("\n"))).toBe(
      [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://mirror.example/debian-security trixie-security main",
        "",
      ].join("\n"),
    );
  });

  it("takes the first mirror of each kind, and none of a third party's", () => {
    const targets = [
      "Vendor|Debian|https://vendor.example/node/",
      "Debian|Debian Backports|http://backports.example/debian/",
      "Debian|Debian|https://mirror.example/debian/",
      ...DEBIAN,
    ].join("\n");
    expect(sourcesFor("bookworm", targets)).toContain("deb https://mirror.example/debian bookworm main\n");
    expect(sourcesFor("bookworm", targets)).not.toMatch(/vendor|backports/);
  });

  it("does without security where the machine has no mirror of it", () => {
    expect(sourcesFor("trixie", DEBIAN[0]!)).not.toContain("security");
  });

  it.each([
    ["nothing", ""],
    ["another system's mirror", "Ubuntu|Ubuntu|http://archive.ubuntu.com/ubuntu/"],
    ["security alone", DEBIAN[2]!],
    ["a folder", "Debian|Debian|file:/srv/mirror/debian/"],
    ["what is no list at all", "E: The value 'x' is invalid"],
  ])("gives nothing for %s, so that mmdebstrap's own default serves", (_, targets) => {
    expect(sourcesFor("trixie", targets)).toBeUndefined();
  });
});

describe("bootstrapArguments", () => {
  it("asks for a slim minimal base, and for our hook at the end", () => {
    const args = bootstrapArguments({}, undefined);
    expect(args.slice(0, 2)).toEqual(["--variant=minbase", "--format=tar"]);
    expect(args).toContain("--dpkgopt=path-exclude=/usr/share/man/*");
    expect(args.indexOf("--dpkgopt=path-exclude=/usr/share/doc/*")).toBeLessThan(
      args.indexOf("--dpkgopt=path-include=/usr/share/doc/*/copyright"),
    );
    expect(args.at(-1)).toMatch(/^--customize-hook=.*bootstrap-hook\.sh.*"\$1"$/);
  });

  it("hands over the proxy as a file, and only where there is one", () => {
    const proxy = { conf: 'Acquire::http::Proxy "http://proxy:3128";\n' };
    expect(bootstrapArguments(proxy, "/tmp/apt.conf")).toContain("--aptopt=/tmp/apt.conf");
    expect(bootstrapArguments({}, "/tmp/apt.conf").join(" ")).not.toContain("aptopt");
  });
});
