import path from 'node:path';

/** A busy machine takes long for a page. */
export const PATIENCE_MS = 90_000;

const DEVICES = {
  '': { viewport: { width: 1440, height: 900 } },
  '-phone': { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

/** A page, wide and as on a phone, each of which is pictured light and dark. They stay open while the cluster changes, as a person's would. */
export class Looks {
  #pages = [];
  #directory;
  #isWanted;

  /** Pictures go to `directory`, those for which `isWanted(name)` holds. */
  static async open(browser, url, { directory, isWanted }) {
    const looks = new Looks();
    looks.#directory = directory;
    looks.#isWanted = isWanted;
    for (const [suffix, settings] of Object.entries(DEVICES)) {
      const context = await browser.newContext(settings);
      const page = await context.newPage();
      await page.goto(url, { timeout: PATIENCE_MS });
      looks.#pages.push({ page, context, suffix });
    }
    return looks;
  }

  /** `prepare` is done in each page before each of its pictures. */
  async shoot(name, prepare = async () => undefined) {
    if (!this.#isWanted(name)) return;
    // One after another: a busy machine takes seconds for each.
    for (const { page, suffix } of this.#pages) {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await prepare(page);
        // A colour that fades, as of news, would fade from what it was in the other scheme.
        await page.evaluate(() => {
          for (const animation of document.getAnimations())
            if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
        });
        const file = path.join(this.#directory, `${name}-${colorScheme}${suffix}.png`);
        await page.screenshot({ path: file, timeout: PATIENCE_MS });
      }
    }
    process.stderr.write(`${name}\n`);
  }

  async each(act) {
    await Promise.all(this.#pages.map(({ page }) => act(page)));
  }

  async close() {
    await Promise.all(this.#pages.map(({ context }) => context.close()));
  }
}
