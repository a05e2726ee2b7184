/**
 * Which versions of a model are served: the latest n, all, or those named.
 */
import type { ModelSettings } from "./ModelSettings.ts"

const newestFirst = (a: string, b: string): number => Number(b) - Number(a)

/** Returns the versions that the policy chooses from the existing ones, newest first; only the latest without a policy. */
export const choose = (
  policy: ModelSettings["version_policy"],
  versions: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const sorted = [...versions].sort(newestFirst)
  if (policy === undefined) return sorted.slice(0, 1)
  if ("all" in policy) return sorted
  if ("latest" in policy) return sorted.slice(0, policy.latest.num_versions ?? 1)
  const wanted = new Set(policy.specific.versions.map(String))
  return sorted.filter((version) => wanted.has(version))
}

/** Returns the versions that the policy names but that do not exist. */
export const missing = (
  policy: ModelSettings["version_policy"],
  versions: ReadonlyArray<string>
): ReadonlyArray<string> =>
  policy !== undefined && "specific" in policy
    ? policy.specific.versions.map(String).filter((version) => !versions.includes(version))
    : []
