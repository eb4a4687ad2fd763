export function unexportedTypes(): readonly string[];
