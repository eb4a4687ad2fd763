import config, { development } from './jest.config.mjs';

export default { ...config, projects: [development] };
