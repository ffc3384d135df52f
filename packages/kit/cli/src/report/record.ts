/** A stage or a layer of a build, and what became of it. */
export interface PartRecord {
  /** `base`, `setup/setup-postgresql`, `component/setup-citus`, `runtime/entrypoint`, `metadata`, `stage/setup-citus`. */
  readonly id: string;
  readonly kind: "base" | "setup" | "component" | "runtime" | "metadata" | "toolchain" | "build";
  readonly fragment: string | null;
  readonly state: "cached" | "built" | "failed" | "not reached";
  /** Its own time by the engine's clock; 0 when cached. */
  readonly seconds: number;
  /** Seconds after the build's start when its first step began, where known. */
  readonly from?: number;
  /** Seconds after the build's start when its last step ended, where known. */
  readonly to?: number;
  /** Size of its layer in the image; absent for stages. */
  readonly bytes?: number;
  /** Digests of its layers in the image; absent for stages, and in records of earlier versions. */
  readonly layers?: readonly string[];
  /** Ids of the parts that it is made from. */
  readonly needs: readonly string[];
  /** Why it was built: `option version 13.2.1 → 13.2.2`, `a layer before it changed: setup/setup-base`. */
  readonly reason?: string;
}

/** What a build was, from its engine to its last layer: all that a report is made of. */
export interface BuildRecord {
  readonly schema: 1;
  readonly image: string;
  readonly variant: string;
  readonly tags: readonly string[];
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /** ISO time. */
  readonly began: string;
  /** The whole build, end to end. */
  readonly seconds: number;
  readonly engine: { readonly client: string; readonly server: string; readonly dialect: "portable" | "buildkit" };
  readonly base: {
    readonly reference: string;
    readonly origin: "registry" | "bootstrap" | "given";
    readonly digest: string;
  };
  /** Fragments that were left out. */
  readonly without: readonly { readonly fragment: string; readonly reason: string }[];
  readonly artifacts: readonly {
    readonly fragment: string;
    readonly origin: "turbo" | "built";
    readonly bytes: number;
  }[];
  readonly parts: readonly PartRecord[];
}
