import '../shared/base.css';
import './inspector.css';
import { render } from 'preact';
import { App } from './app.js';
import './phone.css';

render(<App />, document.getElementById('page') as HTMLElement);
