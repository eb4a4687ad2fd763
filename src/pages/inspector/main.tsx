import '../shared/base.css';
import './inspector.css';
import './phone.css';
import { render } from 'preact';
import { App } from './app.js';

render(<App />, document.getElementById('page') as HTMLElement);
