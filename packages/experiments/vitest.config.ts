import { defineConfig } from "vitest/config"

// Each test trains small circuits on a real engine, which a busy machine does slowly.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } })
