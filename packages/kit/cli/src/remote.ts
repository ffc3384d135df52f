import { z } from "zod";

/** How long a remote cache may take for a small answer, in milliseconds. */
const PATIENCE = 5_000;

/** A hash that no task has. */
const NOTHING = "0".repeat(16);

/** What Turbo says about a remote cache that does not answer, or answers something else. */
const TROUBLE =
  /remote cach(e|ing)|remote artifact cache|artifact.*(signature|verification|too large)|cache.*(unavailable|timed? ?out)/i;

/** The warnings of its remote cache in what Turbo printed. */
export function remoteTroubles(output: string): string[] {
  const lines = output.split("\n").filter((line) => /warn|error/i.test(line) && TROUBLE.test(line));
  return lines.map((line) => line.replace(/^\W*(WARNING|ERROR)\W*/i, "").trim());
}

const ConfigSchema = z.object({
  apiUrl: z.string(),
  enabled: z.boolean(),
  teamSlug: z.string().nullish(),
  teamId: z.string().nullish(),
});

/** The address of the remote cache in what `turbo config` prints; nothing where Turbo uses none. */
export function remoteAddress(config: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(config);
  } catch {
    return undefined;
  }
  const { data } = ConfigSchema.safeParse(value);
  return data?.enabled && (data.teamSlug || data.teamId) ? data.apiUrl : undefined;
}

/**
 * Asks a remote cache for what it cannot have. Gives what is wrong with its answer, or nothing: that it has it not, or
 * tells it to nobody without a token, is right.
 */
export async function probeRemote(address: string, patience = PATIENCE): Promise<string | undefined> {
  const { EnvHttpProxyAgent, request } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent();
  const signal = AbortSignal.timeout(patience);
  try {
    const { statusCode, body } = await request(`${address}/v8/artifacts/${NOTHING}`, { dispatcher, signal });
    await body.arrayBuffer();
    if (statusCode < 300) return `${address} gave something for a hash that no task has`;
    return statusCode < 500 ? undefined : `${address} answered with status ${statusCode}`;
  } catch (error) {
    if (signal.aborted) return `${address} did not answer in ${patience / 1_000} s`;
    const { code = "", message } = error as NodeJS.ErrnoException;
    // Turbo may trust a certificate that Node.js does not: that is for Turbo to say.
    return /CERT|TLS|SSL|ISSUER|SIGNATURE/.test(code) ? undefined : `${address}: ${message || code}`;
  } finally {
    await dispatcher.destroy();
  }
}
