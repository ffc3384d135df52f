import { randomBytes } from "node:crypto";
import { attempt } from "@strata/engine";
import { engine } from "./container.js";

/** A named volume that is gone when the test is. */
export class Volume implements AsyncDisposable {
  constructor(readonly name: string) {}

  /** Options are those of `docker volume create`. */
  static async make<T extends Volume>(this: new (name: string) => T, ...options: string[]): Promise<T> {
    const name = `strata-test-${randomBytes(6).toString("hex")}`;
    const made = await attempt(engine.client, ["volume", "create", ...options, name]);
    if (!made.ok) throw new Error(made.reason);
    return new this(name);
  }

  /** Options of `docker run` that mount it. */
  at(path: string): string[] {
    return ["--volume", `${this.name}:${path}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(engine.client, ["volume", "rm", "--force", this.name]);
  }
}
