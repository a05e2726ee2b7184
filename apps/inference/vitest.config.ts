import { defineConfig } from "vitest/config"

// Tools that check start as processes of their own.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } })
