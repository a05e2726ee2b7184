import { defineConfig } from "vitest/config"

// Each test starts real processes, which take a second or two to load.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } })
