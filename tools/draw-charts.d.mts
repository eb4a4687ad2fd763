export function drawings(load: (file: string) => Promise<unknown>): Promise<Readonly<Record<string, string>>>;
export function withCharts(text: string, drawings: Readonly<Record<string, string>>): string;
export function documents(root?: string): readonly string[];
