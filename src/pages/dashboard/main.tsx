import '../shared/base.css';
import './dashboard.css';
import { render } from 'preact';
import { App } from './app.js';
import { Dashboard } from './dashboard.js';

const dashboard = new Dashboard();
render(<App dashboard={dashboard} />, document.getElementById('page') as HTMLElement);
dashboard.start();
