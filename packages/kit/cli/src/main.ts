import { StrataError } from "@strata/fragment";
import { Command, Option } from "commander";
import pc from "picocolors";
import type { ArtifactOptions } from "./commands/artifact.js";
import { diskProblem } from "./disk.js";
import { say } from "./output.js";

const canceled = new AbortController();
/** Whether the command ends by itself when it is canceled, because it has something to clean up. */
let windsDown = false;

function interrupted(): void {
  say(pc.yellow("strata: interrupted; nothing half-built was tagged"));
  process.exit(130);
}

/** The signal for a command that cleans up when it is canceled. */
function cancelSignal(): AbortSignal {
  windsDown = true;
  return canceled.signal;
}

// `on`, not `once`: where no listener is left, execa's own clean-up takes the signal as its own and ends the process.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (!windsDown || canceled.signal.aborted) interrupted();
    canceled.abort(new Error(signal));
  });

const JSON_OPTION = new Option("--json", "print the result as JSON on stdout");

/** The commands, each loaded when it is asked for: an edit is built by several runs of this program. */
const load = {
  artifact: async () => (await import("./commands/artifact.js")).artifactCommand,
  build: async () => (await import("./commands/build.js")).buildCommand,
  cache: async () => (await import("./commands/cache.js")).cacheCommand,
  doctor: async () => (await import("./commands/doctor.js")).doctorCommand,
  down: async () => (await import("./commands/up.js")).downCommand,
  image: async () => (await import("./commands/image.js")).imageCommand,
  plan: async () => (await import("./commands/plan.js")).planCommand,
  report: async () => (await import("./commands/report.js")).reportCommand,
  up: async () => (await import("./commands/up.js")).upCommand,
};

const program = new Command("strata")
  .description("Compose container images from fragments: plan as data, render a Dockerfile, let an engine build it.")
  .showHelpAfterError("(strata --help lists the commands, strata <command> --help their options)");

/** Adds a command on an image and, where it is named, a variant. */
function onImage(name: string, summary: string, variants: string): Command {
  return program
    .command(name)
    .description(summary)
    .argument("[image]", "name of the image; without it the one in this folder, or the only one of the workspace")
    .argument("[variant]", variants);
}

const words = (command: Command): string[] => command.processedArgs.filter((word) => typeof word === "string");
const DIALECTS = ["portable", "buildkit"];
const ALL = "name of a variant; without it all of them";
const BUILT = "name of a variant; without it all but those that are built on demand";
const ONE = "name of a variant; without it the default one";

onImage("plan", "Show what an image consists of, layer by layer, without building anything.", ALL)
  .addOption(JSON_OPTION)
  .action(async (_image, _variant, options, command) => (await load.plan())(words(command), options));

onImage("build", "Emit the fragment in this folder, or render an image's Dockerfile and context. Asks no engine.", ALL)
  .addOption(JSON_OPTION)
  .action(async (_image, _variant, options, command) => (await load.build())(words(command), options));

onImage("image", "Build an image on an engine, and tell by layer what was cached.", BUILT)
  .addOption(JSON_OPTION)
  .option("--no-cache", "build every layer again")
  .option("--base <image>", "take this image of the engine's store as the base (also STRATA_BASE)")
  .option("--refresh-base", "pull or bootstrap the base again")
  .addOption(new Option("--dialect <name>", "write this dialect, not the best that the engine knows").choices(DIALECTS))
  .action(async (_image, _variant, options, command) => {
    const signal = cancelSignal();
    return (await load.image())(words(command), options, signal);
  });

onImage("artifact", "Compile the components of an image and keep what each installs, for Turbo to carry along.", BUILT)
  .option("--fragment <name>", "only this fragment's")
  .action(async (_image, _variant, options: ArtifactOptions, command) => {
    const signal = cancelSignal();
    return (await load.artifact())(words(command), options, signal);
  });

onImage("cache", "Show both caches' side of every fragment, Turbo's and the engine's, with why it is rebuilt.", ALL)
  .addOption(JSON_OPTION)
  .option("--since <commit>", "compare with a commit, not with the last build here")
  .action(async (_image, _variant, options, command) => (await load.cache())(words(command), options));

onImage("report", "Show what the last build was: stages, timeline, sizes, changes; as text and as one HTML page.", ONE)
  .addOption(JSON_OPTION)
  .option("--output <file>", "where the page goes; without it .strata/<variant>/report.html beside the image")
  .action(async (_image, _variant, options, command) => (await load.report())(words(command), options));

onImage("up", "Start one container of an image, wait until it is healthy, and tell how to connect.", ONE)
  .addOption(JSON_OPTION)
  .option("--port <number>", "port on 127.0.0.1; without it the image's own")
  .option("--name <name>", "name of the container; without it strata-<image>")
  .option("--timeout <seconds>", "how long to wait until it is healthy", "90")
  .action(async (_image, _variant, options, command) => {
    const signal = cancelSignal();
    return (await load.up())(words(command), options, signal);
  });

onImage("down", "Stop and remove the container that `up` started. The data stays.", ONE)
  .option("--name <name>", "name of the container; without it strata-<image>")
  .option("--volumes", "remove its data and its generated secrets as well")
  .action(async (_image, _variant, options, command) => (await load.down())(words(command), options));

program
  .command("doctor")
  .description("Say whether this machine has what Strata needs, and what to do about what it has not.")
  .addOption(JSON_OPTION)
  .option("--install", "as root on Debian or Ubuntu: install an engine and the tools that are missing")
  .action(async (options) => (await load.doctor())(options));

try {
  await program.parseAsync();
} catch (error) {
  const disk = diskProblem(error);
  const known = disk ? new StrataError([disk]) : error;
  if (canceled.signal.aborted) {
    interrupted();
  } else if (known instanceof StrataError) {
    for (const line of known.message.split("\n")) say(line.startsWith(" ") ? line : `${pc.red("strata:")} ${line}`);
    process.exitCode = known.exitCode;
  } else throw error;
}
