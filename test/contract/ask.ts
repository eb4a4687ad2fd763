import type { IncomingHttpHeaders } from 'node:http';
import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly json: { readonly error?: { readonly code: string; readonly message: string } } & Record<string, unknown>;
}

export interface Sent {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ask(address: string, method: string, path: string, { body, headers = {} }: Sent = {}): Promise<Answer> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers: { ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const isJson = response.headers['content-type'] === 'application/json' && bytes.length > 0;
        const json = isJson ? JSON.parse(bytes.toString()) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export const refusal = ({ status, json }: Answer): readonly [number, string | undefined] => [status, json.error?.code];
