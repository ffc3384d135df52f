import { randomBytes } from "node:crypto";
import { attempt } from "@strata/engine";
import { engine } from "./container.js";

/** A network between our own containers, on which they find one another by name; gone when the test is. */
export class Network implements AsyncDisposable {
  private constructor(readonly name: string) {}

  static async make(): Promise<Network> {
    const name = `strata-test-${randomBytes(6).toString("hex")}`;
    const made = await attempt(engine.client, ["network", "create", name]);
    if (!made.ok) throw new Error(made.reason);
    return new Network(name);
  }

  /** Options of `docker run` for a container that is called so on it. */
  as(host: string): string[] {
    return ["--network", this.name, "--hostname", host, "--network-alias", host];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(engine.client, ["network", "rm", this.name]);
  }
}
