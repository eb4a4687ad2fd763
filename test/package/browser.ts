export { launchBrowser } from '../../tools/browser.mjs';
