import '../shared/base.css';
import './dashboard.css';
import { render } from 'preact';
import { App } from './app.js';
import { Dashboard } from './dashboard.js';
import { loadPlot } from './views/load-plot.js';

const dashboard = new Dashboard();
render(<App dashboard={dashboard} />, document.getElementById('page') as HTMLElement);
dashboard.start();
// Also where the page is opened at another tab: the node that serves it may be gone when the charts are wanted.
void loadPlot().catch(() => undefined);
