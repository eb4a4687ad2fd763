type PlotModule = typeof import('./plot.js');

let loaded: Promise<PlotModule> | undefined;

/** The drawing library, which is fetched after the first paint. Where it could not be fetched, the next call tries again. */
export function loadPlot(): Promise<PlotModule> {
  haveALanguage();
  loaded ??= import('./plot.js').catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

/** uPlot asks for numbers in the browser's language. On a system without one, Chromium names a language that does not exist. */
function haveALanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
  }
}
