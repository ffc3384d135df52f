import type { ProgressEvent } from "@strata/engine";
import type { Ora } from "ora";
import pc from "picocolors";
import { say, seconds } from "./output.js";

const shorten = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** Shows what an engine does: one moving line on a terminal, one line a step elsewhere. */
export class BuildDisplay {
  readonly #width = Math.min(process.stderr.columns ?? 120, 120) - 8;
  #lastOutput = Date.now();

  private constructor(
    private readonly nameOf: (step: string) => string | undefined,
    private readonly spinner: Ora | undefined,
  ) {}

  /**
   * Starts to show a build.
   * @param nameOf the layer a step belongs to, by the step's name; steps of no layer are not worth a line
   */
  static async open(title: string, nameOf: (step: string) => string | undefined): Promise<BuildDisplay> {
    if (!process.stderr.isTTY || process.env.CI) {
      say(title);
      return new BuildDisplay(nameOf, undefined);
    }
    // Loaded only where something moves: an edit is waited for.
    const { default: ora } = await import("ora");
    return new BuildDisplay(nameOf, ora({ text: title, stream: process.stderr }).start());
  }

  /** Takes what the build tells. */
  event(event: ProgressEvent): void {
    const { step } = event;
    const name = this.nameOf(step.name);
    if (name === undefined) return;
    if (event.type === "end" && step.state === "done" && step.seconds >= 0.1)
      this.line(`  ${pc.green("built")}  ${name}  ${pc.dim(seconds(step.seconds))}`);
    else if (event.type === "end" && step.state === "error") this.line(`  ${pc.red("failed")} ${name}`);
    else if (event.type === "start" && this.spinner) this.spinner.text = name;
    else if (event.type === "output") this.#output(name, event.text);
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.spinner?.clear();
    say(text);
    this.spinner?.render();
  }

  /** Takes the moving line away. */
  stop(): void {
    this.spinner?.stop();
  }

  /** A step's own output: live on a terminal, a sign of life every ten seconds elsewhere. */
  #output(name: string, text: string): void {
    if (this.spinner) this.spinner.text = shorten(`${name}  ${pc.dim(text)}`, this.#width);
    else if (Date.now() - this.#lastOutput > 10_000) {
      this.#lastOutput = Date.now();
      say(`  ...    ${name}: ${shorten(text, this.#width - name.length)}`);
    }
  }
}
