import type { Problems } from "@strata/fragment";
import type { BaseImage, ImageDefinition } from "./definition.js";

const TAG = /^\w[\w.-]{0,127}$/;
const REFERENCE = /^[a-z0-9]+([._:/-][a-z0-9]+)*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

function checkBase(subject: string, base: BaseImage | undefined, problems: Problems): void {
  if (typeof base !== "object" || base === null) {
    problems.add(
      subject,
      "base: expected name, digest and suite, found none",
      'such as { name: "debian:trixie-slim", … }',
    );
    return;
  }
  if (!/^[a-z0-9]+([._/-][a-z0-9]+)*(:\d+\/[a-z0-9._/-]+)?(:\w[\w.-]*)?$/.test(base.name))
    problems.add(
      subject,
      `base.name: expected an image such as debian:trixie-slim, found ${JSON.stringify(base.name)}`,
    );
  if (!/^sha256:[0-9a-f]{64}$/.test(base.digest))
    problems.add(subject, `base.digest: expected sha256: and 64 hexadecimal digits, found ${base.digest}`);
  if (!/^[a-z]+$/.test(base.suite)) problems.add(subject, `base.suite: expected a code name, found ${base.suite}`);
}

function checkTags(image: ImageDefinition, problems: Problems): void {
  const owners = new Map<string, string>();
  for (const [variant, { tags = [] }] of Object.entries(image.variants))
    for (const tag of [variant, ...tags]) {
      const subject = `variant ${variant}`;
      if (!TAG.test(tag)) problems.add(subject, `expected a name that can be a tag, found ${JSON.stringify(tag)}`);
      const other = owners.get(tag);
      if (other !== undefined && other !== variant)
        problems.add(`variants ${other} and ${variant}`, `both claim the tag ${tag}`, "leave it to one of them");
      owners.set(tag, variant);
    }
}

/** Adds to `problems` what is wrong with an image's own definition, whatever its fragments are. */
export function checkDefinition(image: ImageDefinition, variant: string, problems: Problems): void {
  const subject = `image ${image.name}`;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(image.name))
    problems.add(subject, "expected a name of lower case words with hyphens");
  if (!/^[1-9]\d*:\d+$/.test(image.user))
    problems.add(subject, `user: expected uid:gid of a user other than root, found ${image.user}`);
  if (image.repository !== undefined && !REFERENCE.test(image.repository))
    problems.add(
      subject,
      `repository: expected a name such as strata/postgresql, found ${JSON.stringify(image.repository)}`,
    );
  for (const key of ["title", "description", "licenses", "source"] as const)
    if (CONTROL.test(image[key] ?? "")) problems.add(subject, `${key}: expected one line of text, found a line break`);
  checkTags(image, problems);
  const given = Object.hasOwn(image.variants, variant) ? image.variants[variant] : undefined;
  if (given) checkBase(`variant ${variant}`, given.base, problems);
  else problems.add(`variant ${variant}`, `image ${image.name} has no such variant`);
}
