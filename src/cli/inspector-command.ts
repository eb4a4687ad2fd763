import type { Command } from 'commander';
import { fromEnvironment } from '../node/serve-form.js';
import { EXIT } from './exit.js';
import { numberOfFlag } from './flag-number.js';

interface InspectorFlags {
  readonly port: string;
}

export function addInspectorCommand(program: Command): void {
  program
    .command('inspector')
    .description('show the statecharts of any XState 5 program in a browser; Ctrl-C stops it')
    .option(
      '--port <port>',
      'of the page, and of the programs that connect; 0 takes any free one (QUORATE_INSPECTOR_PORT)',
      fromEnvironment('QUORATE_INSPECTOR_PORT', process.env) ?? '8080',
    )
    .action(async ({ port }: InspectorFlags) => {
      const number = numberOfFlag('--port', port, { least: 0, most: 65_535 }, 'QUORATE_INSPECTOR_PORT');
      const { createInspector } = await import('../inspect.js');
      const inspector = await createInspector({ port: number });
      process.stdout.write(welcome(inspector.url));
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      });
      await inspector.close();
      process.exit(EXIT.done);
    });
}

function welcome(url: string): string {
  const address = url.replace('http', 'ws');
  return `The inspector is at ${url}

In an app with @statelyai/inspect, in Node.js or in a browser:
  import { createWebSocketInspector } from '@statelyai/inspect';
  const { inspect } = createWebSocketInspector({ url: '${address}' });

In an app with quorate, in Node.js; it converts nothing that is not shown:
  import { createInspector } from 'quorate/inspect';
  const { inspect } = await createInspector({ url: '${address}' });

Then: createActor(machine, { inspect }).start()
`;
}
