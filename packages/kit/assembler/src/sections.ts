import { COMPONENT_MARK, IMAGE_MARK, STAGE_MARK } from "@strata/fragment";

/** The parts of a Dockerfile fragment. */
export interface Sections {
  /** Instructions of stages of its own, by the stage's name. */
  readonly stages: ReadonlyMap<string, string>;
  /** Instructions for the image; empty where there are none. */
  readonly image: string;
  /** The copy of what was compiled; empty where nothing is. */
  readonly component: string;
}

/** Takes a Dockerfile fragment apart at its marks. Text before the first mark is for the image. */
export function splitDockerfile(text: string): Sections {
  const parts = new Map<string, string[]>();
  let part = IMAGE_MARK;
  for (const line of text.split("\n"))
    if (line === IMAGE_MARK || line === COMPONENT_MARK || line.startsWith(`${STAGE_MARK} `)) part = line;
    else parts.set(part, [...(parts.get(part) ?? []), line]);
  const textOf = (mark: string): string => (parts.get(mark) ?? []).join("\n").trim();
  const stages = [...parts.keys()].filter((mark) => mark.startsWith(`${STAGE_MARK} `));
  return {
    stages: new Map(stages.map((mark) => [mark.slice(STAGE_MARK.length + 1), textOf(mark)])),
    image: textOf(IMAGE_MARK),
    component: textOf(COMPONENT_MARK),
  };
}
