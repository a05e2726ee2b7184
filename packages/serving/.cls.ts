import { chromium } from "playwright-core"
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
for (const width of [1280, 400]) {
const page = await browser.newPage({ viewport: { width, height: 900 } })
await page.goto(process.argv[2]!)
await page.waitForTimeout(6000)
console.log(await page.evaluate(`new Promise((resolve) => { new PerformanceObserver((list) => resolve(list.getEntries().map(e => [e.startTime, e.value, e.sources.map(s => [s.node && (s.node.id || s.node.className || s.node.nodeName + s.node.textContent?.slice(0,30)), JSON.stringify(s.previousRect), JSON.stringify(s.currentRect)].join(" "))]))).observe({ type: "layout-shift", buffered: true }); setTimeout(() => resolve(0), 500) })`))
}
await browser.close()
