import '../shared/base.css';
import { render } from 'preact';
import { TopBar } from '../shared/top-bar.js';

render(
  <TopBar of={null} current="cluster" pages={['cluster', 'keys', 'members', 'inspector']} />,
  document.getElementById('page') as HTMLElement,
);
